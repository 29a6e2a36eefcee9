"""A small LSTM language model: ``torch.nn.LSTM`` and a linear head."""

from __future__ import annotations

import torch
from torch import Tensor, nn

INPUTS, HIDDEN, LAYERS, OUTPUTS = 80, 256, 2, 32


class LSTMModel(nn.Module):
    """Two LSTM layers and a linear head at every step."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(INPUTS, HIDDEN, LAYERS)
        self.head = nn.Linear(HIDDEN, OUTPUTS)

    def forward(self, x: Tensor) -> Tensor:
        """Maps [steps, batch, 80] to [steps, batch, 32]."""
        return self.head(self.lstm(x)[0])


def lstm_lm(batch: int, steps: int) -> tuple[nn.Module, tuple[Tensor]]:
    """The model and a sequence of ``steps`` vectors."""
    return LSTMModel(), (torch.empty(steps, batch, INPUTS),)
