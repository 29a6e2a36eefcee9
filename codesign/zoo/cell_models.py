"""One recurrent layer of each cell, 640 inputs and 640 outputs, as models of the zoo."""

from __future__ import annotations

from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from codesign.zoo.cell_loop import Recurrent, Windowed
from codesign.zoo.cells import CIFG, GRU, LSTM, QRNN, SRU, LiGRU, MinGRU, ProjectedLSTM

WIDTH, PROJECTED_WIDTH, WINDOW = 640, 2048, 2
Layer: TypeAlias = tuple[nn.Module, tuple[Tensor]]


def _layer(cell: Any, batch: int, steps: int) -> Layer:
    return Recurrent(cell, cell.initial(batch)), (torch.empty(steps, batch, WIDTH),)


def lstm(batch: int, steps: int) -> Layer:
    """A normalised LSTM and a sequence."""
    return _layer(LSTM(WIDTH, WIDTH), batch, steps)


def cifg(batch: int, steps: int) -> Layer:
    """A normalised LSTM with coupled gates and a sequence."""
    return _layer(CIFG(WIDTH, WIDTH), batch, steps)


def lstm_projected(batch: int, steps: int) -> Layer:
    """An LSTM of 2048 projected to 640 and a sequence."""
    return _layer(ProjectedLSTM(WIDTH, PROJECTED_WIDTH, WIDTH), batch, steps)


def gru(batch: int, steps: int) -> Layer:
    """A GRU and a sequence."""
    return _layer(GRU(WIDTH, WIDTH), batch, steps)


def ligru(batch: int, steps: int) -> Layer:
    """A light GRU and a sequence."""
    return _layer(LiGRU(WIDTH, WIDTH), batch, steps)


def sru(batch: int, steps: int) -> Layer:
    """A simple recurrent unit and a sequence."""
    return _layer(SRU(WIDTH, WIDTH), batch, steps)


def qrnn(batch: int, steps: int) -> Layer:
    """A quasi-recurrent unit over windows of 2 and a sequence."""
    layer, args = _layer(QRNN(WIDTH, WIDTH, WINDOW), batch, steps)
    return Windowed(layer, torch.zeros(WINDOW - 1, batch, WIDTH)), args


def mingru(batch: int, steps: int) -> Layer:
    """A minimal GRU and a sequence."""
    return _layer(MinGRU(WIDTH, WIDTH), batch, steps)
