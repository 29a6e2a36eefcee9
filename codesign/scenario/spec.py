"""What a scenario is: streams of runs, each with a model and an arrival, while input lasts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from graphlib import TopologicalSorter
from types import MappingProxyType
from typing import Any

from codesign.annotation_file import Source, read_annotations
from codesign.errors import CodesignError, ScenarioError, did_you_mean
from codesign.mapping.residency import Residency, as_residency
from codesign.scenario.checks import (
    MAX_SECONDS,
    FieldError,
    check_count,
    check_list,
    check_map,
    check_time,
    check_truth,
    shown,
)
from codesign.scenario.fit import find_background, find_fault
from codesign.scenario.release import Arrival
from codesign.workload.annotation import Annotation
from codesign.workload.as_run import check_dtype
from codesign.workload.record import Trace
from codesign.workload.schedule_text import check_schedule

MAX_UTTERANCES = 100_000
"""Most utterances of a scenario."""
OPTIONS = ("batch", "seq_len", "steps")
"""What a stream can choose about the example input of a model."""

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
        options: ``batch``, ``seq_len`` or ``steps`` of a model given by name, each at least 1.
        dtype: number format, see ``codesign.simulate``.
        residency: what stays on chip, or the name of a policy; see
            ``codesign.mapping.residency``.
        schedule: ``time-major`` or ``layer-major:STEPS``; by default the order of the model.
        annotations: bit widths, zeros and codecs by pattern of operator names, or a file with
            them, see ``codesign.annotate``.
        origin: file and line that it was read from, for errors; no part of what it is.

    Raises:
        ScenarioError: a value of another type or beyond its limits.
    """

    name: str
    model: Trace | str
    arrival: Arrival
    beam: int = 1
    background: bool = False
    options: Mapping[str, int] = field(default_factory=dict, hash=False)
    dtype: str | None = None
    residency: Residency | str = "region"
    schedule: str | None = None
    annotations: Source | tuple[Annotation, ...] = field(default=(), repr=False)
    origin: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise FieldError(
                f"a stream name must be a word, got {shown(self.name)}; rename it", "name"
            )
        if not isinstance(self.model, Trace) and not (isinstance(self.model, str) and self.model):
            raise FieldError(
                f"model of {self.name} must be a Trace or a name, got {shown(self.model)}; give "
                "what codesign.trace returns, or a name as on the command line",
                "model",
            )
        self._check_arrival()
        check_count(f"beam of {self.name}", self.beam, field="beam")
        check_truth(f"background of {self.name}", self.background, field="background")
        object.__setattr__(self, "options", MappingProxyType(self._checked_options()))
        for key, check in (("dtype", check_dtype), ("schedule", check_schedule)):
            if getattr(self, key) is not None:
                self._checked(key, check, getattr(self, key))
        residency = self._checked("residency", as_residency, self.residency)
        object.__setattr__(self, "residency", residency)
        said = self._checked("annotations", self._read, self.annotations)
        object.__setattr__(self, "annotations", said)

    @property
    def declared(self) -> tuple[Annotation, ...]:
        """The annotations, read."""
        return self._read(self.annotations)

    @property
    def label(self) -> str:
        """What errors call it: its name, behind the file and line that it was read from."""
        return f"{self.origin}: {self.name}" if self.origin else self.name

    def __reduce__(self) -> tuple[Any, ...]:
        """A read-only view of a map cannot be sent to another process, a copy of it can."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return type(self), tuple((values | {"options": dict(self.options)}).values())

    def _check_arrival(self) -> None:
        if not isinstance(self.arrival, Arrival):
            raise FieldError(
                f"arrival of {self.name} must be an Arrival, got {shown(self.arrival)}; give for "
                "example Periodic(0.08)",
                "arrival",
            )
        period = self.arrival.period
        if period is not None:
            check_count(f"period of the arrival of {self.name}, in ticks,", period, field="arrival")
        what = f"producers of {self.name}"
        check_list(what, self.arrival.producers, (str,), "['encoder']", field="arrival")

    def _read(self, given: Source | tuple[Annotation, ...]) -> tuple[Annotation, ...]:
        if not isinstance(given, tuple):
            return read_annotations(given)
        example = '{"encoder.*": {"weight_bits": 4}}'
        what = f"annotations of {self.name}"
        check_list(what, given, (Annotation,), example, field="annotations")
        return given

    def _checked_options(self) -> dict[str, int]:
        given = check_map(f"options of {self.name}", self.options, "{'steps': 8}", field="options")
        for key, value in given.items():
            if key not in OPTIONS:
                hint = did_you_mean(key[:60], OPTIONS)
                raise FieldError(f"unknown option {key[:60]!r} of {self.name}{hint}", "options")
            check_count(f"{key} of {self.name}", value, field=key)
        return dict(self.options)

    def _checked(self, key: str, check: Callable[[Any], Any], value: object) -> Any:
        """What a check of another stage returns; its error tells the place."""
        try:
            return check(value)
        except CodesignError as error:
            raise FieldError(f"{key} of {self.name}: {error}", key) from error


@dataclass(frozen=True)
class Scenario:
    """Streams on one piece of hardware.

    Attributes:
        name: what it is called, a line of text.
        streams: at least one; of two that are asked for in the same tick the earlier goes first.
        duration_s: length of an utterance, above 0: input arrives until then, and the work drains.
        outputs: streams whose last run of an utterance is what the user waits for.
        silence_s: time without input after each utterance, at least 0.
        utterances: how many, 1 to ``MAX_UTTERANCES``; with their silences they last at most
            ``MAX_SECONDS``.

    Raises:
        ScenarioError: a value of another type or beyond its limits, or streams that do not fit
            together.
    """

    name: str
    streams: tuple[Stream, ...]
    duration_s: float
    outputs: tuple[str, ...] = ()
    silence_s: float = 0.0
    utterances: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip() or not self.name.isprintable():
            raise FieldError(
                f"name of a scenario must be a line of text, got {shown(self.name)}; rename it",
                "name",
            )
        self._check_lists()
        check_time("duration", self.duration_s, 2, field="duration_s")
        check_time("silence", self.silence_s, 8, field="silence_s", zero=True)
        check_count("utterances", self.utterances, field="utterances", most=MAX_UTTERANCES)
        lasts = self.utterances * (self.duration_s + self.silence_s)
        if lasts > MAX_SECONDS:
            raise FieldError(
                f"a scenario must last at most {MAX_SECONDS:,.0f} s, got {lasts:g} s with all "
                "utterances; shorten it",
                "utterances",
            )
        fault = find_fault(self.streams, self.outputs)
        if fault:
            raise ScenarioError(fault.rule)

    def _check_lists(self) -> None:
        example = "[Stream('encoder', trace, Periodic(0.08))]"
        streams = check_list("streams", self.streams, (Stream,), example, field="streams")
        outputs = check_list("outputs", self.outputs, (str,), "['tokens']", field="outputs")
        object.__setattr__(self, "streams", streams)
        object.__setattr__(self, "outputs", outputs)

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
