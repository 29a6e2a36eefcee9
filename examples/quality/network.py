"""A recurrent cell that reads a digit row by row: as it is trained, and as it runs on hardware."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import torch
from torch import Tensor, nn

import codesign
from codesign import Trace
from codesign.zoo.cell_loop import Recurrent
from codesign.zoo.cells import GRU, SRU, GatedCell, LiGRU, RecurrentMatrix, State

STEPS, PIXELS, DIGITS = 8, 8, 10
"""Rows of an image, pixels of a row, classes."""
SCALE_BITS = 16
"""Of the scale that a row of a quantised matrix has, a half-precision number."""


class LSTM(GatedCell):
    """An LSTM as ``torch.nn.LSTM`` has it, with one bias a gate; that of the zoo is normalised.

    Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 1997, with the forget
    gate of Gers et al., 2000.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__(inputs, RecurrentMatrix(4, width, width))

    def initial(self, batch: int) -> State:
        """Hidden and cell state of zeros."""
        return torch.zeros(batch, self.width), torch.zeros(batch, self.width)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: ``c = f c + i tanh(g)``, ``h = o tanh(c)``."""
        h, c = state
        i, f, g, o = self.sums(x, h).unbind(1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        return h, (h, c)


CELLS: Mapping[str, type[nn.Module]] = {"LSTM": LSTM, "GRU": GRU, "LiGRU": LiGRU, "SRU": SRU}
"""Cells of the study."""


class Network(nn.Module):
    """A cell over the rows of an image, and a linear layer behind its last output."""

    def __init__(self, cell: str, width: int) -> None:
        super().__init__()
        self.cell = CELLS[cell](PIXELS, width)
        self.out = nn.Linear(width, DIGITS)

    def forward(self, rows: Tensor) -> Tensor:
        """Maps rows [steps, batch, pixels] to logits [batch, digits]."""
        state = tuple(rows.new_zeros(part.shape) for part in self.cell.initial(rows.shape[1]))
        for row in rows:
            last, state = self.cell(row, state)
        return self.out(last)


class Deployed(nn.Module):
    """The same network with its steps as a loop, one image at a time: what is captured."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.rows = Recurrent(network.cell, network.cell.initial(1))
        self.out = network.out

    def forward(self, rows: Tensor) -> Tensor:
        """Maps rows [steps, 1, pixels] to logits [1, digits]."""
        return self.out(self.rows(rows)[-1])


def model(cell: str, width: int, weight_bits: int) -> Trace:
    """The model of the study: matrices in few bits, and a scale for each of their rows.

    Args:
        cell: one of ``CELLS``.
        width: of the cell.
        weight_bits: of the elements of its matrices; what else there is has the hardware's format.
    """
    trace = _captured(cell, width)
    for op, _ in trace.ops():
        if op.kind == "contraction":
            matrix = next(a.tensor for a in op.inputs if a.tensor.role == "weight")
            form = f"int{weight_bits}[{matrix.shape[-1]}x{SCALE_BITS}]"
            trace = codesign.annotate(trace, op.name, weight_dtype=form)
    return trace


@cache
def _captured(cell: str, width: int) -> Trace:
    with torch.device("meta"):
        network, rows = Deployed(Network(cell, width)), torch.empty(STEPS, 1, PIXELS)
    return codesign.trace(network.eval(), (rows,), name=f"{cell} {width}")
