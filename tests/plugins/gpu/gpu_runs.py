"""Operators and runs that the tests of GPUs share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from codesign_plugins.gpu import Gpu

import codesign
from codesign import Hardware, Op, Result, Tensor, Trace
from codesign.calibration import budget_of
from codesign.testing import (
    elementwise,
    gather,
    move,
    normalize,
    reduce,
    softmax,
)
from codesign.testing.operators import whole
from codesign.workload.record import Access

PRESET = "a100-80gb"
PRESETS = ("a100-80gb", "a40", "h100", "mi300x")
STREAMS = (
    elementwise((10,), dtype="fp16"),
    elementwise((2048, 4096), ("gelu",), dtype="fp16"),
    softmax(512, 4096, dtype="fp16"),
    normalize(1024, 4096, dtype="fp16"),
    reduce(1000, 3000, dtype="fp16"),
    gather(32000, 64, 4096, dtype="fp16"),
    move((1000, 1000), dtype="fp16"),
)


def gpu(**fields: Any) -> Gpu:
    """An engine of no device in particular."""
    return Gpu(name="gpu", buffer="l2", **fields)


def of(machine: Hardware) -> Gpu:
    """The engine of a machine that has one."""
    (engine,) = machine.engines
    assert isinstance(engine, Gpu)
    return engine


def run(machine: Hardware, *ops: Op, **options: Any) -> Result:
    """Runs operators one after the other."""
    tensors: dict[str, Tensor] = {a.tensor.name: a.tensor for op in ops for a in op.operands}
    return codesign.simulate(Trace("alone", ops, tuple(tensors.values())), machine, **options)


def chain(ops: Sequence[Op]) -> list[Op]:
    """The operators with names and tensors of their own; only the last one writes an output."""
    last = len(ops) - 1
    return [
        replace(
            op,
            name=f"{number} {op.name}",
            inputs=tuple(_named(access, number) for access in op.inputs),
            outputs=tuple(
                _named(access, number, "output" if number == last else "activation")
                for access in op.outputs
            ),
        )
        for number, op in enumerate(ops)
    ]


def joined(ops: Sequence[Op]) -> list[Op]:
    """The same, each reading what the one before wrote."""
    found: list[Op] = []
    for op in chain(ops):
        before = found[-1].outputs[0].tensor if found else op.inputs[0].tensor
        found.append(replace(op, inputs=(replace(op.inputs[0], tensor=before),)))
    return found


def _named(access: Access, number: int, role: Literal["output", "activation", ""] = "") -> Access:
    tensor = access.tensor
    named = replace(tensor, name=f"{tensor.name}{number}", role=role or tensor.role)
    return replace(access, tensor=named)


def closed_form_s(machine: Hardware, op: Op) -> float:
    """Seconds of an operator alone on the device."""
    engine = of(machine)
    return float(engine.t0 + engine.kernel(op, budget_of(machine, engine)).work_s)


def fused(queries: int, keys: int, heads: int = 4, shared: int = 1, *, causal: bool = False) -> Op:
    """An attention of one sequence; ``shared`` query heads read one key head."""
    sizes = ((heads, queries), (heads // shared, keys), (heads // shared, keys))
    inputs = tuple(
        whole(name, (1, count, length, 64), "input", "fp16")
        for name, (count, length) in zip("qkv", sizes, strict=True)
    )
    output = whole("y", (1, heads, queries, 64), "output", "fp16")
    facts = (("causal", causal), ("gqa", shared > 1))
    return Op("attention", "attention", inputs, (output,), attributes=facts)
