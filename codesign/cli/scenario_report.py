"""The report of ``codesign scenario``, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from codesign.cli.output import table
from codesign.cli.parts import (
    WHOLE_BURSTS,
    assumed_row,
    background,
    components,
    energy_words,
    grid,
    memories,
)
from codesign.cli.quantities import count, quantity, share

if TYPE_CHECKING:
    from rich.console import RenderableType

    from codesign.scenario.measure import Distribution
    from codesign.scenario.result import ScenarioResult

_TIMES = (">mean", ">p50", ">p95", ">p99", ">max")


def report(result: ScenarioResult) -> Sequence[RenderableType]:
    """Everything to print, in order: headline, verdict, streams, times, components, assumptions."""
    uses = next(iter(result.parts.values())).replay.uses
    title = Text.assemble((result.scenario.name, "bold"), " on ", (result.machine.name, "bold"))
    parts = [
        _headline(result),
        _verdict(result),
        *(Text(f"Note: {line}", "yellow") for line in result.notes),
        _streams(result),
        _times(result),
        *([_chains(result)] if any(s.end_to_end for s in result.streams.values()) else []),
        components(result, "all the time, silence included"),
        *background(result, result.static, uses),
        memories(result.machine),
        _traffic(result),
        _assumptions(result),
    ]
    return [title, *(piece for part in parts for piece in ("", part))]


def _headline(result: ScenarioResult) -> Table:
    perceived = result.perceived_latency
    active = share(result.input_s, result.span_s)
    rows = [
        (
            "real-time factor",
            f"{result.real_time_factor:.4g}",
            f"s with a run unfinished per s of input; {result.input_s:g} s of input",
        ),
        (
            "perceived latency",
            "-" if perceived is None else quantity(perceived.mean_s, "s"),
            _perceived(result),
        ),
        (
            "average power",
            quantity(result.average_power_w, "W"),
            f"over {quantity(result.span_s, 's')} with silence, {active} of them with input",
        ),
        (
            "energy",
            quantity(result.energy_j, "J"),
            f"in all of that time: {energy_words(result.energy_split)}",
        ),
        assumed_row(result),
        (
            "off chip",
            quantity(result.offchip_bytes_per_s, "B/s"),
            "moved in whole bursts, per second of the input of each stream",
        ),
        ("digest", result.digest[:12], f"hardware {result.machine.digest[:12]}"),
    ]
    return grid(rows)


def _perceived(result: ScenarioResult) -> str:
    """What the latency is measured from and to, and over how many utterances."""
    times, every = result.perceived_latency, result.scenario.utterances
    missing = result.utterances_without_output
    if not result.scenario.outputs:
        return "of the streams that the scenario names as outputs; it names none"
    outputs = " and ".join(result.scenario.outputs)
    if times is None:
        return f"no output: {outputs} is asked for in no utterance"
    words = f"from the end of input to the last run of {outputs}"
    if every > 1:
        words = f"mean {words} in {count(every - missing)} utterances: {_words(times)}"
    if missing:
        words += f"; no output in {count(missing)} of {count(every)}"
    return words


def _words(times: Distribution) -> str:
    values = {"p50": times.p50_s, "p95": times.p95_s, "p99": times.p99_s, "max": times.max_s}
    return ", ".join(f"{name} {quantity(value, 's')}" for name, value in values.items())


def _verdict(result: ScenarioResult) -> RenderableType:
    if not result.overloads:
        fine = (
            "No overload: no component is offered 1 s of work per second of input, and no queue of "
            "a stream is found to grow."
        )
        few = f" Too few runs to tell a queue: {', '.join(result.unjudged)}."
        return Text(fine + few * bool(result.unjudged))
    return Group(*(Text(f"OVERLOAD: {line}", "bold red") for line in result.overloads))


def _streams(result: ScenarioResult) -> RenderableType:
    rows = [
        (
            name,
            f"{figures.arrival}, beam {figures.beam}" if figures.beam > 1 else figures.arrival,
            count(figures.runs),
            "" if figures.late is None else count(figures.late),
            count(figures.peak_backlog),
            count(figures.left),
            f"{figures.real_time_factor:.4g}",
            quantity(figures.energy_j, "J"),
            quantity(figures.offchip_bytes_per_s, "B/s"),
        )
        for name, figures in result.streams.items()
    ]
    numbers = (">runs", ">late", ">backlog", ">left", ">RTF", ">energy", ">off chip")
    legend = (
        "late: response above the period; backlog: most runs asked for and unfinished; left: those "
        "at the end of input; RTF: real-time factor of the stream alone; energy: of all runs, "
        "without leakage and background; off chip: bytes moved per second of input of the stream"
    )
    return Group(table("Streams", ("=stream", "asked for", *numbers), rows), Text(legend, "dim"))


def _times(result: ScenarioResult) -> RenderableType:
    columns = ("=stream", "=time", *_TIMES)
    legend = "waiting: asked for to start; service: start to end; response: asked for to end"
    rows = list(_time_rows(result))
    return Group(table("Times of the runs", columns, rows), Text(legend, "dim"))


def _time_rows(result: ScenarioResult) -> Iterator[tuple[str, ...]]:
    for name, figures in result.streams.items():
        for measure in ("waiting", "service", "response"):
            times: Distribution = getattr(figures, measure)
            yield (name if measure == "waiting" else "", measure, *_values(times))


def _values(times: Distribution) -> Iterator[str]:
    values = (times.mean_s, times.p50_s, times.p95_s, times.p99_s, times.max_s)
    return (quantity(value, "s") for value in values)


def _chains(result: ScenarioResult) -> RenderableType:
    rows = [
        (name, source, *_values(times))
        for name, figures in result.streams.items()
        for source, times in figures.end_to_end.items()
    ]
    legend = (
        "from the release of the source to the end of all runs of a release that waits for it, "
        "through all streams between; run k after several streams waits for run k of each"
    )
    made = table("End to end", ("=stream", "=source", *_TIMES), rows)
    return Group(made, Text(legend, "dim"))


def _traffic(result: ScenarioResult) -> RenderableType:
    total = sum(sum(figures.offchip_bytes.values()) for figures in result.streams.values())
    rows = [
        (name, role, quantity(size, "B"), share(size, total))
        for name, figures in result.streams.items()
        for role, size in figures.offchip_bytes.items()
        if size
    ]
    columns = ("=stream", "role", ">bytes moved", ">share")
    made = table("Off-chip traffic by stream and role", columns, rows)
    return Group(made, Text(f"of all runs; {WHOLE_BURSTS}", "dim"))


def _assumptions(result: ScenarioResult) -> RenderableType:
    lines = Table.grid(padding=(0, 1))
    for line in result.assumptions:
        lines.add_row("-", Text(line))
    return Group(Text("Assumptions", "bold"), lines)
