"""A legend above a panel stays inside its figure, on as few lines as that takes."""

from __future__ import annotations

from itertools import combinations

import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg

from codesign.report.figures.colours import ENERGY_COLOURS, ROLE_COLOURS, TIME_COLOURS
from codesign.report.figures.kit import NAME_SIGNS, legend_above, new_figure
from codesign.report.tables import TIME_BY_CAUSE

NAME = "stage4.1.residual.second.branch.conv2d"
PALETTES = {"time": TIME_COLOURS, "roles": ROLE_COLOURS, "energy": ENERGY_COLOURS}


def drawn(colours: dict[str, str]) -> Axes:
    """A panel as those beside long names of operators, with its legend."""
    assert len(NAME) == NAME_SIGNS
    figure = new_figure(2.0, "").figure
    axes = figure.subplots()
    axes.barh([NAME], [1.0])
    legend_above(axes, colours)
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    return axes


def right_end(axes: Axes) -> float:
    """Of the legend, as a share of the width of the figure."""
    legend, figure = axes.get_legend(), axes.figure
    assert legend is not None
    box = legend.get_window_extent()
    return float(box.x1 / figure.bbox.width)


@pytest.mark.parametrize("palette", sorted(PALETTES))
def test_a_legend_ends_inside_its_figure(palette: str) -> None:
    colours = PALETTES[palette]
    sizes = {1, len(colours) - 1, len(colours)}
    for names in (some for size in sizes for some in combinations(colours, size)):
        axes = drawn({name: colours[name] for name in names})
        assert right_end(axes) < 1.0, names


@pytest.mark.parametrize(("count", "lines"), [(1, 1), (3, 1), (6, 3)])
def test_names_keep_their_order_on_the_lines_that_they_need(count: int, lines: int) -> None:
    some = dict(list(TIME_COLOURS.items())[:count])
    legend = drawn(some).get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == list(some)
    assert len({round(text.get_window_extent().y0) for text in legend.get_texts()}) == lines


def test_every_cause_has_a_colour_and_a_sentence() -> None:
    assert set(TIME_BY_CAUSE) == set(TIME_COLOURS)
    assert all(TIME_BY_CAUSE.values())
