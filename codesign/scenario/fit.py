"""Whether the streams of a scenario fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from codesign.errors import did_you_mean

if TYPE_CHECKING:
    from codesign.scenario.spec import Stream


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that streams break together.

    Attributes:
        rule: the rule, with the remedy.
        place: keys of a scenario file that lead to what breaks it.
        word: the very word, where one does.
    """

    rule: str
    place: tuple[str, ...]
    word: str = ""


def find_fault(streams: Sequence[Stream], outputs: Sequence[str]) -> Fault | None:
    """The first rule that streams break together, or None.

    Names are unique and known, some stream has an arrival of its own, no streams wait for each
    other, and background and utterance do not wait for one another.
    """
    by_name: dict[str, Stream] = {}
    for stream in streams:
        if stream.name in by_name:
            rule = f"two streams are called {stream.name!r}; rename one"
            return Fault(rule, ("streams", stream.name))
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
    asked: list[tuple[tuple[str, ...], str, str]] = [
        (_arrival(s.name), f"{s.name} waits for", p)
        for s in streams.values()
        for p in s.arrival.producers
    ]
    asked += [(("outputs",), "outputs name", name) for name in outputs]
    for place, who, name in asked:
        if name not in streams:
            hint = did_you_mean(name[:60], streams)
            return Fault(f"{who} the unknown stream {name[:60]!r}{hint}", place, name)
    return None


def _circular(streams: Mapping[str, Stream]) -> Fault | None:
    waits = {name: stream.arrival.producers for name, stream in streams.items()}
    if all(waits.values()):
        words = ", ".join(f"{name} waits for {names[0]}" for name, names in waits.items())
        rule = (
            f"some stream must have an arrival of its own, but {words or 'there is none'}; "
            "give one a period or a rate"
        )
        return Fault(rule, ("streams",))
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        ring = error.args[1][::-1]
        rule = (
            f"streams must not wait for each other, but {' waits for '.join(ring)}; "
            "give one a period or a rate"
        )
        return Fault(rule, _arrival(ring[0]), ring[1])
    return None


def _apart(streams: Mapping[str, Stream], outputs: Sequence[str]) -> Fault | None:
    behind = find_background(streams)
    for name, stream in streams.items():
        for producer in stream.arrival.producers:
            if (name in behind) != (producer in behind):
                rule = (
                    f"{name} runs in the background and waits for {producer}, which does not; "
                    "let both or none"
                )
                return Fault(rule, _arrival(name), producer)
    if len(behind) == len(streams):
        rule = "all streams run in the background; let one be the utterance"
        return Fault(rule, ("streams",))
    for name in outputs:
        if name in behind:
            rule = f"the output {name} runs in the background; name another"
            return Fault(rule, ("outputs",), name)
    return None


def _arrival(stream: str) -> tuple[str, ...]:
    return "streams", stream, "arrival"
