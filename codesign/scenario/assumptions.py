"""What the result of a scenario takes for granted, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codesign.hardware.machine import Hardware
from codesign.hardware.own_kinds import own_kind_notes
from codesign.replay.stream import WINDOW
from codesign.scenario.part import StreamPart
from codesign.scenario.together import describe_shares

_RULES = (
    "the runs of a stream are served in the order in which they were asked for",
    "an engine takes operators in the order in which streams issue them, without turns or "
    f"priorities; each stream issues at most {WINDOW} ahead",
    "every run of a stream does the same work: states and caches keep their size",
    "real-time factor: time in which a run of the utterance is asked for and has not ended, per "
    "second of input",
    "waiting ends with the first transfer or compute of a run, which may be a prefetch while the "
    "run before it still works: queued runs may end closer together than a run takes alone",
    "percentiles are nearest ranks of all runs",
    "overload: a component is offered 1 s of work or more per second of input, or the queued runs "
    "of a stream end further apart than runs are asked for",
    "leakage and the background of memories flow from the first tick to the last, silence included",
)


def describe_assumptions(parts: Mapping[str, StreamPart], machine: Hardware) -> tuple[str, ...]:
    """The rules of every scenario, the room set aside, and what the streams take for granted.

    What holds for some streams only begins with their names.

    Args:
        parts: of the streams, by name.
        machine: the hardware.
    """
    lines: dict[str, list[str]] = {}
    for name, part in parts.items():
        for line in part.assumptions:
            lines.setdefault(line, []).append(name)
    common = len(parts)
    placed = (
        line if len(names) == common else f"{', '.join(names)}: {line}"
        for line, names in lines.items()
    )
    placements = {name: part.placement for name, part in parts.items()}
    aside = describe_shares(placements, machine) if common > 1 else ()
    return (*_RULES, *aside, *placed)


def without_places(figures: Mapping[str, Any], machine: Hardware) -> dict[str, Any]:
    """Figures of a scenario without those assumptions that say where a plugin lies.

    Args:
        figures: by name, ``assumptions`` among them.
        machine: the hardware.
    """
    own = own_kind_notes(machine)
    return {**figures, "assumptions": [one for one in figures["assumptions"] if one not in own]}
