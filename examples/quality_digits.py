"""Which change to a small recurrent network or to its hardware pays most, and in what accuracy?

Trains networks that read handwritten digits row by row, rounds their weights to few bits, replays
them on an NPU with buffers of several sizes, and finds what no other choice beats in accuracy,
energy and latency at once. Run ``python examples/quality_digits.py``; the figure goes to
``quality_digits.png``. Needs scikit-learn, which has the digits.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec

from quality.compare import (
    BUFFER,
    LARGE,
    MOST_POINTS,
    SMALL,
    Change,
    by_seed,
    changes,
    cheapest,
    in_percent,
    in_points,
    ranked,
    start_of,
    steps,
)
from quality.measure import Found, measure_all
from rich import box
from rich.console import Console
from rich.table import Table

INTRODUCTION = """\
Accuracy is measured: 5 networks of each kind are trained, each with a seed and a \
validation part of its own, and their matrices rounded afterwards; ± is the \
standard deviation over seeds. Energy and latency are simulated: one image at \
batch 1 that finds nothing on chip, on the preset edge-npu with a small buffer. \
None of that is calibrated. What is below 85 % is not replayed. Choices rest on \
validation images alone."""


def main() -> None:
    """Trains and replays everything, prints it, and draws the figure."""
    if find_spec("sklearn") is None:
        sys.exit("the digits of this study come with scikit-learn: pip install scikit-learn")
    console = Console(highlight=False)
    found = measure_all()
    console.print(INTRODUCTION)
    console.print(changes_table(found))
    console.print(front_table(found))
    console.print()
    for remark in remarks(found):
        console.print(remark)
    console.print(picture(found))


def changes_table(found: Found) -> Table:
    """What each change alone brings, from a network that does not fit and from one that does."""
    table = _table(
        "LSTM 64 in 8 bits, one change at a time: times less energy and latency",
        ("change", f"from {SMALL}", "", f"from {LARGE}", "", "validation,"),
        ("", "energy", "latency", "energy", "latency", "points"),
    )
    for small, large in zip(changes(found, SMALL), changes(found, LARGE), strict=True):
        points = in_points(small.points) if any(small.points) else "same"
        table.add_row(small.name, *_ratios(small), *_ratios(large), points)
    return table


def _ratios(change: Change) -> tuple[str, str]:
    if change.row is None:
        return "-", "-"
    return f"{change.energy:.2f}", f"{change.latency:.2f}"


def front_table(found: Found) -> Table:
    """The front, without rows that add less than a point of accuracy."""
    shown = steps(found)
    table = _table(
        f"The front, {len(shown)} of {len(found.front)} rows: a point better than all cheaper ones",
        ("cell", "width", "bits", "buffer", "nJ", "us", "validation, %", "test, %"),
    )
    for row in shown:
        scores = found.scores_of(row)
        table.add_row(
            *(str(row[name]) for name in ("cell", "width", "weight_bits", "sram.size")),
            f"{1e9 * row['energy_j']:,.0f}",
            f"{1e6 * row['latency_s']:.2f}",
            in_percent(scores.validation),
            in_percent(scores.test),
        )
    return table


def remarks(found: Found) -> Iterator[str]:
    """The answer."""
    for buffer in (SMALL, LARGE):
        names = [f"{change.name} {change.energy:.1f}" for change in ranked(found, buffer)]
        yield (
            f"From {buffer}, what costs at most {MOST_POINTS:g} point, by energy: "
            f"{', '.join(names)}."
        )
    row = cheapest(found, SMALL)
    small, large = (start_of(found, buffer) for buffer in (SMALL, LARGE))
    before, after = found.scores_of(small), found.scores_of(row)
    yield (
        f"All together, {row['cell']} {row['width']} in {row['weight_bits']} bits with "
        f"{row[BUFFER]}: {small['energy_j'] / row['energy_j']:.0f} times less energy and "
        f"{small['latency_s'] / row['latency_s']:.0f} times less latency than from {SMALL}, "
        f"{large['energy_j'] / row['energy_j']:.0f} and "
        f"{large['latency_s'] / row['latency_s']:.0f} times than from {LARGE}. Accuracy "
        f"changes by {in_points(by_seed(after.validation, before.validation))} points on the "
        f"validation images that chose it, and by {in_points(by_seed(after.test, before.test))} "
        "on the test images that did not."
    )


def picture(found: Found) -> str:
    """Draws the figure, and says where it is."""
    try:
        from quality.figure import draw
    except ModuleNotFoundError as missing:
        return f"No figure: it needs {missing.name}, which pip installs."
    return f"Figure: {draw(found)}"


def _table(title: str, *heads: tuple[str, ...]) -> Table:
    """A table whose head has one line or more."""
    table = Table(
        title=f"\n{title}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 2, 0, 0),
    )
    for place, lines in enumerate(zip(*heads, strict=True)):
        justify = "left" if place == 0 else "right"
        table.add_column("\n".join(lines), justify=justify, no_wrap=True)
    return table


if __name__ == "__main__":
    main()
