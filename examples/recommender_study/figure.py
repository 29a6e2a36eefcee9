"""The figure of the recommender study: what is read, where units pay, and energy by component."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes

from recommender_study.cases import CASES, HOST, LINE, MODELS, PIM, REPLAYED
from recommender_study.measure import Study
from recommender_study.traffic import BURST

COLOURS = ("#222222", "#e69f00", "#0072b2", "#009e73", "#d55e00", "#cc79a7", "#56b4e9")
"""Colours that stay apart for most kinds of colour blindness (Okabe and Ito, 2008)."""
SHOWN = "nasrec_criteo_small"
FILLS = {
    "npu": ("#ffffff", ""),
    "pim": ("#d55e00", "////"),
    "cim": ("#e69f00", "xxxx"),
    "vector": ("#ffffff", "...."),
    "sram": ("#c4c4c4", ""),
    "bus": ("#555555", ""),
    "dram": ("#56b4e9", "\\\\\\\\"),
}
"""Fill and hatch of each component: apart in grey too."""


def draw(study: Study, path: str | Path = "recommender_pim.png") -> Path:
    """Draws the study.

    Args:
        study: what was measured.
        path: where it goes, as PNG.
    """
    figure, (left, middle, right) = pyplot.subplots(1, 3, figsize=(15, 5), layout="constrained")
    _shares(left, study)
    _lines(middle, study)
    _parts(right, study)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
    return Path(path)


def _shares(axes: Axes, study: Study) -> None:
    """Share of embeddings against the batch."""
    batches = np.unique(np.geomspace(1, 65536, 60).astype(int))
    for colour, (model, traffic) in zip(COLOURS, study.traffic.items(), strict=True):
        for form, burst, line in (("fp32", 1, "-"), ("int8", BURST, ":")):
            rows = [traffic.embedding_bytes(int(batch), form, burst) for batch in batches]
            share = [100 * size / (size + traffic.dense_bytes(form)) for size in rows]
            label = model.removeprefix("nasrec_") if line == "-" else None
            axes.plot(batches, share, line, color=colour, label=label, linewidth=1.3)
    axes.axhline(50, color="black", linewidth=0.6)
    axes.set(xscale="log", xlabel="samples of a batch", ylabel="embeddings, % of what is read")
    axes.set_title(f"fp32, useful bytes (solid); int8, bursts of {BURST} B (dotted)", fontsize=10)
    axes.legend(fontsize=8)


def _lines(axes: Axes, study: Study) -> None:
    """Host over units against the batch, on the lines through what was replayed."""
    batches = np.linspace(*LINE, 100)
    for model in REPLAYED:
        colour = COLOURS[MODELS.index(model)]
        for line, energy in (("-", False), ("--", True)):
            host, pim = (
                np.interp(batches, LINE, _figures(study, model, case.name, energy))
                for case in (HOST, PIM)
            )
            label = None if energy else model.removeprefix("nasrec_")
            axes.plot(batches, host / pim, line, color=colour, label=label, linewidth=1.3)
    axes.axhline(1, color="black", linewidth=0.6)
    axes.set(
        xscale="log", yscale="log", xlabel="samples of a batch", ylabel="host / units by rules"
    )
    axes.set_title("time (solid) and energy (dashed), fp16; above 1 units pay", fontsize=10)
    axes.set_xticks([1, 2, 4, 8, 16], ["1", "2", "4", "8", "16"])
    axes.set_yticks([0.1, 0.2, 0.5, 1, 2, 3], ["0.1", "0.2", "0.5", "1", "2", "3"])
    axes.minorticks_off()
    axes.legend(fontsize=8)


def _figures(study: Study, model: str, case: str, energy: bool) -> list[float]:
    found = [study.runs[model, batch, case] for batch in LINE]
    return [one.total_j if energy else one.latency_s for one in found]


def _parts(axes: Axes, study: Study) -> None:
    """Energy by component of one sample."""
    bars = [study.runs[SHOWN, 1, case.name] for case in CASES]
    bottom = np.zeros(len(bars))
    for part, (fill, hatch) in FILLS.items():
        names = (part, "cim.cells") if part == "cim" else (part,)
        heights = np.array([sum(b.energy_j.get(n, 0.0) for n in names) * 1e6 for b in bars])
        look: dict[str, Any] = {
            "color": fill,
            "hatch": hatch,
            "edgecolor": "black",
            "linewidth": 0.5,
        }
        axes.bar(range(len(bars)), heights, 0.7, bottom=bottom, label=part, **look)
        bottom += heights
    for place, one in enumerate(bars):
        axes.annotate(
            f"{one.latency_s * 1e6:.0f} us",
            (place, bottom[place]),
            ha="center",
            va="bottom",
            fontsize=8.5,
        )
    axes.set_xticks(range(len(bars)), [c.name.replace(", ", ",\n") for c in CASES], fontsize=8)
    axes.tick_params(axis="x", rotation=30)
    axes.set(ylabel="uJ for one sample (above: latency)", xlabel="")
    axes.set_title(
        f"{SHOWN.removeprefix('nasrec_')}, one sample; fp16 (four) and int8 (two)", fontsize=10
    )
    axes.legend(fontsize=8)
