"""Three models on edge-npu: what each operator gets out of the machine, and where energy goes.

Run ``python examples/roofline.py`` to print energy by component, and with ``--figure`` to draw
``examples/roofline.png`` too (``pip install 'codesign[plot]'``).
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import codesign

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MODELS = ("resnet50", "mobilenet_v2", "lstm_lm")
PARTS = ("dram", "npu", "sram", "bus", "vector")
COLOURS = ("#084594", "#4292c6", "#9ecae1", "#fdae6b", "#d94801")


def reached(result: codesign.Result) -> list[tuple[float, float]]:
    """MACs per byte off chip and MACs per second of each contraction.

    Its seconds are those from the end of the operator before it to its own end.
    """
    spans = sorted(result.replay.spans, key=lambda span: span.end)
    took = {two.assignment.op.name: two.end - one.end for one, two in pairwise(spans)}
    rows = zip(*(result.operators[key] for key in ("name", "macs", "moved_bytes")), strict=True)
    return [
        (macs / moved, macs / (took[name] * 1e-12))
        for name, macs, moved in rows
        if macs and moved and took.get(name, 0) > 0
    ]


def roof(axes: Axes, edge: codesign.Hardware) -> None:
    """The peak of the array, and the memory at its rate."""
    array, dram = edge.engine("npu"), edge.components["dram"]
    peak = array.rows * array.cols * array.clock
    rate = dram.bandwidth * dram.efficiency
    corner = peak / rate
    axes.plot([1, corner, 1e4], [rate, peak, peak], color="#444444", lw=1)
    axes.set_ylim(6e9, peak * 1.8)
    axes.text(900, peak * 1.15, f"array {peak / 1e12:.1f} TMAC/s", fontsize=7)
    axes.text(1.3, rate * 3.6, f"memory {rate / 1e9:.1f} GB/s", fontsize=7, rotation=32)


def draw(results: dict[str, codesign.Result], path: Path) -> None:
    """Draws operators under the roof, and the energy of each model by component."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), width_ratios=(3, 2))
    roof(left, codesign.load_hardware("edge-npu"))
    for (name, result), mark in zip(results.items(), "osv", strict=True):
        x, y = zip(*reached(result), strict=True)
        left.scatter(x, y, s=18, marker=mark, alpha=0.75, label=name)
    left.set(xscale="log", yscale="log", xlabel="MACs per byte off chip", ylabel="MAC/s reached")
    left.set_title("operators on edge-npu", fontsize=10)
    left.legend(fontsize=8, frameon=False, loc="lower right")
    bottom = [0.0] * len(results)
    for part, colour in zip(PARTS, COLOURS, strict=True):
        heights = [100 * one.energy_by_component_j[part] / one.energy_j for one in results.values()]
        right.bar(list(results), heights, bottom=bottom, color=colour, label=part, width=0.6)
        bottom = [a + b for a, b in zip(bottom, heights, strict=True)]
    for place, one in enumerate(results.values()):
        right.text(place, 102, f"{one.energy_j * 1e3:.2f} mJ", ha="center", fontsize=8)
    right.set(ylabel="energy (%)", ylim=(0, 112))
    right.set_title("energy by component", fontsize=10)
    right.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    """Prints energy by component, and draws it if asked to."""
    results = {name: codesign.simulate(name, "edge-npu") for name in MODELS}
    print(f"{'':14}", *(f"{part:>7}" for part in PARTS))
    for name, result in results.items():
        shares = (result.energy_by_component_j[part] / result.energy_j for part in PARTS)
        print(f"{name:14}", *(f"{share:7.1%}" for share in shares))
    if "--figure" in sys.argv:
        draw(results, Path(__file__).with_suffix(".png"))


if __name__ == "__main__":
    main()
