"""Processors in DIMMs: rates of memory and instructions, and copies to every unit."""

from __future__ import annotations

import math
from typing import Any

import pytest
from codesign_plugins.pim import PimUpmem
from hypothesis import given
from hypothesis import strategies as st
from pim_cases import counts_of, energy_of, planned, upmem, with_role

from codesign import Budget
from codesign.errors import HardwareError, MappingError
from codesign.testing import check_engine, convolution, elementwise, gather, matmul

PIM = upmem()


def cycles(engine: PimUpmem, batch: int, inputs: int, outputs: int) -> int:
    found: int = planned(engine, matmul(batch, inputs, outputs)).cycles
    return found


def rate_model(engine: PimUpmem, size: float, instructions: float) -> int:
    seconds = size / engine.memory_bandwidth
    issue = min(1, engine.tasklets / engine.full_tasklets)
    return math.ceil(float(seconds * engine.clock + instructions / issue) - 1e-9)


def test_it_keeps_every_promise_of_an_engine() -> None:
    check_engine(PIM)


@given(st.integers(1, 9), st.integers(1, 300), st.integers(1, 90))
def test_a_product_takes_the_bytes_and_instructions_of_the_fullest_unit(
    batch: int, inputs: int, outputs: int
) -> None:
    share = -(-outputs // PIM.units)
    size = batch * (share * (inputs + 1) + inputs)
    assert cycles(PIM, batch, inputs, outputs) == rate_model(PIM, size, batch * share * inputs * 8)


@pytest.mark.parametrize(("tasklets", "share"), [(1, 1 / 11), (5, 5 / 11), (11, 1), (24, 1)])
def test_it_takes_eleven_threads_to_issue_in_every_cycle(tasklets: int, share: float) -> None:
    engine = upmem(tasklets=tasklets, memory_bandwidth=1e15)
    assert cycles(engine, 1, 1000, 8) == pytest.approx(8000 / share, rel=1e-3)


def test_a_memory_of_628_mb_a_second_bounds_what_takes_few_instructions() -> None:
    engine = upmem(mac_instructions={"int8*int8": 1e-6})
    seconds = cycles(engine, 1, 100_000, 8) / engine.clock
    assert seconds == pytest.approx(200_000 / 628e6, rel=1e-3)


def test_units_share_the_outputs_and_the_fullest_one_sets_the_time() -> None:
    assert cycles(PIM, 1, 64, 8) == cycles(PIM, 1, 64, 1)
    assert cycles(PIM, 1, 64, 9) == cycles(PIM, 1, 64, 16) > cycles(PIM, 1, 64, 8)
    assert cycles(upmem(units=16), 1, 64, 16) == cycles(PIM, 1, 64, 8)


def test_inputs_are_copied_to_every_unit_and_results_leave_once() -> None:
    op = matmul(3, 64, 32)
    plan = PIM.plan(op, Budget(1 << 20, 1e9, 1e9))
    assert plan.loaded == {0: 3 * 64 * 8, 1: 64 * 32}
    assert plan.stored == {2: 3 * 32}
    assert plan.note == "inputs are copied to each of 8 units"


def test_weights_that_are_kept_are_not_copied() -> None:
    plan = PIM.plan(matmul(1, 64, 32), Budget(1 << 20, 1e9, 1e9, resident=(False, True, False)))
    assert plan.loaded == {0: 64 * 8}


def test_copies_that_do_not_fit_are_one_line() -> None:
    with pytest.raises(MappingError, match=r"copy of its inputs for each of 8 units .* enlarge"):
        PIM.plan(matmul(1, 64, 32), Budget(2000, 1e9, 1e9))


def test_functions_of_elements_take_their_instructions() -> None:
    add, both = (elementwise((80,), names, 2) for names in (("add",), ("add", "mul")))
    free = upmem(memory_bandwidth=1e15)
    assert planned(free, add).cycles == pytest.approx(10 * 6, abs=1)
    assert planned(free, both).cycles == pytest.approx(10 * 16, abs=1)


def test_functions_behind_a_product_are_run_on_every_result() -> None:
    free = upmem(memory_bandwidth=1e15)
    bare, biased = (planned(free, matmul(1, 64, 8, bias=bias)) for bias in (False, True))
    assert biased.cycles - bare.cycles == 6


def test_energy_is_that_of_instructions_and_bytes() -> None:
    plan = planned(PIM, matmul(2, 64, 16))
    counts = counts_of(plan)
    assert counts == {"instruction": 2 * 64 * 16 * 8, "byte": 2 * (2 * 65 + 64) * 8}
    prices = PIM.energies_j()
    expected = sum(prices[action] * count for action, count in counts.items())
    assert energy_of(PIM, plan) == pytest.approx(expected)


@given(st.integers(1, 12), st.integers(1, 200))
def test_time_is_linear_in_the_batch(batch: int, inputs: int) -> None:
    one, many = (cycles(PIM, count, inputs, 24) for count in (1, batch))
    assert abs(many - batch * one) <= batch


REFUSED = (
    (matmul(1, 8, 8, dtype="fp16"), "multiplies int8*int8, not fp16*fp16"),
    (with_role(matmul(1, 8, 8), "activation"), "a product of two activations has no operand"),
    (convolution(4, 8, 9, 3), "no window that slides"),
    (elementwise((8,), ("gelu",)), "add gelu int8 to element_instructions"),
    (gather(8, 4, 4), "takes products with stored weights and elementwise work, not gather"),
)


@pytest.mark.parametrize(("op", "reason"), REFUSED)
def test_it_says_why_it_takes_nothing_else(op: Any, reason: str) -> None:
    assert reason in str(PIM.supports(op))


MISTAKES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"mac_instructions": {"int8": 8}}, r"pim.mac_instructions\['int8'\] must name 2 number form"),
    ({"mac_instructions": {"int8*in8": 8}}, "must name 2 number format"),
    ({"element_instructions": {"add": 8}}, r"must name 1 number format\(s\), as in 'add int32'"),
)


@pytest.mark.parametrize(("fields", "message"), MISTAKES)
def test_entries_without_a_format_are_one_line(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(HardwareError, match=message):
        upmem(**fields).check()


def test_results_say_how_far_such_a_model_is_off() -> None:
    assert "27 % for many" in PIM.notes[0]
