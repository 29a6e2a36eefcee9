"""One call of torch, captured and lowered without fusion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from codesign_plugins.vector import Vector
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from codesign.workload.capture import trace
from codesign.workload.check import check_trace
from codesign.workload.record import Op

PRICED = frozenset(Vector(name="vector", buffer="sram").operations)
"""Functions that a vector unit can run by default."""


class Called(nn.Module):  # type: ignore[misc]  # torch is untyped
    """A module whose forward is a function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Any) -> Any:
        return self.function(*args)


def meta(*shape: int, dtype: Any = torch.float32) -> Any:
    """A tensor without data."""
    return torch.empty(shape, dtype=dtype, device="meta")


def ids(*shape: int) -> Any:
    """Integer indices without data."""
    return meta(*shape, dtype=torch.long)


def lowered(function: Callable[..., Any], *args: Any) -> list[Op]:
    """Operators that a function or a module of tensors becomes, checked as a trace.

    The vector unit has a price for every function among them, also for those behind a contraction.
    """
    module = function if isinstance(function, nn.Module) else Called(function)
    found = trace(module, args, fuse=False)
    check_trace(found)
    assert found.coverage.share == 1.0
    operators = [op for op, _ in found.ops()]
    assert not {name for op in operators for name in op.functions} - PRICED
    return operators


def only(function: Callable[..., Any], *args: Any) -> Op:
    """The one operator that a function becomes."""
    (op,) = lowered(function, *args)
    return op


def each(functions: Sequence[Callable[..., Any]], *args: Any) -> list[Op]:
    """The one operator that each function becomes, in a single capture of all of them."""
    found = lowered(lambda *given: [function(*given) for function in functions], *args)
    assert len(found) == len(functions)
    return found


def counted(function: Callable[..., Any], *args: Any) -> int:
    """MACs of a call by torch's own counter."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        function(*args)
    return int(counter.get_total_flops()) // 2


def macs(operators: list[Op]) -> int:
    """MACs of all operators."""
    return sum(op.macs for op in operators)
