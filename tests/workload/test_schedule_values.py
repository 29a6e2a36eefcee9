"""What a trace computes: an interpreter of its own, to compare schedules by their results.

It works element by element on numbers modulo a prime, so that sums may be taken in any order and
equal means equal. Every tensor is an array of elements and of marks that say what has been
written; reading what nobody has written fails. Functions stand for themselves by name only: what
counts is which element meets which.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from codesign.workload.dtype import DType
from codesign.workload.nest import Axis, matmul_nest
from codesign.workload.record import (
    Access,
    Carry,
    Item,
    Op,
    Region,
    Tensor,
    Trace,
    all_carries,
)

PRIME = 1_048_573
"""Products of two numbers below it can be summed by the million in 64 bits."""

Numbers: TypeAlias = NDArray[np.int64]


class UnwrittenError(AssertionError):
    """An operator read an element that nothing had written."""


def code(name: str) -> int:
    return zlib.crc32(name.encode()) % PRIME


class Machine:
    """Runs the items of a trace in order; ``log`` lists the operators as they ran."""

    def __init__(self, trace: Trace) -> None:
        self.values: dict[str, Numbers] = {}
        self.written: dict[str, NDArray[np.bool_]] = {}
        self.log: list[str] = []
        carried = {carry.state.name for carry in all_carries(trace.items)}
        for tensor in trace.tensors:
            # what is there beforehand depends on the name alone, so that schedules agree on it
            numbers = np.arange(tensor.elements, dtype=np.int64) * 7919 + code(tensor.name)
            self.values[tensor.name] = numbers**2 % PRIME
            there = tensor.role not in ("activation", "output") and tensor.name not in carried
            self.written[tensor.name] = np.full(tensor.elements, there)
        self.items(trace.items, ())

    def items(self, items: Iterable[Item], steps: tuple[int, ...]) -> None:
        for item in items:
            if isinstance(item, Op):
                self.log.append(item.name)
                self.op(item, steps)
            elif isinstance(item, Region):
                self.region(item, steps)
            else:
                self.items(item.likelier, steps)

    def region(self, region: Region, steps: tuple[int, ...]) -> None:
        self.hand_over([(carry.initial, carry.state) for carry in region.carries])
        for step in range(region.steps):
            self.items(region.body, (*steps, step))
            if step < region.steps - 1:
                self.hand_over([(carry.update, carry.state) for carry in region.carries])

    def hand_over(self, pairs: Sequence[tuple[Tensor | None, Tensor]]) -> None:
        ready = [
            self.whole(source) if source else np.zeros(target.elements, dtype=np.int64)
            for source, target in pairs
        ]
        for (_, target), numbers in zip(pairs, ready, strict=True):
            self.values[target.name][:] = numbers
            self.written[target.name][:] = True

    def whole(self, tensor: Tensor) -> Numbers:
        return self.read(tensor.access(), ()).flatten()

    def where(self, access: Access, steps: tuple[int, ...]) -> Numbers:
        place = access.offset + sum(a * s for a, s in zip(access.advance, steps, strict=False))
        found = np.full(access.shape, place, dtype=np.int64)
        for axis, (extent, stride) in enumerate(zip(access.shape, access.strides, strict=True)):
            shape = [1] * len(access.shape)
            shape[axis] = extent
            found += (np.arange(extent) * stride).reshape(shape)
        return found

    def read(self, access: Access, steps: tuple[int, ...]) -> Numbers:
        where = self.where(access, steps)
        if not self.written[access.tensor.name][where].all():
            raise UnwrittenError(f"{access.tensor.name} at step {steps}")
        return self.values[access.tensor.name][where]

    def write(self, access: Access, steps: tuple[int, ...], numbers: Numbers) -> None:
        where = self.where(access, steps)
        self.values[access.tensor.name][where] = numbers % PRIME
        self.written[access.tensor.name][where] = True

    def op(self, op: Op, steps: tuple[int, ...]) -> None:
        inputs = [self.read(access, steps) for access in op.inputs]
        if op.nest:
            results = [_nested(op, inputs)]
        elif op.kind == "move":
            results = _moved(op, inputs)
        elif op.kind == "gather":
            table = self.values[op.inputs[0].tensor.name].reshape(-1, op.outputs[0].shape[-1])
            results = [table[inputs[1] % len(table)]]
        else:
            results = [_rowwise(op, inputs, n) for n in range(len(op.outputs))]
        for access, result in zip(op.outputs, results, strict=True):
            self.write(access, steps, result.reshape(access.shape))


def _applied(functions: Sequence[str], value: Numbers, others: Sequence[Numbers]) -> Numbers:
    """Functions in order; those of two operands take the next one, what is left over is mixed."""
    waiting = list(others)
    for name in functions:
        if name in ("add", "sub", "mul") and waiting:
            other = waiting.pop(0)
            value = value * other if name == "mul" else value + other
        else:
            value = value * value + code(name)
        value = value % PRIME
    for other in waiting:
        value = (value * 31 + other) % PRIME
    return value


def _nested(op: Op, inputs: Sequence[Numbers]) -> Numbers:
    nest = op.loops
    grid = np.indices(nest.extents)

    def over(axes: Sequence[Axis], operand: Numbers) -> Numbers:
        places = [
            sum((c * grid[dim] for dim, c in axis.terms), np.int64(axis.offset)) for axis in axes
        ]
        taken: Numbers = operand[tuple(np.broadcast_to(place, grid.shape[1:]) for place in places)]
        return taken

    factors = [over(nest.operands[n], inputs[n]) for n in range(min(2, len(inputs)))]
    inner = tuple(n for n in range(len(nest.dims)) if n not in nest.uses(len(inputs)))
    products = factors[0] * factors[1] if len(factors) == 2 else factors[0]
    total = products.sum(axis=inner, keepdims=True) % PRIME
    first = tuple(slice(0, 1) if n in inner else slice(None) for n in range(len(nest.dims)))
    extras = [over(nest.operands[n], inputs[n])[first] for n in range(2, len(inputs))]
    value = _applied(op.functions, total, extras)
    result = np.zeros(op.outputs[0].shape, dtype=np.int64)
    target = [
        sum((c * grid[dim][first] for dim, c in axis.terms), np.int64(axis.offset))
        for axis in nest.operands[len(inputs)]
    ]
    result[tuple(np.broadcast_to(place, value.shape) for place in target)] = value
    return result


def _moved(op: Op, inputs: Sequence[Numbers]) -> list[Numbers]:
    if not inputs:
        return [np.zeros(access.shape, dtype=np.int64) for access in op.outputs]
    if len(inputs) == 1:
        # one source may land in several places
        return [inputs[0].reshape(access.shape) for access in op.outputs]
    if len(inputs) == len(op.outputs):
        return list(inputs)
    shape = op.outputs[0].shape
    for axis in range(len(shape)):
        if len(inputs[0].shape) < len(shape):
            return [np.stack(inputs, axis=shape.index(len(inputs)))]
        if sum(part.shape[axis] for part in inputs) == shape[axis]:
            return [np.concatenate(inputs, axis=axis)]
    raise AssertionError(f"{op.name}: no concatenation")


def _rowwise(op: Op, inputs: Sequence[Numbers], number: int) -> Numbers:
    shape = op.outputs[number].shape
    if op.kind == "reduce":
        rows = inputs[0].reshape(-1, inputs[0].size // op.outputs[number].elements)
        sums: Numbers = rows.sum(axis=1) % PRIME
        return sums.reshape(shape)
    if op.kind in ("normalize", "softmax"):
        width = op.attribute("width", shape[-1])
        assert isinstance(width, int)
        rows = inputs[0].reshape(-1, width)
        total = rows.sum(axis=1, keepdims=True) % PRIME
        inputs = [(rows * total % PRIME + 5 * rows).reshape(inputs[0].shape), *inputs[1:]]
    fitted = [_fitted(value, shape) for value in inputs]
    return _applied(op.functions, fitted[0] + number, fitted[1:])


def _fitted(value: Numbers, shape: tuple[int, ...]) -> Numbers:
    """Broadcast to the shape; where the last axis holds several gates, those are mixed first."""
    if value.shape and shape and value.shape[-1] > shape[-1]:
        gates = value.reshape(*value.shape[:-1], -1, shape[-1])
        weights = np.arange(1, gates.shape[-2] + 1)[:, None]
        value = (gates * weights).sum(axis=-2) % PRIME
    return np.broadcast_to(value, shape)


def results(trace: Trace) -> dict[str, list[int]]:
    """Final content of what outlives a run: outputs, standing state, and what nobody reads."""
    machine = Machine(trace)
    ops = [op for op, _ in trace.ops()]
    read = {access.tensor.name for op in ops for access in op.inputs}
    read |= {c.state.name for c in all_carries(trace.items)}
    read |= {c.initial.name for c in all_carries(trace.items) if c.initial}
    read |= {c.update.name for c in all_carries(trace.items)}
    made = {access.tensor.name: access.tensor for op in ops for access in op.outputs}
    carried = {c.state.name for c in all_carries(trace.items)}
    return {
        name: machine.values[name].tolist()
        for name, tensor in made.items()
        if tensor.role == "output"
        or (tensor.role == "state" and name not in carried)
        or name not in read
    }


def order(trace: Trace) -> list[str]:
    """Names of the operators as they run, step by step."""
    return Machine(trace).log


# -- the interpreter itself -----------------------------------------------------------------------

INT8 = DType.parse("int8")


def step(*, slot: int = 4, late: bool = False) -> Trace:
    """``h = h u + x_t`` over 3 steps from zero; every h is kept ``slot`` elements further."""
    x, u = Tensor("x", (3, 4), INT8, "input"), Tensor("u", (4, 4), INT8, "weight")
    state, update = Tensor("h", (1, 4), INT8, "state"), Tensor("next", (1, 4), INT8, "activation")
    out = Tensor("out", (3, 4), INT8, "output")
    row = Access(x, (1, 4), (4, 1), advance=(4,))
    kept = Access(out, (1, 4), (4, 1), advance=(slot,))
    nest = matmul_nest(1, 1, 4, 4, ["mn"])
    cell = Op(
        "cell",
        "contraction",
        (state.access(), u.access(), row),
        (update.access(),),
        nest,
        ("add",),
    )
    keep = Op("keep", "move", (update.access(),), (kept,))
    body = (keep, cell) if late else (cell, keep)
    region = Region("loop", 3, body, (Carry(state, update),))
    return Trace("step", (region,), (x, u, state, update, out))


def test_a_loop_computes_what_numpy_computes() -> None:
    trace = step()
    machine = Machine(trace)
    x, u = (machine.values[name].reshape(-1, 4) for name in ("x", "u"))
    h, rows = np.zeros((1, 4), dtype=np.int64), []
    for t in range(3):
        h = (h @ u + x[t]) % PRIME
        rows.append(h[0].tolist())
    assert results(trace) == {"out": [number for row in rows for number in row]}


def test_operators_are_logged_as_they_run() -> None:
    assert order(step()) == ["cell", "keep"] * 3


def test_a_result_in_the_wrong_place_is_another_result() -> None:
    assert results(step(slot=4)) != results(step(slot=0))


def test_reading_before_the_write_fails() -> None:
    with pytest.raises(UnwrittenError, match="next at step"):
        results(step(late=True))


def test_a_state_of_another_step_is_another_result() -> None:
    trace = step()
    region = trace.regions[0]
    (carry,) = region.carries
    started = replace(carry, initial=Tensor("u0", (1, 4), INT8, "input"))
    other = trace.replace(
        items=(replace(region, carries=(started,)),), tensors=(*trace.tensors, started.initial)
    )
    assert results(other).keys() == results(trace).keys()
    assert results(other) != results(trace)


def test_rows_of_a_product_are_independent_of_each_other() -> None:
    x, w = Tensor("x", (4, 3), INT8, "input"), Tensor("w", (3, 2), INT8, "weight")
    out = Tensor("out", (4, 2), INT8, "output")
    whole = Op(
        "op", "contraction", (x.access(), w.access()), (out.access(),), matmul_nest(1, 4, 2, 3)
    )
    halves = tuple(
        replace(
            whole,
            name=f"half{n}",
            inputs=(Access(x, (2, 3), (3, 1), 6 * n), w.access()),
            outputs=(Access(out, (2, 2), (2, 1), 4 * n),),
            nest=matmul_nest(1, 2, 2, 3),
        )
        for n in range(2)
    )
    tensors = (x, w, out)
    assert results(Trace("one", (whole,), tensors)) == results(Trace("two", halves, tensors))


def test_a_sum_may_be_taken_in_any_order() -> None:
    tensors = tuple(Tensor(name, (4,), INT8, "input") for name in "abc")
    out = Tensor("out", (4,), INT8, "output")
    a, b, c = (tensor.access() for tensor in tensors)
    both = [
        Trace(
            "sum",
            (Op("op", "elementwise", inputs, (out.access(),), functions=("add", "add")),),
            (*tensors, out),
        )
        for inputs in ((a, b, c), (c, a, b))
    ]
    assert results(both[0]) == results(both[1])
