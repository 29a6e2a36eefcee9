"""What a scenario is: streams of runs, each with a model and an arrival, while input lasts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import TopologicalSorter
from types import MappingProxyType

from codesign.errors import ScenarioError
from codesign.mapping.residency import Residency, as_residency
from codesign.scenario.checks import check_count, check_time
from codesign.scenario.fit import find_background, find_fault
from codesign.scenario.release import Arrival
from codesign.workload.record import Trace

MAX_UTTERANCES = 100_000
"""Most utterances of a scenario."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Stream:
    """A model that runs again and again.

    Attributes:
        name: a word.
        model: a trace, or a model name or file as on the command line.
        arrival: when it is asked for.
        beam: runs of each release, at least 1: hypotheses that are kept.
        background: whether it also runs in the silence between utterances; so do then those that
            wait for it.
        options: ``batch``, ``seq_len`` or ``steps`` of a model given by name.
        dtype: number format, see ``codesign.simulate``.
        residency: what stays on chip, or the name of a policy; see
            ``codesign.mapping.residency``.
        schedule: ``time-major`` or ``layer-major:STEPS``; by default the order of the model.
    """

    name: str
    model: Trace | str
    arrival: Arrival
    beam: int = 1
    background: bool = False
    options: Mapping[str, int] = field(default_factory=dict)
    dtype: str | None = None
    residency: Residency | str = "region"
    schedule: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            got = repr(self.name)[:60]
            raise ScenarioError(f"a stream name must be a word, got {got}; rename it")
        if not isinstance(self.arrival, Arrival):
            got = repr(self.arrival)[:60]
            raise ScenarioError(
                f"arrival of {self.name} must be an Arrival, got {got}; give for example "
                "Periodic(0.08)"
            )
        check_count(f"beam of {self.name}", self.beam)
        object.__setattr__(self, "residency", as_residency(self.residency))
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))


@dataclass(frozen=True)
class Scenario:
    """Streams on one piece of hardware.

    Attributes:
        name: what it is called.
        streams: at least one; of two that are asked for in the same tick the earlier goes first.
        duration_s: length of an utterance, above 0: input arrives until then, and the work drains.
        outputs: streams whose last run of an utterance is what the user waits for.
        silence_s: time without input after each utterance, at least 0.
        utterances: how many, 1 to ``MAX_UTTERANCES``.
    """

    name: str
    streams: tuple[Stream, ...]
    duration_s: float
    outputs: tuple[str, ...] = ()
    silence_s: float = 0.0
    utterances: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "streams", tuple(self.streams))
        object.__setattr__(self, "outputs", tuple(self.outputs))
        check_time("duration", self.duration_s, "2 s")
        check_time("silence", self.silence_s, "8 s", zero=True)
        check_count("utterances", self.utterances)
        if self.utterances > MAX_UTTERANCES:
            raise ScenarioError(
                f"utterances must be <= {MAX_UTTERANCES:,}, got {self.utterances:,}; lower it"
            )
        fault = find_fault(self.streams, self.outputs)
        if fault:
            raise ScenarioError(fault[1])

    @cached_property
    def by_name(self) -> Mapping[str, Stream]:
        """The streams by name."""
        return {stream.name: stream for stream in self.streams}

    @property
    def in_order(self) -> tuple[Stream, ...]:
        """The streams, each behind those that it waits for."""
        waits = {name: stream.arrival.producers for name, stream in self.by_name.items()}
        return tuple(self.by_name[name] for name in TopologicalSorter(waits).static_order())

    @cached_property
    def background(self) -> frozenset[str]:
        """Names of the streams that run in the background, or wait for one that does."""
        return find_background(self.by_name)
