"""The roofline: every operator has a place or is named."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from matplotlib.collections import PathCollection
from matplotlib.text import Text
from report_case import generated, write_ledger
from strategies import machines, traces

from codesign import simulate
from codesign.hardware.spec import Hardware
from codesign.report.figures.kit import Drawn
from codesign.report.figures.roofline import draw_roofline
from codesign.report.roof import find_roofline
from codesign.report.saved import Saved, Spans, read_saved
from codesign.report.tables import roof_table
from codesign.workload.record import Trace

pytest_plugins = ["report_fixtures"]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(traces(), machines())
def test_no_operator_is_above_its_roofs(
    tmp_path_factory: pytest.TempPathFactory, trace: Trace, hardware: Hardware
) -> None:
    folder = tmp_path_factory.mktemp("roofs")
    simulate(trace, hardware).save(folder)
    found = find_roofline(read_saved(folder))
    roof, slope = max(found.roofs.values(), default=math.inf), sum(found.slopes.values())
    for point in found.on_chip:
        assert point.macs_per_s <= roof * (1 + 1e-9)
    for point in found.points:
        assert point.macs_per_s <= min(roof, slope * point.intensity) * (1 + 1e-9)


def test_every_operator_is_a_point_or_is_counted(saved: Saved) -> None:
    found = find_roofline(saved)
    names = set(saved.operators["name"])
    placed = [point.name for point in (*found.points, *found.on_chip)]
    assert sorted([*placed, *found.without_macs, *found.without_time]) == sorted(names)
    assert found.without_macs
    assert found.without_time == ()


def test_the_place_of_a_point_is_its_macs_bytes_and_time(tmp_path: Path) -> None:
    found = find_roofline(read_saved(generated(tmp_path, 3, runs=2)))
    assert [point.intensity for point in found.points] == [5000 / 1500] * 3
    assert [point.macs_per_s for point in found.points] == [5e9] * 3
    assert (found.roofs, found.slopes) == ({"npu": 1e11}, {"dram": 1e10})


def test_without_components_the_memory_off_the_chip_is_found_by_its_bytes(tmp_path: Path) -> None:
    folder = generated(tmp_path, 3)
    known = find_roofline(read_saved(folder)).points
    (folder / "components.json").unlink()
    found = find_roofline(read_saved(folder))
    assert (found.points, found.roofs, found.slopes) == (known, {}, {})


KINDS = (
    ("inside.linear", 5000, 0),
    ("inside.again", 5000, 0),
    ("outside.linear", 5000, 1500),
    ("copy", 0, 1500),
    ("idle", 0, 0),
)
"""Operators with the MACs and the bytes off the chip of a run."""


def mixed(folder: Path, kinds: Sequence[tuple[str, int, int]] = KINDS) -> Saved:
    """Operators on one engine, some of which move nothing off the chip or multiply nothing."""
    generated(folder, len(kinds), name=lambda n: kinds[n][0])
    rows: list[tuple[str | None, str, str, str, int, float]] = [
        (name, "dram", "read", "weight", size, 1e-9) for name, _, size in kinds if size
    ]
    write_ledger(folder, rows)
    saved = read_saved(folder)
    macs = [count for _, count, _ in kinds]
    return replace(saved, operators=saved.operators | {"macs": macs})


def test_operators_without_bytes_off_the_chip_are_infinitely_intense(tmp_path: Path) -> None:
    found = find_roofline(mixed(tmp_path))
    assert [point.name for point in found.on_chip] == ["inside.linear", "inside.again"]
    assert {point.intensity for point in found.on_chip} == {math.inf}
    assert [point.macs_per_s for point in found.on_chip] == [5e9] * 2
    assert [point.name for point in found.points] == ["outside.linear"]
    assert found.without_macs == ("copy", "idle")


def drawn_names(drawn: Drawn) -> list[str]:
    """Operators of the dots of a figure, each dot one."""
    dots = [one for one in drawn.figure.findobj(PathCollection) if one.get_gid()]
    found = []
    for dot in dots:
        titles = drawn.titles[str(dot.get_gid())]
        assert len(np.asarray(dot.get_offsets())) == len(titles)
        found += [title.partition(":")[0] for title in titles]
    return found


def test_every_operator_of_a_result_is_a_dot_or_is_counted_in_words(tmp_path: Path) -> None:
    saved = mixed(tmp_path)
    drawn = draw_roofline(saved)
    assert sorted(drawn_names(drawn)) == ["inside.again", "inside.linear", "outside.linear"]
    assert "per second: 3." in drawn.said
    assert "off the chip: 2 operators (inside.linear, inside.again)." in drawn.said
    assert "(copies, pooling, elementwise): 2 operators (copy, idle)." in drawn.said
    labels = [axes.get_xlabel() for axes in drawn.figure.axes]
    assert labels == [
        "MAC per byte off the chip\n(operators not drawn: 2 without a MAC)",
        "no byte off\nthe chip",
    ]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(traces(), machines())
def test_of_any_result_dots_and_words_are_all_operators(
    tmp_path_factory: pytest.TempPathFactory, trace: Trace, hardware: Hardware
) -> None:
    folder = tmp_path_factory.mktemp("dots")
    simulate(trace, hardware).save(folder)
    saved = read_saved(folder)
    drawn = draw_roofline(saved)
    counted = re.findall(r"Not drawn, [^:]*: ([\d,]+) operator", drawn.said)
    lost = sum(int(number.replace(",", "")) for number in counted)
    assert len(drawn_names(drawn)) + lost == len(set(saved.operators["name"]))


def test_without_operators_off_the_chip_the_strip_is_all_there_is(tmp_path: Path) -> None:
    drawn = draw_roofline(mixed(tmp_path, KINDS[:2]))
    assert sorted(drawn_names(drawn)) == ["inside.again", "inside.linear"]
    assert "Not drawn" not in drawn.said


def test_without_operators_on_the_chip_there_is_no_strip(tmp_path: Path) -> None:
    drawn = draw_roofline(mixed(tmp_path, KINDS[2:]))
    assert len(drawn.figure.axes) == 1
    assert "strip" not in drawn.said


def test_dots_of_one_speed_in_the_strip_lie_beside_each_other(tmp_path: Path) -> None:
    drawn = draw_roofline(mixed(tmp_path, [(f"op{n}", 5000, 0) for n in range(4)]))
    strip = drawn.figure.axes[1]
    places = sorted(
        x for dots in strip.collections for x, _ in np.asarray(dots.get_offsets()).tolist()
    )
    low, high = strip.get_xlim()
    # two engines in turn draw two dots each
    assert places == [-1.5, -0.5, 0.5, 1.5]
    assert low < places[0] < places[-1] < high


def test_of_many_operators_without_a_place_the_first_are_named(tmp_path: Path) -> None:
    said = draw_roofline(mixed(tmp_path, [(f"op{n}", 0, 0) for n in range(1500)])).said
    assert "elementwise): 1,500 operators (op0, op1, op2, op3 and 1,496 more)." in said


def test_a_cut_list_of_runs_makes_no_operator_faster(tmp_path: Path) -> None:
    """Of very many runs the folder lists the first: their work counts, not that of all."""
    saved = read_saved(generated(tmp_path, 3, runs=4))
    spans = saved.spans
    cut = replace(
        saved, spans=Spans(spans.ops[:5], spans.engines[:5], spans.starts[:5], spans.ends[:5])
    )
    rates = [[point.macs_per_s for point in find_roofline(one).points] for one in (saved, cut)]
    assert rates[0] == rates[1] == [5e9] * 3


def test_who_multiplies_in_no_listed_run_is_told_apart_from_who_multiplies_nothing(
    tmp_path: Path,
) -> None:
    saved = mixed(tmp_path)
    spans = saved.spans
    cut = replace(
        saved, spans=Spans(spans.ops[:2], spans.engines[:2], spans.starts[:2], spans.ends[:2])
    )
    found = find_roofline(cut)
    assert found.without_time == ("outside.linear",)
    drawn = draw_roofline(cut)
    assert "Not drawn, as the folder lists no run of them: 1 operator (outside.linear)." in (
        drawn.said
    )
    assert "1 without a listed run" in drawn.figure.axes[0].get_xlabel()


def test_the_table_below_has_every_operator(tmp_path: Path) -> None:
    rows = {row[0]: row[2:] for row in roof_table(mixed(tmp_path)).rows}
    assert rows == {
        "inside.linear": ("no byte", "5.000 GMAC/s"),
        "inside.again": ("no byte", "5.000 GMAC/s"),
        "outside.linear": ("3.33", "5.000 GMAC/s"),
        "copy": ("-", "no MAC"),
        "idle": ("-", "no MAC"),
    }


def test_the_table_names_a_thousand_operators_and_counts_the_rest(tmp_path: Path) -> None:
    found = roof_table(read_saved(generated(tmp_path, 1003)))
    assert len(found.rows) == 1000
    assert found.heading == "Operators by speed (1,000 of 1,003)"


def test_a_result_in_which_nothing_multiplies_says_so(tmp_path: Path) -> None:
    drawn = draw_roofline(mixed(tmp_path, KINDS[3:]))
    assert [text.get_text() for text in drawn.figure.findobj(Text) if text.get_text()] == [
        "no operator multiplies"
    ]
    assert "2 operators (copy, idle)" in drawn.said


def test_who_does_not_know_what_is_off_the_chip_puts_nobody_into_the_strip(tmp_path: Path) -> None:
    folder = generated(tmp_path, 3)
    (folder / "components.json").unlink()
    path = folder / "summary.json"
    moved = {"offchip_bytes": {"weight": 77}}  # of no component of the ledger
    path.write_text(json.dumps(json.loads(path.read_text()) | moved))
    saved = read_saved(folder)
    found = find_roofline(saved)
    assert (found.points, found.on_chip, len(found.without_side)) == ((), (), 3)
    said = draw_roofline(saved).said
    assert "Not drawn, as the folder does not say which memory is off the chip: 3 op" in said
    assert {row[3] for row in roof_table(saved).rows} == {"off the chip is not known"}


def test_a_machine_without_memory_off_the_chip_has_all_operators_in_the_strip(
    tmp_path: Path,
) -> None:
    folder = generated(tmp_path, 3)
    path = folder / "components.json"
    parts = [part | {"off_chip": False} for part in json.loads(path.read_text())]
    path.write_text(json.dumps(parts))
    path = folder / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"offchip_bytes": {}}))
    found = find_roofline(read_saved(folder))
    assert (len(found.on_chip), found.without_side) == (3, ())


@pytest.mark.parametrize("roof", [5.1e9, 1e11, 1e15])
def test_the_words_of_a_slope_lie_within_the_chart(tmp_path: Path, roof: float) -> None:
    """However low the roof, so that the slope ends far to the left of all operators."""
    saved = mixed(tmp_path)
    parts = tuple(
        part.model_copy(update={"macs_per_s": roof}) if part.macs_per_s else part
        for part in saved.parts
    )
    drawn = draw_roofline(replace(saved, parts=parts))
    drawn.figure.savefig(io.BytesIO(), format="svg")
    chart = drawn.figure.axes[0]
    (words,) = [text for text in chart.texts if text.get_text().startswith("dram: ")]
    box, frame = words.get_window_extent(), chart.get_window_extent()
    assert frame.x0 <= box.x0 < box.x1 <= frame.x1
    assert frame.y0 <= box.y0 < box.y1 <= frame.y1
