"""A streaming RNN transducer in torch: Graves, "Sequence Transduction with RNNs", 2012.

Three parts that run at different rates: the encoder per chunk of feature frames, the prediction
network per token, the joiner per encoder frame and per token. ``Transducer`` holds the dimensions
and writes the same traces without torch. Hidden and cell state live in buffers between calls.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codesign.zoo.cell_loop import Recurrent, Stateful
from codesign.zoo.cell_shape import CellShape
from codesign.zoo.cells import CIFG, LSTM, ProjectedLSTM
from codesign.zoo.transducer import PRESETS, Transducer

_DEFAULT = PRESETS["rnnt_8x640"]


def cell_of(shape: CellShape) -> LSTM | ProjectedLSTM:
    """The cell of these dimensions."""
    if shape.projection is not None:
        structure = (shape.projection, shape.blocks, shape.rank)
        return ProjectedLSTM(shape.inputs, shape.width, *structure)
    kind = {"lstm": LSTM, "cifg": CIFG}[shape.kind]
    return kind(shape.inputs, shape.width, shape.blocks, shape.rank)


class Encoder(nn.Module):
    """Recurrent layers that run over a chunk one after the other, some with time reduction."""

    def __init__(self, model: Transducer, batch: int) -> None:
        super().__init__()
        cells = [cell_of(shape) for shape in model.encoder_cells]
        self.encoder = nn.ModuleList(Recurrent(cell, cell.initial(batch)) for cell in cells)
        self.strides = model.strides

    def forward(self, frames: Tensor) -> Tensor:
        """Maps features [steps, batch, features] to [steps / reduction, batch, outputs]."""
        sequence = frames
        for index, layer in enumerate(self.encoder):
            sequence = layer(sequence)
            if index in self.strides:
                sequence = sequence.unflatten(0, (-1, 2)).transpose(1, 2).flatten(2)
        return sequence


class Prediction(nn.Module):
    """Embedding of the last token and recurrent cells."""

    def __init__(self, model: Transducer, batch: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(model.vocabulary, model.embedding)
        cells = [cell_of(shape) for shape in model.prediction_cells]
        self.prediction = nn.ModuleList(Stateful(cell, cell.initial(batch)) for cell in cells)

    def forward(self, token: Tensor) -> Tensor:
        """Maps token numbers [batch] to [batch, outputs]."""
        x = self.embedding(token)
        for cell in self.prediction:
            x = cell(x)
        return x


class Joiner(nn.Module):
    """Scores of the next token from an encoder frame and a prediction."""

    def __init__(self, model: Transducer) -> None:
        super().__init__()
        self.join_encoder = nn.Linear(model.encoder_outputs, model.joint)
        self.join_prediction = nn.Linear(model.prediction_outputs, model.joint, bias=False)
        self.join_output = nn.Linear(model.joint, model.vocabulary)

    def forward(self, frame: Tensor, prediction: Tensor) -> Tensor:
        """Maps [batch, encoder outputs] and [batch, outputs] to [batch, vocabulary]."""
        joined = self.join_encoder(frame) + self.join_prediction(prediction)
        return self.join_output(torch.tanh(joined))


def encoder(
    batch: int, steps: int, model: Transducer = _DEFAULT
) -> tuple[nn.Module, tuple[Tensor]]:
    """The encoder and a chunk of ``steps`` feature frames, a multiple of the time reduction."""
    model.check_steps(steps)
    return Encoder(model, batch), (torch.empty(steps, batch, model.features),)


def prediction(batch: int, model: Transducer = _DEFAULT) -> tuple[nn.Module, tuple[Tensor]]:
    """The prediction network and one token."""
    return Prediction(model, batch), (torch.zeros(batch, dtype=torch.int64),)


def joiner(batch: int, model: Transducer = _DEFAULT) -> tuple[nn.Module, tuple[Tensor, Tensor]]:
    """The joiner with one encoder frame and one prediction."""
    frame = torch.empty(batch, model.encoder_outputs)
    return Joiner(model), (frame, torch.empty(batch, model.prediction_outputs))
