"""What both reports say of the parts of the hardware: energy by cause, states, memories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from codesign.cli.output import table
from codesign.cli.quantities import count, quantity, share
from codesign.units import PS_PER_S

if TYPE_CHECKING:
    from rich.console import RenderableType

    from codesign.hardware.machine import Hardware
    from codesign.replay.result import Use
    from codesign.result.ledger import Ledger
    from codesign.result.result import Result
    from codesign.result.split import EnergySplit
    from codesign.scenario.result import ScenarioResult

WHOLE_BURSTS = "bytes moved: whole bursts, with the ends that nobody asked for"
"""What the bytes of off-chip memories count."""


def grid(rows: list[tuple[str, str, str]]) -> Table:
    """A headline: what it is, the figure, and what to know of it."""
    made = Table.grid(padding=(0, 2))
    for name, figure, words in rows:
        made.add_row(Text(name, "dim"), Text(figure, "bold"), words)
    return made


def energy_words(split: EnergySplit) -> str:
    """The energy by cause in words."""
    words = f"{quantity(split.dynamic_j, 'J')} dynamic, {quantity(split.leakage_j, 'J')} leakage"
    if split.background_by_state_j:
        words += f", {quantity(split.background_j, 'J')} background"
    return words


def assumed_row(result: Result | ScenarioResult) -> tuple[str, str, str]:
    """The line of the headline on the sources of the energy."""
    figure = share(result.assumed_energy_share, 1.0)
    return "assumed", figure, "of the energy rests on prices with status assumed"


def components(result: Result | ScenarioResult, time: str) -> RenderableType:
    """Energy and use of each component.

    Args:
        result: what was measured.
        time: which time utilisation is a share of, in words.
    """
    split, total = result.energy_split, result.energy_j
    rests = bool(split.background_by_state_j)
    rows = []
    for name, energy in result.energy_by_component_j.items():
        used = result.utilization.get(name)
        row = (
            name,
            result.machine.components[name].kind,
            quantity(energy, "J"),
            share(energy, total),
            quantity(split.leakage_by_component_j.get(name, 0.0), "J"),
            *([quantity(split.background_of(name), "J")] if rests else []),
            "" if used is None else share(used, 1.0),
        )
        rows.append(row)
    blank = [""] * (4 + rests)
    for name, used in result.utilization.items():
        if name not in result.energy_by_component_j:  # its energy is that of its link
            rows.append((name, "decoder", *blank[1:], share(used, 1.0)))
    more = [">background"] if rests else []
    columns = ("=name", "=kind", ">energy", ">share", ">leakage", *more, ">utilisation")
    legend = "energy: all causes; leakage: flows all the time; "
    legend += "background: power states and refreshes; " if rests else ""
    legend += f"utilisation: share of {time}"
    return Group(table("Components", columns, rows), Text(legend, "dim"))


def background(
    result: Result | ScenarioResult, ledger: Ledger, uses: Mapping[str, Use]
) -> Iterator[RenderableType]:
    """Time and energy of memories in each power state, and their refreshes; nothing if none has.

    Args:
        result: for the energy of all.
        ledger: the one with what flows all the time.
        uses: what the memories did, by name.
    """
    rows = []
    static = zip(
        ledger.op.tolist(), ledger.component.tolist(), ledger.action.tolist(),
        ledger.count.tolist(), strict=True,
    )  # fmt: skip
    for op, name, action, number in static:
        joules = result.energy_split.background_by_state_j.get(name, {}).get(action)
        if op >= 0 or joules is None:
            continue
        ticks = uses[name].ticks
        is_state = action in ticks
        rows.append(
            (
                name,
                action,
                quantity(number / PS_PER_S, "s") if is_state else f"{count(number)} times",
                share(number, sum(ticks.values())) if is_state else "",
                quantity(joules, "J"),
                share(joules, result.energy_j),
            )
        )
    if rows:
        columns = ("=memory", "=state", ">spent", ">of time", ">energy", ">of energy")
        yield table("Background of memories", columns, rows)


def memories(machine: Hardware) -> RenderableType:
    """Off-chip memories: the device, its channels, and the peak that utilisation refers to."""
    from codesign.result.utilization import peak_bytes_per_s

    rows = []
    for memory in machine.memories:
        if memory.off_chip:
            given = (
                row.value
                for row in machine.provenance
                if (row.component, row.field) == (memory.name, "device")
            )
            device = memory.bank_device
            channels = device.organisation.channels if device else ""
            peak = quantity(peak_bytes_per_s(memory), "B/s")
            rows.append((memory.name, next(given, ""), str(channels), peak))
    legend = "peak: the most that a plain transfer may reach, which utilisation is a share of"
    columns = ("=memory", "device", ">channels", ">peak")
    return Group(table("Off-chip memories", columns, rows), Text(legend, "dim"))
