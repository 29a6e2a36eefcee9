"""Layers with zeros in their weights, for the capture tests."""

from __future__ import annotations

from typing import Any

import torch
from quantised_case import tensor
from torch import nn

from codesign.workload.record import Trace
from codesign.workload.sparsity import Sparsity

X = torch.zeros(2, 64)


def linear(keep: Any = 1.0, rows: int = 32, columns: int = 64) -> Any:
    """A linear layer in a sequence, with random weights times ``keep``."""
    model = nn.Sequential(nn.Linear(columns, rows))
    with torch.no_grad():
        weight = torch.randn(rows, columns, generator=torch.Generator().manual_seed(1))
        model[0].weight.copy_(weight * keep)
    return model


def random(share: float, rows: int = 32, columns: int = 64) -> Any:
    """Ones with a probability of ``share``, else zeros."""
    values = torch.rand(rows, columns, generator=torch.Generator().manual_seed(2))
    return (values < share).float()


def zeros(found: Trace, name: str = "0.weight") -> Sparsity:
    """The sparsity that a weight must have."""
    sparsity = tensor(found, name).sparsity
    assert sparsity is not None
    return sparsity


def two_of_four() -> Any:
    """Two of four neighbours along the rows, the same in every row."""
    return torch.tensor([1.0, 0.0, 0.0, 1.0]).repeat(32, 16)


def blocks() -> Any:
    """Blocks of 4 x 4, two in five of them ones."""
    return torch.kron(random(0.4, 8, 16), torch.ones(4, 4))
