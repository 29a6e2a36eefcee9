"""The figure of the hybrid study: latency and energy against macros, and who runs what."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from hybrid_study.cases import CIM_ONLY, COUNTS, FREE, NPU_ONLY, SORTS, UNPACKED
from hybrid_study.measure import CIM, Measured, Study

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#666666"
"""Colours that stay apart for most kinds of colour blindness (Okabe and Ito, 2008)."""
TITLE = """A CNN-transformer hybrid on h4h-edge, 4 MiB scratchpad: best of the placements simulated
shape study with own parameters; energy of the chip with leakage and of bytes moved by the DRAM"""


def draw(study: Study, path: str | Path = "hybrid_cim.png") -> Path:
    """Draws every case.

    Args:
        study: what was measured.
        path: where it goes, as PNG.
    """
    figure, axes = pyplot.subplots(
        1, 3, figsize=(13, 5.6), layout="constrained", width_ratios=(1, 1, 1.15)
    )
    _against_macros(axes[0], study, "latency_s", 1e3, "ms per inference")
    _against_macros(axes[1], study, "total_j", 1e6, "uJ per inference")
    _map(axes[2], study)
    axes[0].legend(fontsize=8.5)
    figure.suptitle(TITLE, fontsize=10)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
    return Path(path)


def _against_macros(axes: Axes, study: Study, field: str, scale: float, label: str) -> None:
    """One figure of the best placement by number of macros, and of what else was tried."""

    def value(one: Measured) -> float:
        return scale * float(getattr(one, field))

    places = range(len(COUNTS))
    axes.axhline(value(study.found[NPU_ONLY]), color=GREY, linestyle="--", label="NPU only")
    best = [value(study.best(count)[1]) for count in COUNTS]
    axes.plot(places, best, "o-", color=ORANGE, label="NPU + CIM, best by latency")
    ends = [COUNTS.index(case.macros) for case in CIM_ONLY]
    only = [value(study.found[case]) for case in CIM_ONLY]
    axes.plot(ends, only, "s", color=BLUE, label="CIM only")
    for case, mark, words in (
        (FREE, "^", "attention products free"),
        (UNPACKED, "v", "depthwise not packed"),
    ):
        at = COUNTS.index(case.macros)
        axes.plot([at], [value(study.found[case])], mark, color="black", mfc="none", label=words)
    axes.plot([COUNTS.index(8)], [value(study.resident)], "D", color=ORANGE, mfc="none")
    axes.lines[-1].set_label("weights stay in 64 sets")
    axes.set_xticks(places, [str(count) for count in COUNTS])
    axes.set(ylim=(0, None), xlabel="macros of 128 x 128 weights", ylabel=label)
    axes.grid(alpha=0.3, linewidth=0.4)


def _map(axes: Axes, study: Study) -> None:
    """A row for each contraction, sort by sort, and a column for each number of macros."""
    base = study.found[NPU_ONLY].products
    order = sorted(range(len(base)), key=lambda n: (SORTS.index(base[n].sort), n))
    columns = [study.best(count)[1].products for count in COUNTS]
    cells = np.array([[column[n].engine == CIM for column in columns] for n in order])
    axes.imshow(cells, aspect="auto", cmap=ListedColormap(["#d9d9d9", ORANGE]), vmin=0, vmax=1)
    row = 0
    for sort in SORTS:
        count = sum(product.sort == sort for product in base)
        axes.text(-0.62, row + (count - 1) / 2, f"{sort} ({count})", ha="right", va="center")
        row += count
        axes.axhline(row - 0.5, color="white", linewidth=2)
    axes.set_xticks(range(len(COUNTS)), [str(count) for count in COUNTS])
    axes.set_yticks([])
    axes.set_xlabel("macros")
    keys = [Patch(color="#d9d9d9", label="NPU"), Patch(color=ORANGE, label="macros")]
    axes.legend(handles=keys, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=9)
