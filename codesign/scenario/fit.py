"""Whether the streams of a scenario fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from codesign.errors import did_you_mean

if TYPE_CHECKING:
    from codesign.scenario.spec import Stream

Fault = tuple[str, str]
"""The stream that breaks a rule (or ``outputs``, or ``streams``), and the rule with the remedy."""


def find_fault(streams: Sequence[Stream], outputs: Sequence[str]) -> Fault | None:
    """The first rule that streams break together, or None.

    Names are unique and known, some stream has an arrival of its own, no streams wait for each
    other, and background and utterance do not wait for one another.
    """
    by_name: dict[str, Stream] = {}
    for stream in streams:
        if stream.name in by_name:
            return stream.name, f"two streams are called {stream.name!r}; rename one"
        by_name[stream.name] = stream
    return _unknown(by_name, outputs) or _circular(by_name) or _apart(by_name, outputs)


def find_background(streams: Mapping[str, Stream]) -> frozenset[str]:
    """Names of the streams that run in the background, or wait for one that does."""
    waits = {name: stream.arrival.producers for name, stream in streams.items()}
    found: set[str] = set()
    for name in TopologicalSorter(waits).static_order():
        if streams[name].background or found.intersection(waits[name]):
            found.add(name)
    return frozenset(found)


def _unknown(streams: Mapping[str, Stream], outputs: Sequence[str]) -> Fault | None:
    asked = [
        (s.name, f"{s.name} waits for", p) for s in streams.values() for p in s.arrival.producers
    ]
    asked += [("outputs", "outputs name", name) for name in outputs]
    for place, who, name in asked:
        if name not in streams:
            hint = did_you_mean(str(name)[:60], streams)
            return place, f"{who} the unknown stream {str(name)[:60]!r}{hint}"
    return None


def _circular(streams: Mapping[str, Stream]) -> Fault | None:
    waits = {name: stream.arrival.producers for name, stream in streams.items()}
    if all(waits.values()):
        words = ", ".join(f"{name} waits for {names[0]}" for name, names in waits.items())
        return "streams", (
            f"some stream must have an arrival of its own, but {words or 'there is none'}; "
            "give one a period or a rate"
        )
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        ring = error.args[1][::-1]
        return ring[0], (
            f"streams must not wait for each other, but {' waits for '.join(ring)}; "
            "give one a period or a rate"
        )
    return None


def _apart(streams: Mapping[str, Stream], outputs: Sequence[str]) -> Fault | None:
    behind = find_background(streams)
    for name, stream in streams.items():
        for producer in stream.arrival.producers:
            if (name in behind) != (producer in behind):
                return name, (
                    f"{name} runs in the background and waits for {producer}, which does not; "
                    "let both or none"
                )
    if len(behind) == len(streams):
        return "streams", "all streams run in the background; let one be the utterance"
    for name in outputs:
        if name in behind:
            return "outputs", f"the output {name} runs in the background; name another"
    return None
