"""Which DRAM takes least energy in a product that computes one per cent of the time?

Replays ResNet-50 and the encoder of a large RNN-T on one machine with LPDDR4X, LPDDR5 and HBM2,
back to back and with idle time between inferences, with an idle policy and without. Run
``python examples/dram_duty.py``; the figure goes to ``dram_duty.png``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dram_study.cases import (
    CHUNK,
    DUTIES,
    HBM2,
    LPDDR4X,
    LPDDR5,
    MEMORIES,
    MODELS,
    POLICIES,
    RESTS,
    Policy,
)
from dram_study.measure import LEAKAGE, PARTS, Measured, break_even_s, measure_all
from rich import box
from rich.console import Console
from rich.table import Table

Found = Mapping[tuple[str, str, str], Measured]

INTRODUCTION = """\
edge-npu-lpddr5 in int8, as it is but for the DRAM: LPDDR4X is lpddr4x-4266 on 2 \
channels, LPDDR5 is lpddr5-6400 on 2, HBM2 is hbm2 on 8. Rates by backend window. \
A memory that rests is powered down after 100 ns and refreshes itself after 100 \
us; one that is awake does neither. Devices and machine are uncalibrated: derived \
energies, no measurement. At a duty of 1 % an inference begins every 100 \
latencies of its own machine; idle time counts up to the next one."""


def main() -> None:
    """Replays everything, prints it, and draws the figure."""
    console = Console(highlight=False)
    found = measure_all()
    console.print(INTRODUCTION)
    console.print(alone(found))
    for model in MODELS:
        for policy in POLICIES:
            console.print(energies(model, policy, found))
    console.print(idle(found))
    console.print(break_evens(found))
    console.print()
    for remark in remarks(found):
        console.print(remark)
    console.print(picture(found))


def alone(found: Found) -> Table:
    """Latency and traffic of an inference by itself, and the states of a memory that rests."""
    heads = ("ms", "GB/s", "of peak", "moved", "rows/KiB", "open", "closed", "rests")
    table = _table("One inference, back to back; the memory rests where it can", *heads)
    for model in MODELS:
        table.add_section()
        for memory in MEMORIES:
            one = found[model, memory.name, RESTS.name]
            states = {name: s / one.latency_s for name, s in one.points[1.0].states_s.items()}
            table.add_row(
                f"{_short(model)}, {memory.name}",
                f"{one.latency_s * 1e3:.2f}",
                f"{one.bytes_per_s / 1e9:.1f}",
                f"{one.bytes_per_s / one.peak_bytes_per_s:.0%}",
                f"{one.moved_bytes / one.asked_bytes:.2f}x",
                f"{one.activates_per_kib:.1f}",
                f"{states['active']:.0%}",
                f"{states['precharged']:.0%}",
                f"{one.points[1.0].resting_share:.0%}",
            )
    return table


def energies(model: str, policy: Policy, found: Found) -> Table:
    """Energy of an inference at each duty, by part."""
    title = f"{model}, memory {policy.name}: mJ per inference"
    table = _table(title, "duty", "total", *PARTS, "share", "rests")
    for memory in MEMORIES:
        for duty in DUTIES:
            point = found[model, memory.name, policy.name].points[duty]
            table.add_row(
                memory.name,
                f"{duty:.0%}",
                f"{point.total_j * 1e3:.2f}",
                *(f"{point.energy_j[part] * 1e3:.2f}" for part in PARTS),
                f"{point.background_share:.1%}",
                f"{point.resting_share:.0%}",
            )
    return table


def idle(found: Found) -> Table:
    """Power between inferences; it does not depend on the model."""
    table = _table("Between inferences", *(f"{p.name}: mW" for p in POLICIES), "of it chip")
    for memory in MEMORIES:
        powers = [found[CHUNK, memory.name, policy.name].idle_power_w for policy in POLICIES]
        chip = found[CHUNK, memory.name, RESTS.name].points[0.01]
        table.add_row(
            memory.name,
            *(f"{power * 1e3:.2f}" for power in powers),
            f"{chip.energy_j[LEAKAGE] / chip.period_s * 1e3:.2f}",
        )
    return table


def break_evens(found: Found) -> Table:
    """The period from which on LPDDR4X takes less energy than LPDDR5 at the same period."""
    heads = ("every", "duty of LPDDR5", "duty of LPDDR4X")
    table = _table("LPDDR4X takes as much energy per inference as LPDDR5", *heads)
    for model in MODELS:
        for policy in POLICIES:
            slow, fast = (found[model, m.name, policy.name] for m in (LPDDR4X, LPDDR5))
            period = break_even_s(fast, slow)
            figures = ["never"] if period is None else [f"{period * 1e3:.0f} ms"]
            if period is not None:
                figures += [f"{one.latency_s / period:.2%}" for one in (fast, slow)]
            table.add_row(f"{model}, {policy.name}", *figures)
    return table


def remarks(found: Found) -> Iterator[str]:
    """What stands beside the tables."""
    rested, awake = (found[CHUNK, LPDDR5.name, policy.name].points[0.01] for policy in POLICIES)
    yield (
        f"At 1 % duty the idle policy saves {1 - rested.total_j / awake.total_j:.0%} of the RNN-T "
        f"with LPDDR5; of what is left, the chip's own leakage is "
        f"{rested.energy_j[LEAKAGE] / rested.total_j:.0%} and the DRAM's background "
        f"{rested.background_share:.0%}."
    )
    wide = found[CHUNK, HBM2.name, RESTS.name]
    bus = HBM2.machine(RESTS).components["bus"].bytes_per_s
    yield (
        f"With HBM2 the RNN-T takes {wide.asked_bytes / wide.latency_s / 1e9:.1f} of the "
        f"{bus / 1e9:.0f} GB/s of the machine's bus, whatever the stack could do."
    )
    yield (
        "Matrices lie row by row, and tiles are cut along bursts: the RNN-T moves "
        f"{wide.moved_bytes / wide.asked_bytes:.2f} bytes for each that is asked for."
    )
    late = found[CHUNK, LPDDR5.name, RESTS.name].latency_s
    yield f"In speech a chunk comes every 240 ms: {late / 0.24:.1%} duty with LPDDR5."


def picture(found: Found) -> str:
    """Draws the figure, and says where it is."""
    try:
        from dram_study.figure import draw
    except ModuleNotFoundError as missing:
        return f"No figure: it needs {missing.name}, which pip installs."
    return f"Figure: {draw(found)}"


def _short(model: str) -> str:
    return model.split()[0]


def _table(title: str, *heads: str) -> Table:
    table = Table(
        title=f"\n{title}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for number, head in enumerate(("", *heads)):
        table.add_column(head, justify="right" if number else "left", no_wrap=True)
    return table


if __name__ == "__main__":
    main()
