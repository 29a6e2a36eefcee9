"""The result of a scenario: queueing, real time, power and traffic, with what was assumed."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from codesign import __version__
from codesign.errors import ScenarioError
from codesign.hardware.machine import Hardware
from codesign.result.ledger import Ledger, static_ledger
from codesign.result.sources import assumed_energy_j
from codesign.result.split import EnergySplit, split_energy
from codesign.result.utilization import decoders
from codesign.scenario.assumptions import describe_assumptions, without_places
from codesign.scenario.chain import end_to_end
from codesign.scenario.checks import shown
from codesign.scenario.demand import component_loads
from codesign.scenario.figures import StreamFigures, measure_stream
from codesign.scenario.measure import Distribution, busy_ticks, distribution, overtime
from codesign.scenario.overload import can_be_judged, describe_demand, describe_queue
from codesign.scenario.pairing import describe_pairing
from codesign.scenario.part import StreamPart
from codesign.scenario.play import Played
from codesign.scenario.schedule import rates, span_ticks, windows
from codesign.scenario.spec import Scenario
from codesign.units import PS_PER_S, ticks

_ASKED = ("duration_s", "silence_s", "utterances", "outputs")
_FIGURES = (
    "input_s",
    "span_s",
    "real_time_factor",
    "overloads",
    "unjudged",
    "notes",
    "utterances_without_output",
    "average_power_w",
    "energy_j",
    "static_energy_j",
    "energy_by_component_j",
    "assumed_energy_share",
    "utilization",
    "offchip_bytes_per_s",
    "assumptions",
)


@dataclass(frozen=True, eq=False)
class ScenarioResult:
    """One simulated scenario.

    Attributes:
        scenario: what was asked for.
        machine: the hardware.
        played: every run with its ticks.
        parts: placement, replay and ledger of each stream; what flows all the time is in none of
            them but in ``static``. Their ticks count from tick 0 of the scenario and are no
            latencies: ``streams`` has those.

    Two results are equal if their digests are.
    """

    scenario: Scenario
    machine: Hardware
    played: Played
    parts: Mapping[str, StreamPart]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ScenarioResult):
            return NotImplemented
        return self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return (
            f"<ScenarioResult of {self.scenario.name} on {self.machine.name}: real-time factor "
            f"{self.real_time_factor:.4g}, {self.average_power_w:.4g} W>"
        )

    @property
    def input_s(self) -> float:
        """Seconds of input of all utterances."""
        return self.scenario.utterances * ticks(self.scenario.duration_s) / PS_PER_S

    @property
    def span_s(self) -> float:
        """Seconds from tick 0 to the end of the last silence, or of the last run if that is later.

        All input, work and silence lie in it: it is what power is averaged over, and no latency.
        """
        return self._span / PS_PER_S

    @property
    def _span(self) -> int:
        ended = max(part.replay.makespan for part in self.parts.values())
        return max(span_ticks(self.scenario), ended)

    @cached_property
    def streams(self) -> Mapping[str, StreamFigures]:
        """The figures of each stream."""
        return {
            name: measure_stream(
                stream,
                windows(self.scenario, name),
                self.played.runs[name],
                self.parts[name],
                self._chains[name],
            )
            for name, stream in self.scenario.by_name.items()
        }

    @cached_property
    def _chains(self) -> Mapping[str, Mapping[str, list[int]]]:
        return end_to_end(self.scenario, self.played)

    @cached_property
    def real_time_factor(self) -> float:
        """Time in which a run of the utterance is asked for and has not ended, per second of input.

        Runs that overlap count once. Streams in the background count only by what they delay.
        """
        behind = self.scenario.background
        runs = [run for name in self.parts if name not in behind for run in self.played.of(name)]
        return busy_ticks(runs) / PS_PER_S / self.input_s

    @cached_property
    def perceived_latency(self) -> Distribution | None:
        """From the end of input to the end of the last run of an output, over the utterances.

        0 for an utterance whose outputs ended before its input. An utterance without a run of an
        output has no latency and is left out; None if no outputs are named, or none ever runs.
        """
        known = [time for time in self._overtime if time is not None]
        return distribution(known) if known else None

    @property
    def utterances_without_output(self) -> int:
        """Utterances in which no run of a named output was asked for; 0 if none is named."""
        return self._overtime.count(None)

    @cached_property
    def _overtime(self) -> list[int | None]:
        outputs = self.scenario.outputs
        if not outputs:
            return []
        ends = [window.end for window in windows(self.scenario, outputs[0])]
        return overtime([self.played.runs[name] for name in outputs], ends)

    @cached_property
    def overloads(self) -> tuple[str, ...]:
        """Where work arrives faster than it is done, in words; empty if nowhere is found.

        ``codesign.scenario.overload`` says how it is judged, and what that can miss.
        """
        each = rates(self.scenario, self.played.releases)
        queues = (
            describe_queue(name, self.played.runs[name], 1 / each[name], figures.left)
            for name, figures in self.streams.items()
        )
        offered = component_loads(self.parts, each, self.machine)
        return (*describe_demand(offered), *chain.from_iterable(queues))

    @property
    def unjudged(self) -> tuple[str, ...]:
        """Streams with too few runs to tell a growing queue, by name; components are judged.

        Only a run behind another of its own utterance tells anything.
        """
        runs = self.played.runs
        return tuple(name for name in self.parts if not can_be_judged(runs[name]))

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What the scenario asks for and may not mean: runs that start nothing, in words."""
        return tuple(describe_pairing(self.scenario, self.played.releases))

    @cached_property
    def utilization(self) -> dict[str, float]:
        """Shares of the whole span, see ``Result.utilization``."""
        part = next(iter(self.parts.values()))
        whole = part.replay.makespan / self._span
        moved = {name: use * whole for name, use in part.utilization.items()}
        ran = [(one.placement, one.replay) for one in self.parts.values()]
        return moved | decoders(self.machine, ran, self._span)

    @cached_property
    def static(self) -> Ledger:
        """What flows over the whole span whatever moves: leakage and background, once for all.

        With the ledgers of ``parts`` it is the whole energy.
        """
        replay = next(iter(self.parts.values())).replay
        return static_ledger(self.machine, replay, self._span)

    @cached_property
    def energy_split(self) -> EnergySplit:
        """The energy by cause: dynamic, leakage, and background by power state."""
        return split_energy(self._ledgers)

    @property
    def assumed_energy_share(self) -> float:
        """Share of the energy that rests on assumed prices, 0 to 1, see ``assumed_energy_j``."""
        assumed = assumed_energy_j(self.machine, self._ledgers)
        return assumed / self.energy_j if assumed else 0.0

    @property
    def _ledgers(self) -> list[Ledger]:
        return [*(part.ledger for part in self.parts.values()), self.static]

    @cached_property
    def static_energy_by_component_j(self) -> dict[str, float]:
        """Leakage and background of each component over the whole span, once for all streams."""
        spent = self.static.energy_by("component")
        return {name: spent.get(name, 0.0) for name in self.machine.components}

    @property
    def static_energy_j(self) -> float:
        """Leakage and background of all components."""
        return math.fsum(self.static_energy_by_component_j.values())

    @cached_property
    def energy_by_component_j(self) -> dict[str, float]:
        """Joules by component, of all streams, of leakage and of background."""
        static = self.static_energy_by_component_j
        parts = [part.energy_by_component_j for part in self.parts.values()]
        return {name: math.fsum([static[name], *(p[name] for p in parts)]) for name in static}

    @property
    def energy_j(self) -> float:
        """Total energy: the sum of the ledgers of all streams and of ``static``."""
        return math.fsum([self.static_energy_j, *(s.energy_j for s in self.streams.values())])

    @property
    def average_power_w(self) -> float:
        """Energy per second of the whole span: at the duty cycle of the scenario."""
        return self.energy_j / self.span_s

    def average_power_at_w(self, duty: float) -> float:
        """Average power if input arrived for another share of the time.

        The energy per second of input stays as it is, so the work of an utterance must be done
        before the next one begins. Leakage and the background take what they take.

        Args:
            duty: share of the time with input, from 0 to 1.

        Raises:
            ScenarioError: no number, a duty beyond that, or a memory that rests: what silence costs
                it does not follow from this one.
        """
        resting = [memory.name for memory in self.machine.memories if memory.rests]
        if resting:
            raise ScenarioError(
                f"power at another duty does not follow from this scenario, for {resting[0]} rests "
                "in silence; simulate one with that much silence"
            )
        known = isinstance(duty, (int, float)) and not isinstance(duty, bool)
        if not known or not 0 <= duty <= 1:
            raise ScenarioError(
                f"duty must be from 0 to 1, got {shown(duty)}; write for example 0.2"
            )
        behind = self.scenario.background
        shares = {name: 1.0 if name in behind else duty for name in self.parts}
        spent = [self.streams[name].power_w * share for name, share in shares.items()]
        return math.fsum([self.static_energy_j / self.span_s, *spent])

    @property
    def offchip_bytes_per_s(self) -> float:
        """Off-chip bytes of all streams per second of their input."""
        return math.fsum(figures.offchip_bytes_per_s for figures in self.streams.values())

    @property
    def fabric_events(self) -> int:
        """Events that the replay handled."""
        return max(part.fabric_events for part in self.parts.values())

    @cached_property
    def assumptions(self) -> tuple[str, ...]:
        """What was taken for granted; what holds for some streams only begins with their name."""
        return describe_assumptions(self.parts, self.machine)

    def summary(self) -> dict[str, Any]:
        """The figures of ``codesign scenario --json``."""
        effort = {"fabric_events": self.fabric_events}
        return self._figures() | effort | {"digest": self.digest, "version": __version__}

    def _figures(self) -> dict[str, Any]:
        perceived = self.perceived_latency
        return {
            "scenario": self.scenario.name,
            "hardware": self.machine.name,
            "hardware_digest": self.machine.digest,
            **{name: getattr(self.scenario, name) for name in _ASKED},
            **{name: getattr(self, name) for name in _FIGURES},
            **self.energy_split.figures,
            "perceived_latency": asdict(perceived) if perceived else None,
            "streams": {name: asdict(figures) for name, figures in self.streams.items()},
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of every figure and of the ticks of every run.

        How many events the replay handled is its effort and no part of the result.
        """
        played = self.played.of
        runs = {name: [(r.asked, r.start, r.end) for r in played(name)] for name in self.parts}
        figures = without_places(self._figures(), self.machine)
        content = json.dumps([figures, runs, __version__], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def timeline(self, limit: int | None = None) -> dict[str, Any]:
        """All streams as one Chrome trace-event document, as of ``Result.timeline``.

        Args:
            limit: runs of operators that are drawn at most, by default 100,000.

        Raises:
            CodesignError: a limit below 1.
        """
        from codesign.result.timeline import LIMIT, Part, chrome_trace

        parts = [Part(name, one.placement, one.replay) for name, one in self.parts.items()]
        return chrome_trace(parts, self.machine, LIMIT if limit is None else limit)

    def save(self, folder: str | Path) -> None:
        """Writes the result to a folder.

        ``summary.json``, ``hardware.json``, ``timeline.json`` (a Chrome trace for Perfetto),
        ``runs.parquet`` (every run in ticks), and ``ledger.parquet`` (every byte and joule by
        stream and operator; leakage and background have neither). Each file appears whole or not at
        all.

        Raises:
            CodesignError: the folder cannot be written.
        """
        from codesign.scenario.save import save_scenario

        save_scenario(self, Path(folder))
