"""A streaming RNN transducer, 8 layers of 640: Graves, "Sequence Transduction with RNNs", 2012.

Three parts that run at different rates: the encoder per chunk of 10 ms feature frames, the
prediction network per token, the joiner per encoder frame and per token. The cell has one bias and
one layer normalisation per gate (He et al., "Streaming End-to-end Speech Recognition for Mobile
Devices", ICASSP 2019). Its hidden and cell state live in buffers from one call to the next.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

# not public yet, but the one loop that torch.export keeps as a loop and that returns every step
from torch._higher_order_ops.scan import scan

from codesign.errors import ModelError

FEATURES, HIDDEN, LAYERS = 80, 640, 8
REDUCED = (0, 1)
"""Layers whose outputs are stacked in pairs, halving the rate of all layers after them."""
VOCABULARY, EMBEDDING, PREDICTION_LAYERS, JOINT = 1001, 256, 2, 1024


class Cell(nn.Module):
    """One recurrent layer: LSTM with 4 gates, or CIFG with 3 (input gate = 1 - forget gate).

    The recurrent matrix is block diagonal if ``blocks`` is above 1.
    """

    def __init__(
        self, inputs: int, hidden: int, batch: int, gates: int = 4, blocks: int = 1
    ) -> None:
        super().__init__()
        self.gates, self.blocks, self.hidden = gates, blocks, hidden
        width = hidden // blocks
        self.weight_input = nn.Parameter(torch.empty(gates * hidden, inputs))
        self.weight_hidden = nn.Parameter(torch.empty(gates, blocks, width, width))
        self.bias = nn.Parameter(torch.empty(gates * hidden))
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(gates))
        self.register_buffer("h", torch.zeros(batch, hidden), persistent=False)
        self.register_buffer("c", torch.zeros(batch, hidden), persistent=False)

    def step(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """One time step: input [batch, inputs] and state [batch, hidden] to the next state."""
        blocks = h.unflatten(-1, (self.blocks, -1))
        recurrent = torch.einsum("bni,gnoi->bgno", blocks, self.weight_hidden).flatten(-2)
        projected = (x @ self.weight_input.T).unflatten(-1, (self.gates, self.hidden))
        z = projected + recurrent + self.bias.view(self.gates, self.hidden)
        *inputs, forget, candidate, output = (
            norm(z[:, gate]) for gate, norm in enumerate(self.norms)
        )
        kept = forget.sigmoid()
        taken = inputs[0].sigmoid() if inputs else 1 - kept
        c = kept * c + taken * candidate.tanh()
        return output.sigmoid() * c.tanh(), c

    def forward(self, x: Tensor) -> Tensor:
        """Maps one step [batch, inputs] to [batch, hidden]; the state is kept."""
        h, c = self.step(x, self.h, self.c)
        self.h.copy_(h)
        self.c.copy_(c)
        return h


class Layer(Cell):
    """A cell that runs over a sequence, as one loop in the captured graph."""

    def forward(self, sequence: Tensor) -> Tensor:
        """Maps [steps, batch, inputs] to [steps, batch, hidden]; the last state is kept."""

        def body(state: tuple[Tensor, Tensor], x: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
            h, c = self.step(x, *state)
            # scan refuses a result that is also the next state
            return (h, c), h.clone()

        (h, c), outputs = scan(body, (self.h, self.c), sequence)
        self.h.copy_(h)
        self.c.copy_(c)
        return outputs


class Encoder(nn.Module):
    """Layers that run over a chunk one after the other; two are followed by time reduction."""

    def __init__(self, batch: int, hidden: int = HIDDEN, layers: int = LAYERS) -> None:
        super().__init__()
        widths = [FEATURES] + [2 * hidden if n in REDUCED else hidden for n in range(layers - 1)]
        self.layers = nn.ModuleList(Layer(width, hidden, batch) for width in widths)

    def forward(self, frames: Tensor) -> Tensor:
        """Maps features [steps, batch, 80] to [steps / 4, batch, hidden]."""
        sequence = frames
        for index, layer in enumerate(self.layers):
            sequence = layer(sequence)
            if index in REDUCED:
                sequence = sequence.unflatten(0, (-1, 2)).transpose(1, 2).flatten(2)
        return sequence


class Prediction(nn.Module):
    """Embedding of the last token and two cells."""

    def __init__(self, batch: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, EMBEDDING)
        self.cells = nn.ModuleList(
            Cell(EMBEDDING, EMBEDDING, batch) for _ in range(PREDICTION_LAYERS)
        )

    def forward(self, token: Tensor) -> Tensor:
        """Maps token numbers [batch] to [batch, 256]."""
        x = self.embedding(token)
        for cell in self.cells:
            x = cell(x)
        return x


class Joiner(nn.Module):
    """Scores of the next token from an encoder frame and a prediction."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Linear(HIDDEN, JOINT)
        self.prediction = nn.Linear(EMBEDDING, JOINT, bias=False)
        self.output = nn.Linear(JOINT, VOCABULARY)

    def forward(self, frame: Tensor, prediction: Tensor) -> Tensor:
        """Maps [batch, 640] and [batch, 256] to scores [batch, 1001]."""
        return self.output(torch.tanh(self.encoder(frame) + self.prediction(prediction)))


def encoder(batch: int, steps: int) -> tuple[nn.Module, tuple[Tensor]]:
    """The encoder and a chunk of ``steps`` feature frames of 10 ms, a multiple of 4."""
    stride = 2 ** len(REDUCED)
    if steps % stride:
        raise ModelError(f"steps of rnnt_8x640_encoder must be a multiple of {stride}, got {steps}")
    return Encoder(batch), (torch.empty(steps, batch, FEATURES),)


def prediction(batch: int) -> tuple[nn.Module, tuple[Tensor]]:
    """The prediction network and one token."""
    return Prediction(batch), (torch.zeros(batch, dtype=torch.int64),)


def joiner(batch: int) -> tuple[nn.Module, tuple[Tensor, Tensor]]:
    """The joiner with one encoder frame and one prediction."""
    return Joiner(), (torch.empty(batch, HIDDEN), torch.empty(batch, EMBEDDING))
