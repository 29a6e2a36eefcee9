"""The kind ``cim_nvm_buffered``: macros of non-volatile cells with small buffers of their own."""

from __future__ import annotations

from typing import Any

import pytest
from codesign_plugins.cim.nvm import CimNvm
from codesign_plugins.cim.nvm_buffered_engine import CimNvmBuffered
from codesign_plugins.cim.nvm_designs import mnsim_rram
from nvm_arrays import ARRAY, BUFFERS, ENERGIES, STEP, WRITING, joules

from codesign import Trace, simulate
from codesign.errors import HardwareError
from codesign.hardware.spec import load_hardware
from codesign.testing import matmul

FIELDS: dict[str, Any] = {
    "name": "cim",
    "buffer": "sram",
    "rows": 128,
    "columns": 32,
    "bits_per_cell": 2,
    "adc_bits": 9,
    "columns_per_adc": 8,
    "rows_read": 64,
    "dac_time": STEP.dac_s,
    "adc_time": STEP.adc_s,
    "digital_time": STEP.digital_s,
    "dac_energy": ENERGIES.dac_j,
    "cell_energy": ENERGIES.cell_j,
    "adc_energy": ENERGIES.adc_j,
    "register_energy": ENERGIES.register_j,
    "shift_energy": ENERGIES.shift_j,
    "join_energy": ENERGIES.join_j,
    "write_time": WRITING.row_s,
    "write_pulses": WRITING.pulses,
    "write_energy": WRITING.cell_j,
}
WORDS: dict[str, Any] = {
    "buffer_read_energy": BUFFERS.read_j,
    "buffer_write_energy": BUFFERS.write_j,
    "buffer_time": BUFFERS.word_s,
}


def engine(**changes: Any) -> CimNvmBuffered:
    """One macro with the buffers of the tests, with other fields."""
    return CimNvmBuffered(**(FIELDS | WORDS | changes))


def test_its_buffers_are_those_of_its_fields() -> None:
    assert engine().physics.buffers == BUFFERS
    changed = engine(
        input_buffers=8,
        output_buffers=2,
        buffer_word=32,
        input_reuse=9,
        buffers_powered_together=True,
    ).physics.buffers
    assert changed is not None
    fields = ("inputs", "outputs", "word_bits", "reuse", "is_powered_together")
    assert [getattr(changed, field) for field in fields] == [8, 2, 32, 9, True]


def test_but_for_the_buffers_it_is_the_macro_without_them() -> None:
    plain = CimNvm(**FIELDS)
    assert plain.physics.buffers is None
    assert plain.buffers is None
    prices, counts = plain.physics.prices(), plain.physics.counts(100, 20, 8, 8)
    ours, found = engine().physics.prices(), engine().physics.counts(100, 20, 8, 8)
    assert {name: ours[name] for name in prices} == prices
    assert {name: found[name] for name in counts} == counts
    assert set(found) - set(counts) == {"buffer read", "buffer write"}


def test_a_product_waits_for_the_words_of_its_buffers() -> None:
    plain, ours = CimNvm(**FIELDS).physics, engine().physics
    steps = plain.passes(8)
    # 128 inputs and 128 sums of eleven bits in words of 64 bits, each once in and once out
    words = 2 * 128 * 8 / 64 + 2 * 128 * 11 / 64
    assert ours.passes(8) == steps
    beside = steps * (float(ours.clock_s) - float(plain.clock_s))
    assert beside == pytest.approx(words * BUFFERS.word_s, rel=1e-9)


def test_a_product_pays_for_the_words_of_its_buffers() -> None:
    plain, ours = CimNvm(**FIELDS).physics, engine().physics
    words = 128 * 8 / 64 + 128 * 11 / 64
    beside = joules(ours, 128, 32, 8, 8) - joules(plain, 128, 32, 8, 8)
    assert beside == pytest.approx(words * (BUFFERS.read_j + BUFFERS.write_j), rel=1e-9)


def test_the_array_of_the_tests_is_the_same_with_areas() -> None:
    areas = ARRAY.areas
    with_areas = engine(
        cell_area=areas.cell_m2,
        row_area=areas.row_m2,
        dac_area=areas.dac_m2,
        adc_area=areas.adc_m2,
    )
    wanted = ARRAY.area() | {"digital": 0.0}
    assert with_areas.physics.area() == wanted
    assert not any(engine().physics.area().values())


def test_its_actions_can_be_charged() -> None:
    table = engine().energies_j()
    assert table["buffer read"] == BUFFERS.read_j
    assert table["buffer write"] == BUFFERS.write_j


def test_a_run_counts_the_words_of_every_product() -> None:
    op = matmul(5, 256, 256, dtype="int9", weight_dtype="int8")
    trace = Trace("one", (op,), tuple(access.tensor for access in op.operands))
    result = simulate(trace, "mnsim-like", dtype="native")
    per_product = mnsim_rram().counts(256, 256, 9, 8)
    ledger = result.ledger
    for action in ("buffer read", "buffer write", "adc"):
        (count,) = ledger.count[(ledger.component == "cim") & (ledger.action == action)]
        assert count == 5 * per_product[action]


def test_the_buffer_that_engines_share_is_paid_beside_them() -> None:
    machine = load_hardware("mnsim-like")
    op = matmul(5, 256, 256, dtype="int8")
    trace = Trace("one", (op,), tuple(access.tensor for access in op.operands))
    shared = simulate(trace, machine).energy_by_component_j["sram"]
    free = {"cim.buffer_read_energy": 0.0, "cim.buffer_write_energy": 0.0}
    assert simulate(trace, machine.with_all(free)).energy_by_component_j["sram"] == shared > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cim.input_buffers": 0}, "cim.input_buffers must be >= 1, got 0; raise it"),
        ({"cim.buffer_word": 0}, "cim.buffer_word must be >= 1, got 0; raise it"),
        ({"cim.input_reuse": 0.5}, "cim.input_reuse must be >= 1.0, got 0.5; raise it"),
        ({"cim.buffer_time": "1 pJ"}, "cim.buffer_time: expected a unit of s, got '1 pJ'"),
    ],
)
def test_buffers_that_cannot_be_are_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(HardwareError) as caught:
        load_hardware("mnsim-like").with_all(changes)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
