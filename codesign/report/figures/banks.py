"""Memories off the chip: rate over time, row hits and misses, power states."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes

from codesign.explore.figures.style import INK, say
from codesign.quantities import count, quantity, share
from codesign.report.banks import Banks, find_banks
from codesign.report.figures.colours import (
    GREY,
    ROLE_COLOURS,
    ROW_COLOURS,
    ink_on,
    ordered,
    part_colours,
    state_colours,
)
from codesign.report.figures.kit import Drawn, bars, legend_above, new_figure, prefix_axis
from codesign.report.names import shown
from codesign.report.rates import rate_of
from codesign.report.saved import Saved
from codesign.report.sums import Stack

_STEPS = 500
"""Steps of the rate in a figure (assumed): about one for each point of its width."""


def draw_banks(saved: Saved) -> Drawn:
    """Draws up to three panels for each memory off the chip."""
    memories = find_banks(saved)
    panels = [panel for banks in memories for panel in _panels(banks)]
    tall = [_height(name, banks) for name, banks in panels]
    drawn = new_figure(max(1.5, sum(tall) + 0.3), " ".join(map(said, memories)) or "None.")
    if not panels:
        say(drawn.figure, "no memory off the chip is known")
        return drawn
    grid = drawn.figure.subplots(len(panels), 1, squeeze=False, height_ratios=tall)[:, 0]
    parts = part_colours(saved)
    states = state_colours(name for banks in memories for name in _states_of(banks))
    for axes, (name, banks) in zip(grid, panels, strict=True):
        if name == "rate":
            _rate(drawn, axes, saved, banks, parts.get(banks.part.name, GREY))
        elif name == "rows":
            _rows(drawn, axes, banks)
        else:
            _states(drawn, axes, banks, states)
    return drawn


def _panels(banks: Banks) -> list[tuple[str, Banks]]:
    found = [("rate", banks)]
    if banks.knows_rows:
        found.append(("rows", banks))
    if banks.states:
        found.append(("states", banks))
    return found


def _height(panel: str, banks: Banks) -> float:
    """Inches of a panel; bars of roles have as much room each, however many they are."""
    if panel == "rows":
        return 0.8 + 0.22 * len({*banks.hits, *banks.misses})
    return 1.7 if panel == "rate" else 1.5


def said(banks: Banks) -> str:
    """A memory in sentences."""
    part = banks.part
    told = f"{part.name}: peak {quantity(part.bytes_per_s or 0.0, 'B/s')}, "
    told += f"{share(banks.used, 1.0)} of it used in the mean"
    if banks.knows_rows:
        told += f", {share(banks.hit_share, 1.0)} of the bursts found their row open"
    else:
        told += ", rows are not modelled"
    if banks.refreshes is not None:
        told += f", {count(banks.refreshes)} refreshes"
    if banks.states:
        longest = max(banks.states, key=lambda name: banks.states[name])
        told += f", mostly {longest}"
    elif not banks.knows_rows:
        told += f"; its kind, {part.kind}, has no power states"
    return told + "."


def _states_of(banks: Banks) -> tuple[str, ...]:
    """Its power states, and what else takes background energy."""
    return tuple(dict.fromkeys((*banks.states, *banks.state_j)))


def _rate(drawn: Drawn, axes: Axes, saved: Saved, banks: Banks, colour: str) -> None:
    peak = saved.peak(banks.part.name)
    rate = rate_of(saved, banks.part.name, peak).resampled(_STEPS)
    factor = prefix_axis(axes, "y", max(peak, float(rate.values.max(initial=0.0))), "B/s")
    along = prefix_axis(axes, "x", saved.makespan / 1e12, "s")
    edges = rate.edges / 1e12 / along
    area = axes.stairs(rate.values / factor, edges, fill=True, color=colour, snap=False)
    mean = rate.bytes / (saved.makespan / 1e12)
    drawn.name(area, f"{banks.part.name}: {quantity(mean, 'B/s')} in the mean")
    if peak:
        (line,) = axes.plot(edges[[0, -1]], [peak / factor] * 2, color=INK, linewidth=1.0)
        drawn.name(line, f"peak {quantity(peak, 'B/s')}")
        axes.set_ylim(0, 1.12 * peak / factor)
    axes.set_xlim(0, saved.makespan / 1e12 / along)
    told = f"{shown(banks.part.name, 24)}: rate over time"
    if peak:
        told += f"; {share(banks.used, 1.0)} of the peak of {quantity(peak, 'B/s')} in the mean"
    axes.set_title(told, loc="left", fontweight="bold")
    axes.grid(axis="y")


def _rows(drawn: Drawn, axes: Axes, banks: Banks) -> None:
    values: dict[tuple[str, str], float] = {}
    for role in ordered((*banks.hits, *banks.misses), ROLE_COLOURS):
        values[role, "row open"] = banks.hits.get(role, 0)
        values[role, "row opened"] = banks.misses.get(role, 0)
    stack = Stack(
        tuple(dict.fromkeys(role for role, _ in values)), ("row open", "row opened"), values
    )
    bars(drawn, axes, stack, "", ROW_COLOURS)
    axes.set_xlabel(f"{axes.get_xlabel()} bursts".strip())
    told = f"{shown(banks.part.name, 24)}: bursts by role; "
    axes.set_title(
        told + f"{share(banks.hit_share, 1.0)} found their row open", loc="left", fontweight="bold"
    )
    legend_above(axes, ROW_COLOURS)


def _states(drawn: Drawn, axes: Axes, banks: Banks, colours: dict[str, str]) -> None:
    names = _states_of(banks)
    time, energy = sum(banks.states.values()) or 1, sum(banks.state_j.values()) or 1.0
    bars_of: tuple[tuple[float, str, Mapping[str, float]], ...] = (
        (time, "s", banks.states),
        (energy, "J", banks.state_j),
    )
    for row, (whole, unit, amounts) in enumerate(bars_of):
        left = 0.0
        for name in names:
            amount = float(amounts.get(name, 0))
            if not amount:
                continue
            width = 100 * amount / whole
            made = axes.barh(row, width, left=left, color=colours[name], height=0.6)
            told = quantity(amount / 1e12 if unit == "s" else amount, unit)
            drawn.name(made.patches[0], f"{name}: {told}, {share(amount, whole)}")
            words = f"{shown(name, 16)} {width:.0f} %"
            if width > 1.05 * len(words) + 1:  # a sign is about a percent wide (measured)
                axes.text(
                    left + width / 2, row, words, ha="center",
                    va="center", fontsize=7.5, color=ink_on(colours[name]),
                )  # fmt: skip
            left += width
    axes.set_yticks([0, 1], ["time", "energy"])
    axes.set(xlim=(0, 100), ylim=(1.5, -0.5), xlabel="%")
    axes.tick_params(axis="y", length=0)
    refreshes = f", {count(banks.refreshes)} refreshes" if banks.refreshes is not None else ""
    told = f"{shown(banks.part.name, 24)}: background by power state{refreshes}"
    axes.set_title(told, loc="left", fontweight="bold")
    legend_above(axes, {name: colours[name] for name in names})
