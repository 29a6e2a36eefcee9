"""Recurrent cells in plain torch: one step each, ``cell(x, state) -> (output, state)``.

``x`` is [batch, inputs], the output [batch, outputs], the state a tuple of tensors that begins as
``cell.initial(batch)``. ``codesign.zoo.cell_loop`` runs a cell, also one of your own, over time.

Where a cell has a recurrent matrix it may be block diagonal (Kuchaiev and Ginsburg, "Factorization
tricks for LSTM networks", ICLR workshop 2017) or of low rank (Lu, Sindhwani and Sainath, "Learning
compact recurrent neural networks", ICASSP 2016). Every cell stores one bias per
gate. The second one of cuDNN and PyTorch adds nothing at inference but in the n gate of a GRU, so
``GRU`` is ``torch.nn.GRU`` with a recurrent bias of zeros.
"""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor, nn

from codesign.zoo.cell_shape import check_structure

State: TypeAlias = tuple[Tensor, ...]


def matrix(*shape: int) -> nn.Parameter:
    """A weight with small random values; its last axis is summed over."""
    return nn.Parameter(torch.randn(shape) * shape[-1] ** -0.5)


class RecurrentMatrix(nn.Module):
    """The products of a hidden state with one matrix per gate.

    ``blocks`` above 1 leaves that many blocks on the diagonal of each; ``rank`` makes each the
    product ``up @ down`` of two factors.
    """

    def __init__(
        self, gates: int, inputs: int, outputs: int, blocks: int = 1, rank: int | None = None
    ) -> None:
        super().__init__()
        check_structure(inputs, outputs, blocks, rank)
        self.gates, self.inputs, self.outputs = gates, inputs, outputs
        self.blocks, self.rank = blocks, rank
        if rank is None:
            self.weight = matrix(gates, blocks, outputs // blocks, inputs // blocks)
        else:
            self.down = matrix(gates, rank, inputs)
            self.up = matrix(gates, outputs, rank)

    def forward(self, h: Tensor) -> Tensor:
        """Maps [batch, inputs] to [batch, gates, outputs]."""
        if self.rank is not None:
            low = torch.einsum("bi,gri->bgr", h, self.down)
            return torch.einsum("bgr,gor->bgo", low, self.up)
        blocks = h.unflatten(-1, (self.blocks, -1))
        return torch.einsum("bni,gnoi->bgno", blocks, self.weight).flatten(-2)


class GatedCell(nn.Module):
    """What cells with a recurrent matrix have in common: an input matrix and a bias per gate."""

    def __init__(self, inputs: int, recurrent: RecurrentMatrix) -> None:
        super().__init__()
        self.gates, self.width = recurrent.gates, recurrent.outputs
        self.input = nn.Linear(inputs, self.gates * self.width, bias=False)
        self.recurrent = recurrent
        self.bias = nn.Parameter(torch.zeros(self.gates, self.width))

    def initial(self, batch: int) -> State:
        """Hidden state of zeros."""
        return (torch.zeros(batch, self.recurrent.inputs),)

    def driven(self, x: Tensor) -> Tensor:
        """The part of the gates that does not recur, ``W x``: [batch, gates, width]."""
        return self.input(x).unflatten(-1, (self.gates, self.width))

    def sums(self, x: Tensor, h: Tensor) -> Tensor:
        """``W x + U h + b`` of every gate: [batch, gates, width]."""
        return self.driven(x) + self.recurrent(h) + self.bias


class LSTM(GatedCell):
    """Long short-term memory with layer normalisation of each gate.

    Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 1997, with the forget
    gate of Gers et al., 2000; one normalisation per gate and none of the cell state.
    """

    GATES = 4

    def __init__(self, inputs: int, width: int, blocks: int = 1, rank: int | None = None) -> None:
        super().__init__(inputs, RecurrentMatrix(self.GATES, width, width, blocks, rank))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(self.GATES))

    def initial(self, batch: int) -> State:
        """Hidden and cell state of zeros."""
        return torch.zeros(batch, self.width), torch.zeros(batch, self.width)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: ``c = f c + i tanh(g)``, ``h = o tanh(c)``; i is 1 - f if there are 3 gates."""
        h, c = state
        sums = self.sums(x, h)
        *inputs, f, g, o = (norm(sums[:, gate]) for gate, norm in enumerate(self.norms))
        kept = f.sigmoid()
        taken = inputs[0].sigmoid() if inputs else 1 - kept
        c = kept * c + taken * g.tanh()
        h = o.sigmoid() * c.tanh()
        return h, (h, c)


class CIFG(LSTM):
    """An LSTM of 3 gates whose input gate is coupled to its forget gate.

    Greff et al., "LSTM: a search space odyssey", IEEE Transactions on Neural Networks and Learning
    Systems 2017, variant CIFG.
    """

    GATES = 3


class ProjectedLSTM(GatedCell):
    """An LSTM whose hidden state is a projection of its output: less to recur; not normalised.

    Sak, Senior and Beaufays, "Long short-term memory based recurrent neural network architectures
    for large vocabulary speech recognition", 2014, equations 7 to 12, without peepholes.
    """

    def __init__(
        self, inputs: int, width: int, projection: int, blocks: int = 1, rank: int | None = None
    ) -> None:
        super().__init__(inputs, RecurrentMatrix(4, projection, width, blocks, rank))
        self.projection = nn.Linear(width, projection, bias=False)

    def initial(self, batch: int) -> State:
        """Projected hidden state and cell state of zeros."""
        return torch.zeros(batch, self.recurrent.inputs), torch.zeros(batch, self.width)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: as an LSTM, with ``h = P (o tanh(c))``."""
        h, c = state
        i, f, g, o = self.sums(x, h).unbind(1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = self.projection(o.sigmoid() * c.tanh())
        return h, (h, c)


class GRU(GatedCell):
    """Gated recurrent unit.

    Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014, first version,
    equations 5 to 8: the reset gate acts on ``U h``, so the products of all gates are one matrix.
    PyTorch has a further bias in the n gate, ``r (U h + c)``, which this one, as published, lacks.
    """

    def __init__(self, inputs: int, width: int, blocks: int = 1, rank: int | None = None) -> None:
        super().__init__(inputs, RecurrentMatrix(3, width, width, blocks, rank))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: ``n = tanh(W x + b + r (U h))``, ``h = z h + (1 - z) n``."""
        (h,) = state
        driven, recurrent = self.driven(x) + self.bias, self.recurrent(h)
        z = (driven[:, 0] + recurrent[:, 0]).sigmoid()
        r = (driven[:, 1] + recurrent[:, 1]).sigmoid()
        n = (driven[:, 2] + r * recurrent[:, 2]).tanh()
        h = z * h + (1 - z) * n
        return h, (h,)


class LiGRU(GatedCell):
    """Light gated recurrent unit: a GRU without reset gate, with a rectifier.

    Ravanelli et al., "Light gated recurrent units for speech recognition", IEEE Transactions on
    Emerging Topics in Computational Intelligence 2018. Its batch normalisation of ``W x`` is part
    of matrix and bias at inference.
    """

    def __init__(self, inputs: int, width: int, blocks: int = 1, rank: int | None = None) -> None:
        super().__init__(inputs, RecurrentMatrix(2, width, width, blocks, rank))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: ``h = z h + (1 - z) relu(a)``."""
        (h,) = state
        update, candidate = self.sums(x, h).unbind(1)
        z = update.sigmoid()
        h = z * h + (1 - z) * candidate.relu()
        return h, (h,)


class SRU(nn.Module):
    """Simple recurrent unit: only elementwise work recurs.

    Lei et al., "Simple recurrent units for highly parallelizable recurrence", EMNLP 2018, section
    2. Its highway takes the input itself if that is as wide as the cell, else a projection of it.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.width, self.matrices = width, 3 if inputs == width else 4
        self.input = nn.Linear(inputs, self.matrices * width, bias=False)
        self.carried = matrix(2, width)
        self.bias = nn.Parameter(torch.zeros(2, width))

    def initial(self, batch: int) -> State:
        """Cell state of zeros."""
        return (torch.zeros(batch, self.width),)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: ``c = f c + (1 - f) W x``, ``h = r c + (1 - r) x``."""
        (c,) = state
        value, forget, reset, *rest = self.input(x).chunk(self.matrices, -1)
        f = (forget + self.carried[0] * c + self.bias[0]).sigmoid()
        r = (reset + self.carried[1] * c + self.bias[1]).sigmoid()
        c = f * c + (1 - f) * value
        return r * c + (1 - r) * (rest[0] if rest else x), (c,)


class QRNN(nn.Module):
    """Quasi-recurrent unit: a causal convolution over time, then elementwise pooling.

    Bradbury et al., "Quasi-recurrent neural networks", ICLR 2017, equations 1 and 4. A step reads
    the last ``window`` inputs, [batch, window, inputs]; ``cell_loop.Windowed`` makes them.
    """

    def __init__(self, inputs: int, width: int, window: int = 2) -> None:
        super().__init__()
        self.width = width
        self.weight = matrix(3, width, window, inputs)

    def initial(self, batch: int) -> State:
        """Cell state of zeros."""
        return (torch.zeros(batch, self.width),)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: ``c = f c + (1 - f) tanh(z)``, ``h = o c``."""
        (c,) = state
        z, forget, output = torch.einsum("bki,gnki->bgn", x, self.weight).unbind(1)
        f = forget.sigmoid()
        c = f * c + (1 - f) * z.tanh()
        return output.sigmoid() * c, (c,)


class MinGRU(nn.Module):
    """Minimal GRU: its gate and its candidate see the input alone.

    Feng et al., "Were RNNs all we needed?", 2024, section 3.1.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.input = nn.Linear(inputs, 2 * width)

    def initial(self, batch: int) -> State:
        """Hidden state of zeros."""
        return (torch.zeros(batch, self.width),)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: ``h = (1 - z) h + z W x``."""
        (h,) = state
        gate, candidate = self.input(x).chunk(2, -1)
        z = gate.sigmoid()
        h = (1 - z) * h + z * candidate
        return h, (h,)
