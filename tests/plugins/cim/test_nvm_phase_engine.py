"""The kind ``cim_nvm_phases``: the core of NeuRRAM as an engine."""

from __future__ import annotations

from typing import Any

import pytest
from codesign_plugins.cim.nvm_designs import neurram_core
from codesign_plugins.cim.nvm_phase_engine import CimNvmPhases

from codesign.errors import HardwareError
from codesign.testing import matmul

CORE = neurram_core(2)


def engine(**changes: Any) -> CimNvmPhases:
    """48 cores of the design, with other fields."""
    fields: dict[str, Any] = {
        "name": "cim",
        "buffer": "sram",
        "rows": 128,
        "columns": 256,
        "macros": 48,
        "weight_bits": 4,
        "activation_bits": 8,
        "phases": 2,
        "clock": 50e6,
        "pulse_cycles": 16,
        "step_cycles": 10,
        "phase_cycles": 30,
        "word_line_energy": CORE.energies.word_line_j,
        "set_up_energy": CORE.energies.set_up_j,
        "pulse_energy": CORE.energies.pulse_j,
        "integration_energy": CORE.energies.integration_j,
        "step_energy": CORE.energies.step_j,
        "write_time": 1e-6,
        "write_pulses": 8.5,
        "write_energy": 1e-12,
    }
    return CimNvmPhases(**(fields | changes))


def test_its_macro_is_the_core_of_the_design() -> None:
    physics = engine().physics
    assert physics.prices() == CORE.prices()
    assert physics.counts(100, 200, 6, 4) == CORE.counts(100, 200, 6, 4)
    assert [physics.passes(bits) for bits in range(1, 9)] == [
        CORE.passes(bits) for bits in range(1, 9)
    ]
    assert physics.clock_s == CORE.clock_s


def test_its_clock_is_the_one_its_times_are_stated_in() -> None:
    assert engine().clock_hz == 50e6
    assert engine(clock=100e6).physics.clock_s == 10e-9


def test_its_cells_hold_a_weight_in_every_pair() -> None:
    assert engine().cells.size == 48 * 128 * 256 * 4 // 8
    assert engine(macros=1).cells.size == 16_384


def test_writing_a_byte_of_weights_writes_four_cells_with_every_pulse() -> None:
    # two weights of four bits in two pairs
    assert engine().cells.write_energy == pytest.approx(4 * 8.5 * 1e-12, rel=1e-12)


def test_every_core_writes_a_row_at_a_time() -> None:
    # 128 bytes of weights a row in 8.5 us
    assert engine().cells.bandwidth == pytest.approx(48 * 128 / 8.5e-6, rel=1e-12)
    assert engine(macros=1).cells.bandwidth == pytest.approx(128 / 8.5e-6, rel=1e-12)


def test_its_cells_wear() -> None:
    assert engine().cells.endurance == 1e6
    assert engine(endurance=1e8).cells.endurance == 1e8


def test_it_takes_narrow_weights_and_no_wide_ones() -> None:
    assert engine().supports(matmul(4, 128, 64, weight_dtype="int4")) is None
    assert engine().supports(matmul(4, 128, 64)) == (
        "takes whole numbers of at most 4 bit, not int8"
    )


def test_its_actions_are_those_of_the_core_and_of_what_follows() -> None:
    actions = set(engine().energies_j())
    assert actions >= set(CORE.prices())
    assert {"partial sum", "requantisation", "function"} <= actions


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"endurance": 0.0},
            "cim: endurance must be above 0 writes: cells that last none hold no weights; take 1e6 "
            "for RRAM or 1e8 for PCM, got 0.0",
        ),
        ({"phases": 3}, "cim: phases must be 1 or 2, got 3"),
    ],
)
def test_what_it_cannot_be_is_one_line_with_its_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(HardwareError) as caught:
        engine(**changes).check()
    assert str(caught.value) == message
