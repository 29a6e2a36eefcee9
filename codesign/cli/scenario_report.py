"""The report of ``codesign scenario``, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from codesign.cli.output import table
from codesign.cli.quantities import count, quantity, share

if TYPE_CHECKING:
    from rich.console import RenderableType

    from codesign.scenario.measure import Distribution
    from codesign.scenario.result import ScenarioResult


def report(result: ScenarioResult) -> Sequence[RenderableType]:
    """Everything to print, in order: headline, verdict, streams, components, assumptions."""
    title = Text.assemble((result.scenario.name, "bold"), " on ", (result.machine.name, "bold"))
    parts = [
        _headline(result),
        _verdict(result),
        _streams(result),
        _times(result),
        _components(result),
        _traffic(result),
        _assumptions(result),
    ]
    return [title, *(piece for part in parts for piece in ("", part))]


def _headline(result: ScenarioResult) -> Table:
    perceived = result.perceived_latency
    outputs = " and ".join(result.scenario.outputs)
    wait = f"from the end of input to the last run of {outputs}"
    if perceived is None:
        wait = "for outputs to be named"
    elif result.scenario.utterances > 1:
        wait += f" in {count(result.scenario.utterances)} utterances: {_words(perceived)}"
    active = share(result.input_s, result.span_s)
    rows = [
        ("real-time factor", f"{result.real_time_factor:.4g}", f"{result.input_s:g} s of input"),
        ("perceived latency", "" if perceived is None else quantity(perceived.mean_s, "s"), wait),
        (
            "average power",
            quantity(result.average_power_w, "W"),
            f"over {quantity(result.span_s, 's')}, {active} of them with input",
        ),
        (
            "energy",
            quantity(result.energy_j, "J"),
            f"{quantity(result.static_energy_j, 'J')} of it leakage",
        ),
        ("off chip", quantity(result.offchip_bytes_per_s, "B/s"), "per second of input"),
        ("digest", result.digest[:12], f"hardware {result.machine.digest[:12]}"),
    ]
    grid = Table.grid(padding=(0, 2))
    for row in rows:
        grid.add_row(Text(row[0], "dim"), Text(row[1], "bold"), row[2])
    return grid


def _words(times: Distribution) -> str:
    values = {"p50": times.p50_s, "p95": times.p95_s, "p99": times.p99_s, "max": times.max_s}
    return ", ".join(f"{name} {quantity(value, 's')}" for name, value in values.items())


def _verdict(result: ScenarioResult) -> RenderableType:
    if not result.overloads:
        return Text("No stream falls behind its input.")
    return Group(*(Text(f"OVERLOAD: {line}", "bold red") for line in result.overloads))


def _streams(result: ScenarioResult) -> Table:
    rows = [
        (
            name,
            f"{figures.arrival}, beam {figures.beam}" if figures.beam > 1 else figures.arrival,
            count(figures.runs),
            "" if figures.late is None else count(figures.late),
            count(figures.peak_backlog),
            f"{figures.real_time_factor:.4g}",
            quantity(figures.energy_j, "J"),
            quantity(figures.offchip_bytes_per_s, "B/s"),
        )
        for name, figures in result.streams.items()
    ]
    columns = ("=stream", "asked for", ">runs", ">late", ">backlog", ">RTF", ">energy", ">off chip")
    return table("Streams", columns, rows)


def _times(result: ScenarioResult) -> Table:
    columns = ("=stream", "=time", ">mean", ">p50", ">p95", ">p99", ">max")
    return table("Times of the runs", columns, list(_time_rows(result)))


def _time_rows(result: ScenarioResult) -> Iterator[tuple[str, ...]]:
    for name, figures in result.streams.items():
        for measure in ("waiting", "service", "response"):
            times: Distribution = getattr(figures, measure)
            values = (times.mean_s, times.p50_s, times.p95_s, times.p99_s, times.max_s)
            head = name if measure == "waiting" else ""
            yield (head, measure, *(quantity(value, "s") for value in values))


def _components(result: ScenarioResult) -> Table:
    rows = []
    for name, energy in result.energy_by_component_j.items():
        used = result.utilization.get(name)
        rows.append(
            (
                name,
                result.machine.components[name].kind,
                quantity(energy, "J"),
                share(energy, result.energy_j),
                quantity(result.static_energy_by_component_j[name], "J"),
                "" if used is None else share(used, 1.0),
            )
        )
    columns = ("=name", "=kind", ">energy", ">share", ">leakage", ">utilisation")
    return table("Components", columns, rows)


def _traffic(result: ScenarioResult) -> Table:
    total = sum(sum(figures.offchip_bytes.values()) for figures in result.streams.values())
    rows = [
        (name, role, quantity(size, "B"), share(size, total))
        for name, figures in result.streams.items()
        for role, size in figures.offchip_bytes.items()
        if size
    ]
    return table(
        "Off-chip traffic by stream and role", ("=stream", "role", ">bytes", ">share"), rows
    )


def _assumptions(result: ScenarioResult) -> RenderableType:
    lines = Table.grid(padding=(0, 1))
    for line in result.assumptions:
        lines.add_row("-", Text(line))
    return Group(Text("Assumptions", "bold"), lines)
