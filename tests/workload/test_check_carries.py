"""What a region hands from step to step must be of one size, and as the table has it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from codesign.errors import TraceError
from codesign.testing.passes import Sketch
from codesign.workload.check import check_trace
from codesign.workload.dtype import DType
from codesign.workload.record import Carry, Op, Region, Role, Tensor, Trace


def loop(state: Tensor, update: Tensor, initial: Tensor | None, tensors: list[Tensor]) -> Trace:
    """A region of three steps whose body makes the update of the state."""
    sketch = Sketch()
    sketch.map("tanh", sketch.tensor("h", (1, 7), "state"))
    (op,) = sketch.items
    assert isinstance(op, Op)
    body = (replace(op, outputs=(update.access(),)),)
    region = Region("loop", 3, body, (Carry(state, update, initial),))
    return Trace("t", (region,), tuple(tensors))


def named(name: str, *shape: int, role: Role = "activation") -> Tensor:
    return Tensor(name, shape, DType("fp", 32), role)


STATE, UPDATE = named("h", 1, 7, role="state"), named("h.next", 1, 7)


def test_state_update_and_initial_value_of_one_size_are_a_carry() -> None:
    first = named("first", 7, role="constant")
    check_trace(loop(STATE, UPDATE, first, [STATE, UPDATE, first]))
    check_trace(loop(STATE, UPDATE, None, [STATE, UPDATE]))


@pytest.mark.parametrize(
    ("what", "state", "update", "initial"),
    [
        ("update", STATE, named("h.next", 1, 5), None),
        ("initial", STATE, UPDATE, named("first", 1, 5, role="constant")),
    ],
)
def test_a_carry_that_changes_its_size_is_refused(
    what: str, state: Tensor, update: Tensor, initial: Tensor | None
) -> None:
    tensors = [state, update, *([initial] if initial else [])]
    with pytest.raises(
        TraceError, match=rf"items\[0\]\.carries\[0\]\.{what}: .* the 7 elements of"
    ):
        check_trace(loop(state, update, initial, tensors))


def test_a_carry_of_another_shape_than_the_table_gives_is_refused() -> None:
    with pytest.raises(TraceError, match=r"carries\[0\]\.state: 'h' \[1, 7\] must have the shape "):
        check_trace(loop(STATE, UPDATE, None, [replace(STATE, shape=(7, 1)), UPDATE]))
