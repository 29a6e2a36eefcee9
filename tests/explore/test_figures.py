"""Figures: what they show, and what they must survive."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.text import Text
from swept_tables import Point, records, table

from codesign.explore.figures import draw
from codesign.explore.figures.cloud import Cloud
from codesign.explore.figures.front import draw_front
from codesign.explore.figures.growth import draw_growth
from codesign.explore.figures.main_effects import draw_effects
from codesign.explore.figures.parallel import draw_parallel
from codesign.explore.swept import Swept

ALL = (draw_front, draw_parallel, draw_effects, draw_growth)


def trade(point: Point) -> dict[str, float]:
    """Energy falls and latency rises with the first parameter; the second is waste."""
    return {
        "energy_j": 1e-6 * (8 - point["width"]) + 1e-7 * point["waste"],
        "latency_s": 1e-3 * point["width"] ** 2,
    }


def small(**changes: Any) -> Swept:
    """Twelve points, four of them on the front."""
    return table({"width": [1, 2, 3, 4], "waste": [0, 1, 2]}, trade, **changes)


def cloud(swept: Swept, order: list[int] | None = None, bounds: Any = None) -> Cloud:
    return Cloud.of(swept, order, bounds)


def texts(figure: Figure) -> list[str]:
    """Everything that is written in a figure, laid out first."""
    figure.draw_without_rendering()
    found = [artist for artist in figure.findobj(Text) if isinstance(artist, Text)]
    return [text.get_text() for text in found if text.get_visible() and text.get_text()]


def says(figure: Figure, words: str) -> bool:
    return any(words in text for text in texts(figure))


def test_a_front_is_drawn_as_stairs_before_what_it_dominates() -> None:
    figure = draw_front(cloud(small()))
    (axes,) = figure.axes
    (stairs,) = axes.lines
    corners = np.stack((stairs.get_xdata(), stairs.get_ydata()), axis=1)
    on_front = [[4, 16], [5, 16], [5, 9], [6, 9], [6, 4], [7, 4], [7, 1], [7, 1]]
    assert corners == pytest.approx(np.array(on_front, dtype=float))
    assert {"dominated (8)", "front (4)"} <= set(texts(figure))
    assert {"←  energy (µJ)", "←  latency (ms)"} <= set(texts(figure))
    assert {"0", "3", "6", "9"} <= set(texts(figure))  # the points of the front by their index
    assert says(figure, "cell on edge-npu: 12 of 12 points measured")


def test_stairs_follow_what_is_to_be_large() -> None:
    swept = table(
        {"a": [1, 2, 3]},
        lambda p: {"energy_j": 1e-6 * p["a"], "accuracy": 0.2 * p["a"]},
        maximise=["accuracy"],
    )
    figure = draw_front(cloud(swept))
    (stairs,) = figure.axes[0].lines
    corners = np.stack((stairs.get_xdata(), stairs.get_ydata()), axis=1)
    expected = [[1, 0.2], [2, 0.2], [2, 0.4], [3, 0.4], [3, 0.6], [3, 0.6]]
    assert corners == pytest.approx(np.array(expected))
    assert says(figure, "accuracy  →")


def test_pruned_points_are_counted() -> None:
    lines = [*records({"a": [1, 2]}, lambda p: {"energy_j": 1.0}), {"event": "pruned", "points": 9}]
    for make in ALL:
        assert says(make(cloud(Swept.of(lines))), "2 of 2 points measured, 9 pruned")


@pytest.mark.parametrize(("objectives", "panels"), [(1, 1), (2, 1), (3, 3), (4, 6), (5, 10)])
def test_each_pair_of_objectives_has_a_panel(objectives: int, panels: int) -> None:
    swept = table(
        {"a": list(range(9))},
        lambda p: {f"f{n}_s": float((p["a"] * (n + 2)) % 9) for n in range(objectives)},
    )
    figure = draw_front(cloud(swept))
    assert len(figure.axes) == panels
    labels = {(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes}
    assert len(labels) == panels
    for words in labels:
        assert all("(s)" in word for word in words if word != "points, sorted")


def test_axes_over_a_decade_are_logarithmic_and_others_are_not() -> None:
    swept = table(
        {"a": [1, 2, 3]},
        lambda p: {"energy_j": 10.0 ** -p["a"], "latency_s": 3.0 * p["a"], "gain_j": p["a"] - 2.0},
    )
    panels = draw_front(cloud(swept)).axes
    assert [axes.get_xscale() for axes in panels] == ["log", "log", "linear"]
    assert [axes.get_yscale() for axes in panels] == ["linear"] * 3


def test_pruned_points_and_broken_constraints_are_told_apart() -> None:
    swept = small(feasible=lambda p: p["width"] > 1)
    bounds = [[3e-6, 20e-3], [2e-6, 17e-3]]
    figure = draw_front(cloud(swept, bounds=bounds))
    found = set(texts(figure))
    assert {
        "pruned, at its lower bounds (2)",
        "breaks a constraint (3)",
        "dominated (6)",
        "front (3)",
    } <= found
    low, high = figure.axes[0].get_xlim()
    assert low < 2 < 7.2 < high


def test_parallel_coordinates_have_the_best_at_the_foot() -> None:
    swept = table(
        {"a": [1, 2], "mode": ["x", "y"], "only": [None, "z"]},
        lambda p: {"energy_j": 1e-9 * p["a"], "accuracy": p["a"] / 4},
        maximise=["accuracy"],
    )
    figure = draw_parallel(cloud(swept))
    (lines,) = figure.axes[0].collections
    paths = np.array([np.asarray(path.vertices)[:, 1] for path in lines.get_paths()])
    # 1 nJ and 0.25 first, then 2 nJ and 0.5, each at four choices of the rest
    assert paths[:, 3].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert paths[:, 4].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert paths[:, 0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert paths[:4, 2].tolist() == [0, 1, 0, 1]
    assert {"none", "z", "x", "y", "energy (nJ)", "accuracy"} <= set(texts(figure))


def test_main_effects_show_means_and_shares() -> None:
    figure = draw_effects(cloud(small()))
    assert len(figure.axes) == 4
    (line,) = figure.axes[0].lines
    assert np.asarray(line.get_ydata()) == pytest.approx([7.1, 6.1, 5.1, 4.1])
    found = texts(figure)
    assert {"width", "waste", "99 %", "1 %", "100 %", "0 %"} <= set(found)
    assert says(figure, "←  energy (µJ)")
    assert not says(figure, "interplay")


def some(**changes: Any) -> Swept:
    """The twelve points without those that are wide and waste: pruned."""
    swept = small(keep=lambda p: p["width"] < 3 or p["waste"] == 0, **changes)
    return dataclasses.replace(swept, points=12, pruned=4)


def test_of_a_pruned_study_measured_points_are_joined_and_nothing_is_fitted() -> None:
    swept = some()
    figure = draw_effects(cloud(swept))
    found = texts(figure)
    assert {"width", "waste", "5 pairs", "4 pairs", "←  energy (µJ)"} <= set(found)
    assert says(figure, "a line joins measured points that differ in this alone")
    assert not any("%" in text for text in found)
    for axes, parameter in zip(figure.axes[:2], ("width", "waste"), strict=True):
        (lines,) = (one for one in axes.collections if one.get_gid() == "pairs")
        assert isinstance(lines, LineCollection)
        values = sorted({row[parameter] for row in swept.done})
        points = {
            (values.index(row[parameter]), round(1e6 * row["energy_j"], 9)) for row in swept.done
        }
        for segment in lines.get_segments():
            ends = np.asarray(segment)
            assert {(int(x), round(float(y), 9)) for x, y in ends} <= points
            assert ends[1, 0] == ends[0, 0] + 1


def test_a_parameter_without_a_pair_is_named_and_not_drawn() -> None:
    swept = table(
        {"a": [1, 2, 3], "b": [1, 2]},
        lambda p: {"energy_j": 1.0 * p["a"]},
        keep=lambda p: p in ({"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 3, "b": 1}),
    )
    figure = draw_effects(cloud(dataclasses.replace(swept, points=6)))
    assert len(figure.axes) == 1
    assert {"a", "1 pair"} <= set(texts(figure))
    assert says(figure, "no pair for b")
    diagonal = table(
        {"a": [1, 2], "b": [1, 2], "c": [1, 2]},
        lambda p: {"energy_j": 1.0},
        keep=lambda p: sum(p.values()) == 4,
    )
    figure = draw_effects(cloud(dataclasses.replace(diagonal, points=8)))
    assert says(figure, "no two measured points differ in one parameter alone")


def test_interplay_is_told() -> None:
    swept = table({"a": [0, 1], "b": [0, 1]}, lambda p: {"energy_j": float(p["a"] ^ p["b"])})
    assert says(draw_effects(cloud(swept)), "interplay 100 %")


def test_only_the_parameters_that_matter_are_drawn_of_many() -> None:
    space = {f"p{n}": [0, 1] for n in range(11)}
    swept = table(space, lambda p: {"energy_j": sum(n * p[f"p{n}"] for n in range(11)) * 1e-6})
    figure = draw_effects(cloud(swept))
    assert len(figure.axes) == 8
    assert says(figure, "3 parameters of little effect are not shown")
    assert not {"p0", "p1", "p2"} & set(texts(figure))
    assert says(draw_parallel(cloud(swept)), "1 parameters not shown")


def test_hypervolume_grows_in_the_order_of_measurement() -> None:
    swept = table({"a": [1, 2, 3]}, lambda p: {"energy_j": p["a"] * 1.0, "latency_s": 4.0 - p["a"]})
    # reference (3.2, 3.2): the boxes are 2.2 x 0.2, 1.2 x 1.2 and 0.2 x 2.2
    total = 0.44 + 1.44 + 0.44 - 0.24 - 0.24
    for order, first in ((None, 0.44), ([1, 0, 2], 1.44)):
        figure = draw_growth(cloud(swept, order))
        (line,) = figure.axes[0].lines
        shares = np.asarray(line.get_ydata())
        assert shares[[0, 1, -1]] == pytest.approx([0, 100 * first / total, 100])
        assert says(figure, "reference: energy 3.2 J, latency 3.2 s")


def test_the_reference_lies_behind_every_point_and_not_beyond_zero() -> None:
    def measure(point: Point) -> dict[str, float]:
        return {"energy_j": 1.0 * point["a"], "accuracy": 0.01 + point["a"] / 4, "area_m2": 4e-6}

    figure = draw_growth(cloud(table({"a": [1, 3]}, measure, maximise=["accuracy"])))
    assert says(figure, "reference: energy 3.2 J, accuracy 0.21, area 4.4 mm²")

    def from_nothing(point: Point) -> dict[str, float]:
        return {"gain_j": point["a"] - 3.0, "accuracy": 0.01 + (point["a"] - 1) / 4}

    figure = draw_growth(cloud(table({"a": [1, 3]}, from_nothing, maximise=["accuracy"])))
    assert says(figure, "reference: gain 0.2 J, accuracy 0")


def test_points_that_break_constraints_add_no_volume() -> None:
    swept = small(feasible=lambda p: p["width"] == 4)
    (line,) = draw_growth(cloud(swept)).axes[0].lines
    assert np.asarray(line.get_ydata())[:10].tolist() == [0.0] * 10


@pytest.mark.parametrize("objectives", [2, 4])
def test_many_evaluations_are_drawn_from_few(objectives: int) -> None:
    random = np.random.default_rng(3)
    swept = table(
        {"a": list(range(700))},
        lambda p: {f"f{n}": float(random.random()) for n in range(objectives)},
    )
    (line,) = draw_growth(cloud(swept)).axes[0].lines
    counts, shares = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    assert (counts[0], counts[-1], shares[-1]) == (1, 700, 100)
    assert len(counts) <= 100
    assert np.all(np.diff(shares) >= -1e-9)


EDGES = {
    "one point": lambda: table({"a": [1]}, lambda p: {"energy_j": 1e-6, "latency_s": 1e-3}),
    "a front of one": lambda: table(
        {"a": [1, 2]}, lambda p: {"energy_j": 1e-6 * p["a"], "latency_s": 1.0 * p["a"]}
    ),
    "constant": lambda: table({"a": [1, 2]}, lambda p: {"energy_j": p["a"] * 1.0, "area_m2": 4e-6}),
    "all constant": lambda: table({"a": [1, 2]}, lambda p: {"energy_j": 0.0, "latency_s": 0.0}),
    "negative": lambda: table(
        {"a": [1, 2]}, lambda p: {"gain_j": -1e9 * p["a"], "x": 1.0 - p["a"]}
    ),
    "one objective": lambda: table({"a": [1, 2, 3]}, lambda p: {"energy_j": 1e-15 * p["a"]}),
    "tiny and huge": lambda: table(
        {"a": [1, 2, 3]}, lambda p: {"energy_j": 1e-40 * p["a"], "edp_js": 1e40 / p["a"]}
    ),
    "a hair apart": lambda: table(
        {"a": [1, 2, 3]}, lambda p: {"energy_j": 1 + 1e-13 * p["a"], "latency_s": 2.0 - p["a"] / 9}
    ),
}


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.filterwarnings("error")
def test_edges_are_drawn_without_a_warning(name: str, tmp_path: Path) -> None:
    assert len(draw(EDGES[name](), tmp_path, ["svg"])) == 4


@pytest.mark.filterwarnings("error")
def test_an_empty_front_is_said(tmp_path: Path) -> None:
    swept = small(feasible=lambda p: False)
    assert len(draw(swept, tmp_path, ["png"])) == 4
    for make in (draw_front, draw_parallel, draw_growth):
        assert says(make(cloud(swept)), "no point keeps to all constraints")
    assert says(draw_front(cloud(swept)), "breaks a constraint (12)")


def test_a_volume_of_five_objectives_is_not_drawn_and_said() -> None:
    swept = table({"a": [1, 2]}, lambda p: {f"f{n}": 1.0 * p["a"] for n in range(5)})
    assert says(draw_growth(cloud(swept)), "for at most 4 objectives")


ODD = "<script>alert('$x$')</script> & \"q\" --> _y"


@pytest.mark.filterwarnings("error")
def test_odd_names_are_text_and_nothing_else(tmp_path: Path) -> None:
    swept = table(
        {f"_a.$b$_{ODD}": [ODD, "$\\frac{1}{", "line\nbreak\x00", "{}%", "_c"], "k": [1, 2]},
        lambda p: {
            f"${ODD}_s": len(str(next(iter(p.values())))) + 0.1 * p["k"],
            "_q\\": 9.0 - p["k"],
        },
    )
    for path in draw(swept, tmp_path):
        if path.suffix == ".svg":
            root = ElementTree.fromstring(path.read_bytes())
            tags = {element.tag.rpartition("}")[2] for element in root.iter()}
            assert "script" not in tags
            assert "path" in tags
    assert says(draw_front(cloud(swept)), "$<script>alert('$x$')</script> & \"q\" -->  y (s)")


def test_long_names_are_wrapped_and_values_shortened() -> None:
    long = "hardware.accelerator.scratchpad_banks.bytes_per_cycle"
    swept = table(
        {long: ["a_really_long_category_that_never_ends", "b"], "k": [1, 2]},
        lambda p: {"energy_j": 1.0 * p["k"] + len(p[long])},
    )
    for make in (draw_parallel, draw_effects):
        found = texts(make(cloud(swept)))
        assert max(len(line) for text in found if "\n" in text for line in text.split("\n")) <= 90
        assert any(text.startswith("hardware.\n") for text in found)
        assert any(text.startswith("a_reall") and "…" in text and len(text) <= 15 for text in found)
