"""Many designs in one call: each as if it were alone, and as its tiles one by one say."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from codesign_plugins.cim.designs import Designs, evaluate
from codesign_plugins.cim.layout import PACKS, ROW_SPLITS, Pack, RowSplit, lay
from codesign_plugins.cim.sram_analog import AnalogSram
from codesign_plugins.cim.sram_digital import DigitalSram
from hypothesis import given
from hypothesis import strategies as st

from codesign import Op
from codesign.errors import HardwareError
from codesign.testing import convolution, matmul

LAYER = convolution(24, 40, 10, 3, padding=1)
GROUPED = convolution(24, 48, 10, 3, padding=1, groups=8)
OPERATORS = [LAYER, GROUPED, matmul(1, 300, 70), matmul(5, 33, 17, batch=3)]
designs = st.lists(
    st.tuples(st.integers(2, 260), st.integers(1, 90), st.sampled_from([1, 2, 4, 8])),
    min_size=1,
    max_size=12,
)
RESULTS = [field.name for field in fields(Designs)]


def by_tiles(op: Op, macro: Any, split: RowSplit, pack: Pack) -> tuple[float, float]:
    """Products and joules of an operator, tile after tile."""
    layout = lay(op, int(macro.rows), int(macro.columns), split, pack)
    prices, joules = macro.prices(), 0.0
    for tiles in layout.tiles:
        counts = macro.counts(tiles.rows, tiles.columns, 8, 8)
        joules += tiles.count * sum(float(n) * float(prices[a]) for a, n in counts.items())
    return layout.pixels * layout.count, layout.pixels * joules


@given(designs, st.sampled_from(OPERATORS), st.sampled_from(ROW_SPLITS), st.sampled_from(PACKS))
def test_a_design_is_what_its_tiles_say(
    many: list[tuple[int, int, int]], op: Op, split: RowSplit, pack: Pack
) -> None:
    rows, columns, bits = np.array(many).T
    found = evaluate(op, DigitalSram(rows=rows, columns=columns, input_bits=bits), 1, split, pack)
    for place, (height, width, serial) in enumerate(many):
        macro = DigitalSram(rows=height, columns=width, input_bits=serial)
        products, joules = by_tiles(op, macro, split, pack)
        assert found.cycles[place] == products * 8 // serial
        assert math.isclose(found.joules[place], joules, rel_tol=1e-9)
        assert math.isclose(found.seconds[place], found.cycles[place] * float(macro.clock_s))
        assert math.isclose(found.area_m2[place], sum(map(float, macro.area().values())))


@given(designs, st.sampled_from(OPERATORS), st.sampled_from(PACKS))
def test_analog_designs_in_one_call_are_as_each_alone(
    many: list[tuple[int, int, int]], op: Op, pack: Pack
) -> None:
    rows, columns, bits = np.array(many).T
    adc = 3 + np.arange(len(many))
    together = evaluate(
        op, AnalogSram(rows=rows, columns=columns, input_bits=bits, adc_bits=adc), pack=pack
    )
    for place, (height, width, serial) in enumerate(many):
        macro = AnalogSram(rows=height, columns=width, input_bits=serial, adc_bits=3 + place)
        alone = evaluate(op, macro, pack=pack)
        for result in RESULTS:
            ours, theirs = getattr(together, result)[place], float(getattr(alone, result))
            assert math.isclose(ours, theirs, rel_tol=1e-12), result


@given(st.sampled_from(OPERATORS), st.sampled_from(PACKS), st.integers(1, 40))
def test_another_macro_never_makes_it_slower_nor_changes_the_energy(
    op: Op, pack: Pack, macros: int
) -> None:
    some, more = (
        evaluate(op, DigitalSram(rows=32), n, "linear", pack) for n in (macros, macros + 1)
    )
    assert more.seconds <= some.seconds
    assert math.isclose(float(more.joules), float(some.joules))
    assert math.isclose(float(more.area_m2) * macros, float(some.area_m2) * (macros + 1))


@given(designs, st.sampled_from(OPERATORS), st.sampled_from(PACKS))
def test_no_design_uses_more_than_all_of_its_cells(
    many: list[tuple[int, int, int]], op: Op, pack: Pack
) -> None:
    rows, columns, _ = np.array(many).T
    found = evaluate(op, DigitalSram(rows=rows, columns=columns), pack=pack)
    assert (found.utilization > 0).all()
    assert (found.utilization <= 1).all()


def test_a_layer_that_fills_its_macros_uses_all_cells() -> None:
    assert evaluate(matmul(7, 256, 256), DigitalSram(), macros=4).utilization == 1.0
    assert evaluate(matmul(7, 256, 256), DigitalSram(), macros=3).utilization == 2 / 3


def test_tiles_on_different_macros_work_at_the_same_time() -> None:
    cycles = evaluate(matmul(1, 512, 1024), DigitalSram(), np.array([1, 2, 31, 32, 64])).cycles
    assert cycles.tolist() == [256, 128, 16, 8, 8]


def test_designs_may_differ_in_any_field() -> None:
    vdd = np.array([0.6, 0.9, 1.2])
    found = evaluate(LAYER, DigitalSram(vdd=vdd))
    assert found.cycles.shape == found.joules.shape == (3,)
    assert np.allclose(found.joules / found.joules[1], (vdd / 0.9) ** 2)
    assert (np.diff(found.seconds) < 0).all()
    assert len(set(found.cycles.tolist())) == 1


def test_designs_may_lie_on_a_grid() -> None:
    rows, columns = np.array([[32], [64]]), np.array([16, 32, 64])
    found = evaluate(LAYER, DigitalSram(rows=rows, columns=columns))
    assert found.cycles.shape == found.area_m2.shape == (2, 3)
    alone = evaluate(LAYER, DigitalSram(rows=64, columns=16))
    assert found.cycles[1, 0] == alone.cycles
    assert math.isclose(found.joules[1, 0], float(alone.joules))


@pytest.mark.parametrize("pack", PACKS)
def test_a_thousand_designs_of_one_size_are_laid_once(
    pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The speed of a sweep is one of layouts: one for each size, whatever else differs."""
    from codesign_plugins.cim import designs as module

    sizes: list[tuple[int, int]] = []

    def counted(op: Op, rows: int, columns: int, *words: Any) -> Any:
        sizes.append((rows, columns))
        return cut(op, rows, columns, *words)

    cut = module.cut_weights
    monkeypatch.setattr(module, "cut_weights", counted)
    draw = np.random.default_rng(0)
    rows, columns = draw.choice([32, 64, 128], 1000), draw.choice([8, 16], 1000)
    many = DigitalSram(rows=rows, columns=columns, toggle=draw.random(1000))
    assert evaluate(LAYER, many, pack=pack).cycles.shape == (1000,)
    assert len(sizes) == len(set(sizes)) == 6


def test_widths_of_the_operands_set_the_passes() -> None:
    narrow = matmul(1, 128, 128, dtype="int4")
    found = evaluate(narrow, DigitalSram())
    assert found.cycles == 4
    with pytest.raises(HardwareError, match="activation_bits of an operand must be <= those of"):
        evaluate(matmul(1, 128, 128, dtype="int16"), DigitalSram())


def test_a_field_that_differs_makes_another_design() -> None:
    base = evaluate(LAYER, DigitalSram())
    assert evaluate(LAYER, replace(DigitalSram(), toggle=0.5)).joules < base.joules
    assert evaluate(LAYER, replace(DigitalSram(), input_bits=2)).cycles * 2 == base.cycles


@pytest.mark.parametrize(
    "field", ["control_lines", "columns_per_adc", "bits_per_conversion", "dac_bits", "cell_area_m2"]
)
def test_a_field_of_some_parts_alone_may_differ_too(field: str) -> None:
    values = np.array([1.0, 2.0, 4.0])
    found = evaluate(LAYER, AnalogSram(**{field: values}))
    assert found.cycles.shape == (3,)
    for place, value in enumerate(values):
        alone = evaluate(LAYER, AnalogSram(**{field: value}))
        for result in RESULTS:
            ours = getattr(found, result)[place]
            assert math.isclose(ours, float(getattr(alone, result)), rel_tol=1e-12), result
