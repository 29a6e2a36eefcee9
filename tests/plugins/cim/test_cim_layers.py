"""Recorded layers of zigzag-dse: cycles to the cycle, energy of every part to the digits shown."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cim_peer import PARTS, Recorded, energies_pj, layers
from codesign_plugins.cim.designs import evaluate
from codesign_plugins.cim.layout import lay
from codesign_plugins.cim.sram_digital import DigitalSram
from codesign_plugins.cim.validation_peer import operator

from codesign.testing import convolution

FRACTIONS = {"fc_512_1000_b1", "fc_512_1000_b32", "vit_qkv_192_576_t197"}
"""Layers that the tool cuts into pieces that are no whole numbers, and counts full macros of."""
MAPPED = [one for one in layers() if one.row["case"] not in FRACTIONS]


def named(one: Recorded) -> str:
    row = one.row
    return f"{row['case']} {row['kind']} {row['rows']}x{row['cols_weights']} {row['bit_serial']}"


def parts_pj(one: Recorded) -> dict[str, float]:
    """Energy of a layer by part, rows cut as the tool does."""
    macro = one.macro
    layout = lay(
        operator(one.row["case"]), int(macro.rows), int(macro.columns), "loop_factors", "none"
    )
    count, rows, columns = (
        np.array([getattr(tiles, field) for tiles in layout.tiles])
        for field in ("count", "rows", "columns")
    )
    found = energies_pj(macro, rows, columns, one.widths)
    return {part: float((count * pj).sum()) * layout.pixels for part, pj in found.items()}


@pytest.mark.parametrize("one", layers(), ids=named)
def test_every_layer_takes_the_recorded_cycles(one: Recorded) -> None:
    op = operator(one.row["case"])
    assert op.macs == one.number("macs")
    found = evaluate(op, one.macro, row_split="loop_factors", pack="none")
    assert found.cycles == one.number("compute_cycles")


@pytest.mark.parametrize("one", MAPPED, ids=named)
def test_every_part_of_a_layer_takes_the_recorded_energy(one: Recorded) -> None:
    found = parts_pj(one)
    for part in PARTS.values():
        assert abs(found[part] - one.number(f"macro_{part}")) <= 0.00501, part
    theirs = one.number("macro_energy_pj")
    assert math.isclose(sum(found.values()), theirs, rel_tol=1e-12)


@pytest.mark.parametrize("one", MAPPED, ids=named)
def test_one_call_gives_the_energy_of_all_parts(one: Recorded) -> None:
    found = evaluate(operator(one.row["case"]), one.macro, row_split="loop_factors", pack="none")
    assert math.isclose(float(found.joules) * 1e12, sum(parts_pj(one).values()), rel_tol=1e-12)
    per_mac = float(found.joules) * 1e15 / one.number("macs")
    assert math.isclose(per_mac, one.number("macro_fj_per_mac"), rel_tol=1e-9)
    if not one.row["case"].startswith("dw"):
        assert math.isclose(float(found.utilization), one.number("spatial_util"), rel_tol=1e-9)


def test_a_depthwise_layer_uses_nine_cells_of_a_macro() -> None:
    # the tool says 0.000558 here
    found = evaluate(operator("dw3x3_g384_14"), DigitalSram(), pack="none")
    assert float(found.utilization) == 9 / 128**2


@pytest.mark.parametrize("one", [o for o in layers() if o.row["case"] in FRACTIONS], ids=named)
def test_the_tool_counts_full_macros_where_its_pieces_are_no_whole_numbers(one: Recorded) -> None:
    macro = one.macro
    full = sum(energies_pj(macro, macro.rows, macro.columns, one.widths).values())
    activations = one.number("macs") / (int(macro.rows) * int(macro.columns))
    assert math.isclose(float(full) * activations, one.number("macro_energy_pj"), rel_tol=1e-9)
    ours = evaluate(operator(one.row["case"]), macro, row_split="loop_factors", pack="none")
    error = float(ours.joules) * 1e12 / one.number("macro_energy_pj") - 1
    if one.row["case"].startswith("fc"):
        assert 0 < error < 0.002
    else:
        # 10 tiles of 96 rows are 6.75 full macros in its energy and 10 in its cycles
        assert 0.32 < error < 0.33


def test_columns_may_be_cut_in_any_way_at_the_same_energy_of_all_but_products() -> None:
    macro = DigitalSram(input_bits=2)
    filled = energies_pj(macro, 128, np.array([128.0, 104.0]), (8, 8))
    even = energies_pj(macro, 128, np.array([116.0, 116.0]), (8, 8))
    for part in PARTS.values():
        assert math.isclose(np.sum(filled[part]), np.sum(even[part]), rel_tol=1e-12)


@pytest.mark.parametrize(
    ("pack", "cycles", "femtojoules"),
    [("none", 602_112, 33_449), ("group", 43_904, 5_880), ("diagonal", 21_504, 4_932)],
)
def test_packing_recovers_what_a_depthwise_layer_wastes(
    pack: str, cycles: int, femtojoules: float
) -> None:
    """Adder trees count zero cells between the blocks as in use: an upper bound."""
    op = convolution(384, 384, 14, 3, padding=1, groups=384)
    found = evaluate(op, DigitalSram(), pack=pack)
    assert found.cycles == cycles
    assert math.isclose(float(found.joules) * 1e15 / op.macs, femtojoules, rel_tol=1e-3)


def test_a_depthwise_layer_takes_114_times_the_energy_of_a_pointwise_one() -> None:
    depthwise, pointwise = (
        next(o for o in MAPPED if o.row["case"] == case and o.row["kind"] == "dimc")
        for case in ("dw3x3_g384_14", "pw_1x1_64_384_14")
    )
    joules = [
        float(evaluate(operator(o.row["case"]), o.macro, pack="none").joules) / o.number("macs")
        for o in (depthwise, pointwise)
    ]
    assert round(joules[0] / joules[1]) == 114


def test_filled_rows_save_a_sixth_of_the_cycles_of_a_window() -> None:
    op = operator("conv3x3_64_64_56")
    assert evaluate(op, DigitalSram(), pack="none").cycles == 125_440
    assert evaluate(op, DigitalSram(), row_split="loop_factors", pack="none").cycles == 150_528
