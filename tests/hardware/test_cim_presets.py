"""Presets after published compute-in-memory chips: the macro of each is the one that is validated.

How near it is to silicon is in ``tests/validation``; here every file is that macro, and says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
from cim_chips import CHIPS, ROWS, SAME, WIDTHS, flat, header, macro_j, macros, plan_of, run_full
from codesign_plugins.cim.figures import Peak, peak
from codesign_plugins.cim.silicon import AIMC1, DIMC1, JIA, Chip, colonnade, jia

from codesign.errors import HardwareError
from codesign.hardware.provenance import STATUSES
from codesign.hardware.spec import load_hardware
from codesign.testing import (
    check_engine,
    check_link,
    check_memory,
    convolution,
    elementwise,
    matmul,
)

PRESETS = (*CHIPS, "h4h-edge")
ONE_BIT_PRODUCTS = 64
"""Of a product of 8 x 8 bits."""
KINDS_OWN = {"operations"}
"""Tables that a kind has and a file need not repeat."""


def expected(preset: str) -> Peak:
    """Figures of a full macro, from the physics that the validation compares with silicon."""
    bits, weight_bits = WIDTHS[preset]
    if preset == "jia-2020":
        return peak(jia(JIA[0]), 1, 1)
    if preset == "colonnade":
        return peak(colonnade(bits, weight_bits), bits, weight_bits)
    return peak(SAME[preset], bits, weight_bits)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_number_has_a_source_and_a_status(preset: str) -> None:
    machine = load_hardware(preset)
    rows = {(row.component, row.field): row for row in machine.provenance}
    brought = {part.name for engine in machine.engines for part in engine.brings}
    told = 0
    for name, part in machine.components.items():
        for field in dataclasses.fields(part) if name not in brought else ():
            value = getattr(part, field.name)
            keys = [f"{field.name}.{key}" for key in value] if isinstance(value, Mapping) else []
            numbers = [field.name] if isinstance(value, (int, float)) else keys
            for number in numbers if field.name not in KINDS_OWN else ():
                assert rows[name, number].status in STATUSES
                source = rows[name, number].source
                assert source not in ("", f"{preset}.yaml"), (name, number)
                assert not source.startswith("default of kind"), (name, number)
                told += 1
    assert told > 40


@pytest.mark.parametrize("preset", PRESETS)
def test_the_header_says_how_wrong_it_is_and_what_is_not_calibrated(preset: str) -> None:
    words = header(preset)
    assert "Measured error against silicon" in words
    assert "docs/validation.md" in words
    assert "ncalibrated" in words


@pytest.mark.parametrize("preset", PRESETS)
def test_every_part_keeps_its_promises(preset: str) -> None:
    machine = load_hardware(preset)
    word = str(machine.precision)
    small = [
        matmul(5, 24, 9, dtype=word),
        convolution(4, 6, 8, 3, padding=1, dtype=word),
        elementwise((16, 40), dtype=word),
    ]
    for engine in machine.engines:
        check_engine(engine, small)
    for memory in machine.memories:
        check_memory(memory)
    for link in machine.links:
        check_link(link)


@pytest.mark.parametrize("preset", SAME)
def test_its_macro_is_the_validated_one_field_by_field(preset: str) -> None:
    ours, theirs = flat(macros(load_hardware(preset)).physics), flat(SAME[preset])
    assert ours.keys() == theirs.keys()
    # what is the same by rule may be told in either way
    theirs = {
        path: ours[path] if path == ".dac_bits" and value == 0 else value
        for path, value in theirs.items()
    }
    assert ours == {
        path: value if isinstance(value, str) else pytest.approx(value, rel=1e-6)
        for path, value in theirs.items()
    }


@pytest.mark.parametrize("preset", SAME)
def test_its_clock_its_prices_and_its_area_are_those_of_the_validated_macro(preset: str) -> None:
    part, same = macros(load_hardware(preset)), SAME[preset]
    assert part.clock_hz == pytest.approx(1 / float(same.clock_s), rel=1e-6)
    table = part.energies_j()
    for action, joules in same.prices().items():
        assert table[action] == pytest.approx(float(joules), rel=1e-6)
    area = {name: pytest.approx(float(size), rel=1e-6) for name, size in same.area().items()}
    assert part.physics.area() == area


@pytest.mark.parametrize("preset", CHIPS)
def test_a_full_product_takes_the_energy_of_the_validated_macro(preset: str) -> None:
    machine = load_hardware(preset)
    result = run_full(machine, WIDTHS[preset])
    scale = ONE_BIT_PRODUCTS if preset == "jia-2020" else 1
    wanted = scale * float(expected(preset).joules_per_mac)
    assert macro_j(result) / result.macs == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("preset", CHIPS)
def test_a_full_product_takes_the_cycles_of_the_validated_macro(preset: str) -> None:
    machine = load_hardware(preset)
    part = macros(machine)
    result = run_full(machine, WIDTHS[preset])
    plan = plan_of(result)
    passes = int(part.physics.passes(WIDTHS[preset][0]))
    assert (plan.cycles, plan.clock_hz) == (ROWS * passes, part.clock_hz)
    assert result.latency_s >= ROWS * passes / part.clock_hz
    assert dict(plan.slots) == {"effective": result.macs}


@pytest.mark.parametrize(
    ("preset", "chip", "clock", "energy", "area"),
    [
        ("aimc1", AIMC1, "clock -0.98 %", "energy per MAC +7.5 %", "area -35.9 %"),
        ("dimc1", DIMC1, "clock -16.67 %", "energy per MAC +0.93 %", "area -4.0 %"),
    ],
)
def test_the_errors_in_the_header_are_those_of_the_preset(
    preset: str, chip: Chip, clock: str, energy: str, area: str
) -> None:
    part, words = macros(load_hardware(preset)), header(preset)
    size = part.macros * float(sum(part.physics.area().values())) + chip.beside_m2
    found = {
        clock: 1 / part.clock_hz / chip.clock_s,
        energy: float(peak(part.physics, *WIDTHS[preset]).joules_per_mac) / chip.joules_per_mac,
        area: size / chip.area_m2,
    }
    for claim, ratio in found.items():
        assert claim in words
        printed = claim.split()[-2]
        digits = len(printed.split(".")[1])
        assert f"{100 * (ratio - 1):+.{digits}f}" == printed


@pytest.mark.parametrize(
    ("preset", "changes", "message"),
    [
        ("aimc1", {"cim.clipping": False}, r"adc_bits must be >= 19 to tell the sums of 1024 rows"),
        ("mnsim-like", {"cim.clipping": False}, r"adc_bits must be >= 9 to tell all sums of 128"),
        ("mnsim-like", {"cim.endurance": 0}, r"endurance must be above 0 writes"),
        ("mnsim-like", {"cim.input_reuse": 0}, r"input_reuse must be >= 1.0, got 0"),
        ("jia-2020", {"cim.output_energy": 0}, r"output_energy must be > 0, got 0"),
        ("jia-2020", {"cim.adc_area": 0}, r"adc_area must be > 0.0, got 0"),
        ("dimc1", {"cim.accumulator_toggle": 2}, r"accumulator_toggle must be <= 1.0, got 2"),
        ("dimc1", {"cim.cell_area": 0}, r"cell_area must be > 0.0, got 0"),
        ("dimc1", {"cim.sets": 33}, r"sets must be <= rows"),
        ("neurram", {"cim.phases": 3}, r"phases must be 1 or 2, got 3"),
    ],
)
def test_a_preset_changed_to_what_cannot_be_is_one_line(
    preset: str, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(HardwareError, match=message) as caught:
        load_hardware(preset).with_all(changes)
    assert "\n" not in str(caught.value)
