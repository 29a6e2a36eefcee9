"""The engine next to the banks: what it takes, its plans, its energies, its mistakes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pydantic
import pytest
from codesign_plugins.pim import PimNearBank
from codesign_plugins.pim.places import FINE_GRAINED, energy_at
from codesign_plugins.pim.programs import elementwise_cost, product_cost
from codesign_plugins.pim.units import Product, mean_clocks
from hypothesis import given
from hypothesis import strategies as st
from pim_cases import (
    DEVICE,
    FILE,
    QUIET,
    aim,
    counts_of,
    energy_of,
    file_of,
    near_bank,
    planned,
    there,
    with_role,
)

from codesign import Budget, Op
from codesign.errors import HardwareError, MappingError
from codesign.hardware.dram_file import load_device_file
from codesign.testing import check_engine, convolution, elementwise, matmul, softmax

PIM = near_bank()
GEMV = matmul(1, 1024, 4096, dtype="fp16")


def test_it_keeps_every_promise_of_an_engine() -> None:
    check_engine(near_bank(channels=4))


def test_it_keeps_them_with_refreshes_too() -> None:
    check_engine(near_bank(device=FILE, channels=64))


# -- what it takes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["weight", "constant", "state"])
def test_it_takes_products_with_a_stored_factor(role: str) -> None:
    assert PIM.supports(with_role(GEMV, role)) is None


REFUSED = (
    (with_role(GEMV, "activation"), "a product of two activations has no operand in the banks"),
    (matmul(1, 64, 64), r"multiplies fp16\*fp16, not int8\*int8; add its energy to mac_energy"),
    (convolution(4, 8, 9, 3, dtype="fp16"), "takes matrix-vector products, and no window"),
    (softmax(4, 16, dtype="fp16"), "takes products with stored weights and elementwise work, not"),
    (elementwise((64,), ("add", "relu"), 2, "fp16"), "does one of add, mul, relu at a time"),
    (elementwise((64,), ("tanh",), 1, "fp16"), "does one of add, mul, relu at a time, not tanh"),
    (elementwise((64,), ("add",), 3, "fp16"), "as many as the function has operands"),
    (elementwise((64,), ("add",), 2, "int8"), "works on fp16, not int8; add it to element_energy"),
)


@pytest.mark.parametrize(("op", "reason"), REFUSED)
def test_it_says_why_it_takes_nothing_else(op: Op, reason: str) -> None:
    answer = PIM.supports(op)
    assert answer is not None
    assert reason.replace("\\", "") in answer
    assert "\n" not in answer


def test_functions_behind_a_product_are_those_of_the_host() -> None:
    biased = matmul(1, 64, 64, bias=True, dtype="fp16")
    assert PIM.supports(biased) is None
    answer = near_bank(host_functions=()).supports(biased)
    assert answer == "leaves add behind a product to no one; name it in host_functions"


@pytest.mark.parametrize("name", ["add", "mul"])
def test_it_takes_sums_and_products_element_by_element(name: str) -> None:
    assert PIM.supports(elementwise((64, 3), (name,), 2, "fp16")) is None


def test_it_takes_relu_of_one_tensor() -> None:
    assert PIM.supports(elementwise((64, 3), ("relu",), 1, "fp16")) is None


def test_without_an_energy_for_elements_it_takes_none() -> None:
    answer = near_bank(element_energy={}).supports(elementwise((64,), ("add",), 2, "fp16"))
    assert answer == "takes products with stored weights, not elementwise"


# -- where operands lie ----------------------------------------------------------------------------


def test_weights_are_used_where_they_lie_and_vectors_come_through_the_buffer() -> None:
    assert [PIM.stage(GEMV, operand) for operand in range(3)] == ["sram", "dram", "sram"]
    add = elementwise((64,), ("add",), 2, "fp16")
    assert {PIM.stage(add, operand) for operand in range(3)} == {"dram"}


def test_it_has_its_memory_for_itself_while_it_computes() -> None:
    assert PIM.occupies == ("dram",)


def test_weights_that_lie_elsewhere_are_brought_once() -> None:
    budget = replace(there(GEMV), resident=(True, False, True))
    plan = PIM.plan(GEMV, budget)
    assert plan.loaded == {1: 1024 * 4096 * 2}
    assert plan.cycles == planned(PIM, GEMV).cycles
    assert plan.first.loads[0].operand == 1


def test_vectors_are_loaded_and_results_stored_once() -> None:
    op = matmul(6, 256, 512, dtype="fp16")
    plan = PIM.plan(op, replace(there(op), resident=(False, True, False)))
    assert plan.loaded == {0: 6 * 256 * 2}
    assert plan.stored == {2: 6 * 512 * 2}


def test_a_vector_that_does_not_fit_the_buffer_twice_is_one_line() -> None:
    with pytest.raises(MappingError, match=r"one piece takes .* enlarge the buffer$"):
        PIM.plan(GEMV, Budget(4096, 1e9, 1e9, resident=(False, True, False)))


# -- time ------------------------------------------------------------------------------------------


@given(st.integers(1, 40), st.integers(1, 700), st.integers(1, 5000))
def test_a_plan_is_its_two_ends_and_its_vectors(batch: int, inputs: int, outputs: int) -> None:
    op = matmul(batch, inputs, outputs, dtype="fp16")
    cost = product_cost(PIM.units, Product(outputs=outputs, inputs=inputs, bits=16))
    expected = cost.enter + batch * (cost.each + cost.result) + cost.leave
    assert planned(PIM, op).cycles == expected


def test_groups_are_products_of_their_own() -> None:
    one, three = (matmul(2, 64, 80, batch=b, dtype="fp16") for b in (1, 3))
    cost = PIM.cost(three)
    assert cost == PIM.cost(one)
    assert planned(PIM, three).cycles == cost.enter + 6 * (cost.each + cost.result) + cost.leave


def test_reading_the_accumulators_takes_time_unless_it_is_left_to_others() -> None:
    bare = near_bank(result_reads=False)
    assert planned(PIM, GEMV).cycles - planned(bare, GEMV).cycles == 128
    assert energy_of(PIM, planned(PIM, GEMV)) == energy_of(bare, planned(bare, GEMV))


def test_refreshes_take_trfc_of_every_trefi() -> None:
    refreshed = near_bank(device=FILE)
    quiet, slow = planned(PIM, GEMV), planned(refreshed, GEMV)
    share = DEVICE.timings.trfc / DEVICE.timings.trefi
    assert slow.cycles == pytest.approx(quiet.cycles / (1 - share), abs=slow.tiles)


def test_sums_take_whole_pieces() -> None:
    piece = 16 * 8 * 16 * 64
    cost = elementwise_cost(PIM.units, 2, 16)
    for size, pieces in ((1, 1), (piece, 1), (piece + 1, 2), (4 * piece, 4)):
        plan = planned(PIM, elementwise((size,), ("add",), 2, "fp16"))
        assert plan.cycles == cost.enter + pieces * cost.each + cost.leave


def test_its_clock_is_that_of_the_commands() -> None:
    assert PIM.clock == 1e9
    slow = near_bank(device=file_of(replace(QUIET, timings=replace(QUIET.timings, tck_ps=1250))))
    assert planned(slow, GEMV).clock_hz == 8e8


def test_fewer_channels_are_slower() -> None:
    few = near_bank(channels=0)
    assert few.units.channels == DEVICE.organisation.channels == 16
    assert planned(few, GEMV).cycles > 3 * planned(PIM, GEMV).cycles


# -- energy and slots ------------------------------------------------------------------------------


def test_weights_cost_what_a_byte_costs_at_the_bank() -> None:
    """Whole rows: 4.40 pJ a byte, and nothing else grows with them but registers and lanes."""
    plans = [planned(PIM, matmul(1, inputs, 4096, dtype="fp16")) for inputs in (256, 512)]
    more = {
        action: counts_of(plans[1])[action] - counts_of(plans[0]).get(action, 0)
        for action in counts_of(plans[1])
    }
    weights = 256 * 4096 * 2
    cells = sum(PIM.energy_j(name, more[name]) for name in ("activate", "bank byte"))
    assert cells == pytest.approx(weights * 4.4e-12, rel=1e-9)
    assert cells == pytest.approx(weights * energy_at("bank", FINE_GRAINED))
    registers = PIM.energy_j("host byte", more["host byte"])
    assert registers == pytest.approx(2 * 256 * 64 * (28.72e-12 - 4.4e-12))
    assert more["mac fp16*fp16"] == 256 * 4096
    assert more["host operation"] == 0


def test_energy_is_the_sum_of_its_components() -> None:
    plan = planned(PIM, GEMV)
    parts = {action: PIM.energy_j(action, count) for action, count in counts_of(plan).items()}
    assert set(parts) == {"activate", "bank byte", "host byte", "mac fp16*fp16", "host operation"}
    assert energy_of(PIM, plan) == pytest.approx(sum(parts.values()), rel=1e-12)
    assert min(parts.values()) > 0


def test_energy_is_linear_in_the_batch() -> None:
    one, five = (planned(PIM, matmul(b, 300, 70, dtype="fp16")) for b in (1, 5))
    assert energy_of(PIM, five) == pytest.approx(5 * energy_of(PIM, one))


def test_idle_lanes_are_counted_and_paid_for() -> None:
    full, quarter = (planned(PIM, matmul(1, 1024, n, dtype="fp16")) for n in (4096, 1024))
    assert dict(full.slots) == {"effective": 4096 * 1024}
    assert dict(quarter.slots) == {"effective": 1024 * 1024, "idle lanes": 3 * 1024 * 1024}
    assert counts_of(full)["mac fp16*fp16"] == counts_of(quarter)["mac fp16*fp16"]


def test_the_host_adds_up_the_lanes_of_every_result() -> None:
    op = matmul(2, 64, 10, bias=True, dtype="fp16")
    assert counts_of(planned(PIM, op))["host operation"] == 2 * 10 * (15 + 1)


def test_vectors_are_read_from_the_buffer_and_results_written_to_it() -> None:
    charged = {(who, action): n for who, action, n in planned(PIM, GEMV).actions if who}
    assert charged == {("buffer", "read"): 2 * 1024, ("buffer", "write"): 2 * 4096}


def test_sums_charge_the_banks_for_every_register() -> None:
    size = 16 * 8 * 16 * 64
    counts = counts_of(planned(PIM, elementwise((size,), ("add",), 2, "fp16")))
    assert counts == {
        "activate": 3 * 16 * 64,
        "bank byte": 3 * size * 2,
        "element fp16": size,
    }


# -- words -----------------------------------------------------------------------------------------


def test_results_say_the_layout_and_what_it_competes_with() -> None:
    error, layout, baseline = PIM.notes
    assert "within 1 % of PIMSimulator" in error
    assert "tile by tile in dram" in layout
    assert "not charged" in layout
    assert "at most 1024 GB/s of dram" in baseline


def test_the_other_program_says_what_it_is_compared_with() -> None:
    assert "compared with nothing; their serial form is PIMeval's" in aim().notes[0]


@pytest.mark.parametrize(("name", "blocks"), [("lpddr5-6400", 8), ("ddr4-3200", 8), ("hbm3", 8)])
def test_it_works_with_the_timings_of_any_device(name: str, blocks: int) -> None:
    """A product is read faster in the banks than the peak of the channel lets a host read it."""
    file = load_device_file(name)
    engine = near_bank(device=file, channels=0, blocks=blocks)
    engine.check()
    plan = planned(engine, matmul(1, 4096, 4096, dtype="fp16"))
    host_s = 4096 * 4096 * 2 / file.device.peak_bytes_per_s
    assert host_s / 8 < plan.cycles / plan.clock_hz < host_s
    assert plan.clock_hz == pytest.approx(1e12 / file.device.timings.tck_ps)


def test_timings_say_where_they_are_from() -> None:
    rows = {row.field: row for row in PIM.origins}
    assert rows["device.timings.tccd_l"].value == "4"
    assert all(row.component == "pim" and row.source for row in rows.values())


MISTAKES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"blocks": 4}, r"pim.blocks times banks_per_block must be 16, .* got 4 x 2; correct one"),
    ({"buffer": "dram"}, r"pim.buffer must be a memory of the host, got 'dram'"),
    ({"mac_energy": {"fp15*fp16": 1e-13}}, r"pim.mac_energy\['fp15\*fp16'\] must be 2 format"),
    ({"mac_energy": {"fp16": 1e-13}}, r"pim.mac_energy\['fp16'\] must be 2 format\(s\)"),
    ({"mac_energy": {"int8*fp16": 1e-13}}, "of one width"),
    ({"mac_energy": {"int3*int3": 1e-13}}, "fills a column of 256 bits"),
    ({"element_energy": {"add fp16": 1e-13}}, r"pim.element_energy\['add fp16'\] must be 1 form"),
    ({"parts": {"tsv": 1e-12}}, "pim.parts must have every part, got none for 'cell_activate'"),
    ({"parts": {**FINE_GRAINED, "tvs": 1e-12}}, "no such part; did you mean 'tsv'?"),
    ({"program": "global_buffer"}, "element_energy must be empty"),
)


def test_a_device_that_does_nothing_but_refresh_is_one_line() -> None:
    always = replace(QUIET, timings=replace(QUIET.timings, trfc=3900))
    with pytest.raises(HardwareError, match=r"^pim.device must have time between its refreshes"):
        near_bank(device=file_of(always)).check()


@pytest.mark.parametrize(("fields", "message"), MISTAKES)
def test_fields_that_contradict_each_other_are_one_line(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(HardwareError, match=message) as caught:
        near_bank(**fields).check()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("field", ["input_registers", "output_registers", "blocks", "lanes"])
def test_none_of_them_is_refused(field: str) -> None:
    values = {"buffer": "sram", "memory": "dram", "device": FILE, "mac_energy": {}, field: 0}
    with pytest.raises(pydantic.ValidationError, match="greater than or equal to 1"):
        pydantic.TypeAdapter(PimNearBank).validate_python(values)


@pytest.mark.parametrize("device", ["hbm2-pin", 7])
def test_a_device_that_there_is_not_is_refused(device: object) -> None:
    values = {"buffer": "sram", "memory": "dram", "device": device, "mac_energy": {}}
    with pytest.raises(pydantic.ValidationError, match="DRAM device"):
        pydantic.TypeAdapter(PimNearBank).validate_python(values)


def test_a_pair_of_formats_without_an_energy_is_not_taken() -> None:
    op = matmul(1, 64, 64, dtype="fp16", weight_dtype="int8")
    assert "not fp16*int8" in str(PIM.supports(op))


def test_mean_refreshes_are_those_of_the_program() -> None:
    cost = PIM.cost(GEMV)
    refreshed = near_bank(device=FILE, result_reads=False)
    expected = [mean_clocks(part, DEVICE) for part in (cost.enter, cost.each, cost.leave)]
    assert planned(refreshed, GEMV).cycles == sum(expected)
