"""Recurrent layers under capture: the shapes of all steps follow from those of one.

The exported graph keeps ``aten.lstm.input`` and its like whole. To learn the shapes of what they
return, though, torch runs its decomposition of them, once in the export and once more when the
program is made functional, and that is a Python loop over time. As long as ``one_step_shapes``
lasts, the loop runs over a single step; the outputs of the others have the same shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import RLock
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch._decomp import decomposition_table
from torch._subclasses import FakeTensor

_Kernel: TypeAlias = Callable[..., tuple[Tensor, ...]]
_LAYERS = ("lstm", "gru", "rnn_tanh", "rnn_relu")
_LOCK = RLock()
"""What is replaced belongs to the process: of two captures at a time, one waits."""


@contextmanager
def one_step_shapes() -> Iterator[None]:
    """Makes the cost of recurrent layers under fake tensors independent of the number of steps.

    Kernels and decompositions are replaced as ``torch.export._patches`` replaces them, and put back
    at the end; calls with data keep their results even in between.
    """
    with _LOCK, ExitStack() as stack:
        for name in _LAYERS:
            stack.enter_context(_replaced(getattr(torch.ops.aten, name).input))
        yield


@contextmanager
def _replaced(operator: Any) -> Iterator[None]:
    """Both doors through which torch asks an operator for shapes: its kernels and the table."""
    kernels, entry = dict(operator.py_kernels), decomposition_table[operator]
    _set_kernels(operator, {key: _first_step(kernel) for key, kernel in kernels.items()})
    decomposition_table[operator] = _first_step(entry)
    try:
        yield
    finally:
        _set_kernels(operator, kernels)
        decomposition_table[operator] = entry


def _set_kernels(operator: Any, kernels: dict[Any, _Kernel]) -> None:
    # the keys stay, so that other threads find a kernel at every moment
    operator.py_kernels.update(kernels)
    operator._dispatch_cache.clear()


def _first_step(original: _Kernel) -> _Kernel:
    """The kernel that runs one step of a sequence without data and repeats its output."""

    def kernel(sequence: Tensor, *rest: Any) -> tuple[Tensor, ...]:
        time = 1 if rest[-1] else 0  # the last argument of all of them is batch_first
        steps = sequence.shape[time]
        if not isinstance(sequence, FakeTensor) or not isinstance(steps, int) or steps == 1:
            return original(sequence, *rest)
        if not steps:
            raise ValueError(f"a sequence must have a time step, got {list(sequence.shape)}")
        output, *states = original(sequence.narrow(time, 0, 1), *rest)
        # steps lie one behind the other in memory, also where the batch is the first axis
        every = output.transpose(0, time).repeat(steps, 1, 1).transpose(0, time)
        return every, *states

    return kernel
