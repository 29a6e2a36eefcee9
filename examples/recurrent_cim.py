"""Where should the weights of a recurrent cell lie: in compute-in-memory cells, SRAM or DRAM?

Replays LSTM steps of several sizes with weights that stay in the cells of macros, in an SRAM beside
an NPU, or nowhere. Run ``python examples/recurrent_cim.py``; the figure goes to
``recurrent_cim.png``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from recurrent_study.measure import (
    CELLS,
    DRAM,
    LARGE,
    SIDES,
    SIZES,
    SRAM,
    Measured,
    measure_all,
    weight_bytes,
)
from rich import box
from rich.console import Console
from rich.table import Table

Found = Mapping[tuple[int, str], Measured]

INTRODUCTION = """\
A shape study with our own parameters: derived figures of stated machines, no \
measurement. One LSTM layer in int8 at batch 1, frame by frame, as many inputs as \
states. The machine is h4h-edge with 4 macros of 32 weight sets, 2 MiB of cells. \
Cells: the macros multiply. SRAM: the 32 x 32 array multiplies, and the scratchpad \
holds up to 2 or 8 MiB of weights. DRAM: the array, a small scratchpad, nothing \
stays. Figures are of a step in the steady state, what is loaded once left out; \
energy is that of the chip with its leakage and of bytes moved by the DRAM."""


def main() -> None:
    """Replays everything, prints it, and draws the figure."""
    console = Console(highlight=False)
    found = measure_all()
    console.print(INTRODUCTION)
    console.print(table("nJ per step", found, lambda one: f"{1e9 * one.energy_j:,.0f}"))
    console.print(table("us per step", found, lambda one: f"{1e6 * one.latency_s:,.2f}"))
    console.print(table("Weight bytes fetched", found, lambda one: f"{one.weight_bytes:,}"))
    console.print(table("us in which the engine computes", found, _engine))
    console.print()
    for remark in remarks(found):
        console.print(remark)
    console.print(picture(found))


def table(title: str, found: Found, text: Callable[[Measured], str]) -> Table:
    """One figure of every size and side."""
    shown = Table(
        title=f"\n{title}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for head in ("hidden", "weights, B", *(side.name for side in SIDES)):
        shown.add_column(head, justify="right", no_wrap=True)
    for hidden in SIZES:
        ones = [found[hidden, side.name] for side in SIDES]
        shown.add_row(str(hidden), f"{weight_bytes(hidden):,}", *map(text, ones))
    return shown


def _engine(one: Measured) -> str:
    return f"{1e6 * one.engine_s:,.3f}"


def remarks(found: Found) -> Iterator[str]:
    """What stands beside the tables."""
    fits = [hidden for hidden in SIZES if not found[hidden, CELLS.name].weight_bytes]
    last = fits[-1]
    cells, sram, dram = (found[last, side.name] for side in (CELLS, SRAM, DRAM))
    yield (
        f"Up to {last} the cells hold both matrices. There a step takes "
        f"{1e9 * cells.energy_j:,.0f} nJ, {sram.energy_j / cells.energy_j:.0f} times less than "
        f"with an SRAM of as many weight bytes and {dram.energy_j / cells.energy_j:.0f} times less "
        "than from DRAM."
    )
    lost = next(h for h in SIZES if found[h, CELLS.name].energy_j > found[h, LARGE.name].energy_j)
    cells, large = found[lost, CELLS.name], found[lost, LARGE.name]
    yield (
        f"From {lost} on they lose to the larger SRAM: {1e9 * cells.energy_j:,.0f} nJ against "
        f"{1e9 * large.energy_j:,.0f}, {1e6 * cells.latency_s:,.0f} us against "
        f"{1e6 * large.latency_s:,.0f}. The macros compute for {1e6 * cells.engine_s:.2f} us of "
        "that; the rest is reload."
    )
    yield f"An SRAM of 2 MiB is full at the same size: every step from {lost} on fetches all."


def picture(found: Found) -> str:
    """Draws the figure, and says where it is."""
    try:
        from recurrent_study.figure import draw
    except ModuleNotFoundError as missing:
        return f"No figure: it needs {missing.name}, which pip installs."
    return f"Figure: {draw(found)}"


if __name__ == "__main__":
    main()
