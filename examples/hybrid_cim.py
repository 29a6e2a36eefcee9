"""Which operators of a CNN-transformer hybrid belong on compute-in-memory, and on how many macros?

Places and replays the hybrid of the zoo on an NPU, on macros, and on both with 1 to 32 macros. Run
``python examples/hybrid_cim.py``; the figure goes to ``hybrid_cim.png``.
"""

from __future__ import annotations

from collections.abc import Iterator

from hybrid_study.cases import (
    CASES,
    CIM_ONLY,
    COUNTS,
    FREE,
    LARGE,
    NPU_ONLY,
    PRODUCTS_APART,
    SORTS,
    UNPACKED,
)
from hybrid_study.measure import PARTS, REST, Measured, Study, measure_all
from rich import box
from rich.console import Console
from rich.table import Table

PUBLISHED = "56.08 % and 41.72 %"
"""Latency and energy, Zhao et al., ASP-DAC 2025: "up to", networks and machine of their own."""

INTRODUCTION = """\
A shape study with our own parameters: derived figures of a stated machine, no \
measurement and no reproduction. hybrid_cnn_vit for one image in int8 on h4h-edge: \
an NPU of 32 x 32 cells and digital macros of 128 x 128 weights with 4 weight \
sets, on a scratchpad of 4 MiB, in which residency greedy keeps every activation. \
Weights come from LPDDR4 in every inference, and load while macros compute; \
macros may write a computed factor into their cells. Baseline of every cut: the \
same machine with all contractions on the NPU. Energy: the chip with its leakage, \
and bytes moved by the DRAM. Best: the fastest of the placements simulated."""


def main() -> None:
    """Replays everything, prints it, and draws the figure."""
    console = Console(highlight=False)
    study = measure_all()
    console.print(INTRODUCTION)
    console.print(best(study))
    console.print(placed(study))
    console.print(busy(study))
    console.print(every(study))
    console.print(energies(study))
    console.print()
    for remark in remarks(study):
        console.print(remark)
    console.print(picture(study))


def best(study: Study) -> Table:
    """The fastest placement by number of macros."""
    heads = ("ms", "latency cut", "uJ", "energy cut", "placement")
    table = _table("Best placement", "macros", *heads)
    for count in COUNTS:
        case, one = study.best(count)
        table.add_row(str(count), *_figures(study, one), case.name)
    return table


def every(study: Study) -> Table:
    """Every placement that was simulated."""
    table = _table("Every placement", "", "macros", "ms", "cut", "uJ", "cut", "to cells")
    for case in CASES:
        one = study.found[case]
        macros = str(case.macros) if case.macros else "-"
        table.add_row(case.name, macros, *_figures(study, one), f"{one.cell_bytes:,}")
    resident = study.resident
    name = "both, weights stay"
    figures = _figures(study, resident)
    table.add_row(name, str(LARGE.macros), *figures, f"{resident.cell_bytes:,}")
    return table


def placed(study: Study) -> Table:
    """How many contractions of each sort run on macros in the best placement."""
    heads = ("all", *(str(count) for count in COUNTS))
    table = _table("Contractions on macros, best placement", "", *heads)
    for sort in SORTS:
        every = sum(product.sort == sort for product in study.found[NPU_ONLY].products)
        ran = [study.best(count)[1].ran_on(sort)["cim"] for count in COUNTS]
        table.add_row(sort, str(every), *map(str, ran))
    return table


def busy(study: Study) -> Table:
    """Time in which engines compute each sort, if all of it runs there."""
    heads = ("MMAC", "NPU", "1 macro", "8 macros", "8, not packed")
    table = _table("us in which an engine computes, were all of it there", "", *heads)
    base, (one, eight) = study.found[NPU_ONLY], (study.found[case] for case in CIM_ONLY)
    for sort in SORTS:
        macs = sum(product.macs for product in base.products if product.sort == sort)
        sides = [f"{1e6 * side.busy_s(sort):,.0f}" for side in (base, one, eight)]
        table.add_row(sort, f"{macs / 1e6:.1f}", *sides, f"{1e6 * study.unpacked_s[sort]:,.0f}")
    return table


def energies(study: Study) -> Table:
    """Where the energy goes."""
    parts = (*dict.fromkeys(PARTS.values()), REST)
    table = _table("uJ per inference by part", "", *parts)
    sides = {"NPU only": study.found[NPU_ONLY]}
    sides |= {f"best, {count} macros": study.best(count)[1] for count in (2, 8)}
    sides |= {"CIM only, 8 macros": study.found[CIM_ONLY[1]], "weights stay": study.resident}
    for name, one in sides.items():
        table.add_row(name, *(f"{1e6 * one.energy_j[part]:.1f}" for part in parts))
    return table


def remarks(study: Study) -> Iterator[str]:
    """What stands beside the tables."""
    cuts = [study.cuts(study.best(count)[1]) for count in COUNTS]
    latency, energy = (100 * max(cut) for cut in zip(*cuts, strict=True))
    yield (
        f"Up to {latency:.1f} % of the latency and {energy:.1f} % of the energy here; H4H "
        f"publishes up to {PUBLISHED}, of networks found for a machine whose tables are not public."
    )
    free, held = study.found[FREE].latency_s, study.best(FREE.macros)[1].latency_s
    yield (
        f"Left to choose, each operator by itself, attention products go to {FREE.macros} macros, "
        f"and the run takes {free / held - 1:.0%} longer than with them on the NPU."
    )
    packed = study.best(UNPACKED.macros)[1].ran_on("3x3 depthwise")["cim"]
    apart = study.found[UNPACKED].ran_on("3x3 depthwise")["cim"]
    yield (
        f"Of 13 depthwise layers {packed} run on {UNPACKED.macros} macros, which lay 14 channels "
        f"on one tile; {apart} do where each channel takes a tile of its own."
    )
    only, split = study.found[CIM_ONLY[1]], study.found[PRODUCTS_APART]
    yield (
        f"CIM only writes the second factor of attention products into cells; with these on the "
        f"NPU {only.latency_s * 1e3:.2f} ms become {split.latency_s * 1e3:.2f} ms."
    )


def picture(study: Study) -> str:
    """Draws the figure, and says where it is."""
    try:
        from hybrid_study.figure import draw
    except ModuleNotFoundError as missing:
        return f"No figure: it needs {missing.name}, which pip installs."
    return f"Figure: {draw(study)}"


def _figures(study: Study, one: Measured) -> tuple[str, str, str, str]:
    latency, energy = (f"{100 * cut:.1f} %" for cut in study.cuts(one))
    return f"{one.latency_s * 1e3:.3f}", latency, f"{one.total_j * 1e6:.1f}", energy


def _table(title: str, *heads: str) -> Table:
    table = Table(
        title=f"\n{title}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number else "left", no_wrap=True)
    return table


if __name__ == "__main__":
    main()
