"""Plans of processors: tiles share the cycles of a kernel, and no byte passes a port unseen."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import MappingError
from codesign.hardware.plan import Budget, TilePlan
from codesign.mapping.processor import Kernel, plan_kernel
from codesign.testing import contractions, elementwise, every_operator, matmul, move, softmax
from codesign.workload.record import Op

FAST = 1e12
CLOCK = 1e9


def kernel(cycles: float = 1000.0, **fields: Any) -> Kernel:
    return Kernel(cycles, CLOCK, **fields)


def plan(op: Op, buffer: int = 1 << 20, port: float = math.inf, **fields: Any) -> TilePlan:
    return plan_kernel(op, Budget(buffer, FAST, FAST, port_bytes_per_s=port), kernel(**fields))


def resident(op: Op, port: float = math.inf, **fields: Any) -> TilePlan:
    """The plan with all operands in the buffer already."""
    where = (True,) * len(op.operands)
    budget = Budget(1 << 20, FAST, FAST, resident=where, port_bytes_per_s=port)
    return plan_kernel(op, budget, kernel(**fields))


def actions(found: TilePlan) -> Counter[tuple[str, str]]:
    return Counter({(component, action): n for component, action, n in found.actions})


@pytest.mark.parametrize("op", every_operator(), ids=lambda op: op.name)
@pytest.mark.parametrize("cycles", [0.25, 1000, 123_456.75])
def test_tiles_share_the_cycles_and_round_up_once_each(op: Op, cycles: float) -> None:
    for buffer in (4096, 1 << 20):
        found = plan(op, buffer, cycles=cycles)
        assert cycles <= found.cycles <= cycles + found.tiles
    if resident(op).tiles == 1:
        assert resident(op, cycles=cycles).cycles == math.ceil(cycles)


@given(st.integers(0, 900), st.integers(0, 900), st.sampled_from(every_operator()))
def test_head_and_tail_are_paid_once(head: int, tail: int, op: Op) -> None:
    bare, whole = plan(op, 4096), plan(op, 4096, head=head, tail=tail)
    assert whole.tiles == bare.tiles
    assert whole.cycles == bare.cycles + head + tail
    if whole.tiles > 1:
        assert whole.first.cycles == bare.first.cycles + head
        assert whole.last.cycles == bare.last.cycles + tail


@pytest.mark.parametrize("op", every_operator(), ids=lambda op: op.name)
def test_every_cycle_is_an_action_and_so_is_what_the_kernel_does(op: Op) -> None:
    found = plan(op, head=3, tail=4, actions={"mac": 7, "nothing": 0})
    counts = actions(found)
    assert counts["", "cycle"] == found.cycles
    assert counts["", "mac"] == 7
    assert ("", "nothing") not in counts


def test_a_port_holds_up_what_streams() -> None:
    op = elementwise((800,), inputs=2)
    assert resident(op, port=CLOCK / 2, cycles=10.0).cycles == 2400 * 2
    assert resident(op, port=CLOCK * 1e3, cycles=10.0).cycles == 10


def test_a_port_holds_up_a_product_and_the_slots_say_so() -> None:
    op = matmul(4, 32, 20, bias=True)
    touched = 4 * 32 * 20 + 4 * 32 * 20 + 20 + 80
    found = resident(op, port=CLOCK, cycles=100.0, peak=2.0)
    assert found.cycles == touched
    assert dict(found.slots)["buffer port"] == 2 * (touched - 100)


@pytest.mark.parametrize(
    ("block", "read"),
    [((1, 1), 5120), ((4, 1), 3200), ((1, 20), 128 + 2560), ((3, 7), 128 * 3 + 640 * 2)],
)
def test_a_block_of_registers_reads_each_factor_once(block: tuple[int, int], read: int) -> None:
    found = resident(matmul(4, 32, 20), block=block)
    assert actions(found)["buffer", "read"] == read
    assert actions(found)["buffer", "write"] == 80


def test_fused_operands_are_read_once_with_the_results() -> None:
    bare, biased = (actions(plan(matmul(6, 64, 33, bias=bias), 2048)) for bias in (False, True))
    assert biased["buffer", "write"] == bare["buffer", "write"] == 6 * 33
    assert biased["buffer", "read"] > bare["buffer", "read"]


def test_a_second_pass_reads_again_and_does_the_same_work() -> None:
    op = softmax(2, 1000)
    once, twice = plan(op, 1 << 20), plan(op, 3999)
    assert actions(once)["buffer", "read"] == 2000
    assert actions(twice)["buffer", "read"] == 4000
    assert 1000 <= twice.cycles <= 1000 + twice.tiles


@pytest.mark.parametrize("op", contractions(), ids=lambda op: op.name)
@pytest.mark.parametrize("port", [CLOCK, CLOCK * 64])
def test_every_slot_of_a_product_has_a_cause(op: Op, port: float) -> None:
    cycles = op.macs / 1.5
    found = plan(op, 4096, port, cycles=cycles, peak=4.0, head=5, tail=2)
    slots = dict(found.slots)
    assert slots["effective"] == op.macs
    assert slots["call"] == 28
    assert sum(slots.values()) == found.cycles * 4
    assert min(slots.values()) > 0


def test_what_streams_has_no_multiply_accumulate_slots() -> None:
    assert plan(move((64,))).slots == ()


def test_a_rate_that_is_no_power_of_two_does_not_round_up_what_is_whole() -> None:
    op = matmul(1, 3, 1)
    assert resident(op, cycles=3 / 0.3).cycles == 10


@pytest.mark.parametrize("op", [matmul(4, 4, 4), elementwise((4,)), softmax(2, 4)], ids=str)
def test_what_fits_nowhere_is_a_mapping_error(op: Op) -> None:
    with pytest.raises(MappingError, match="enlarge the buffer"):
        plan(op, 1)
