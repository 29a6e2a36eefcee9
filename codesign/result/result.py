"""The result: what a run cost, what it covers, what it assumed, and where each part came from."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codesign import __version__
from codesign.hardware.machine import CHANGED
from codesign.hardware.own_kinds import own_kind_notes
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Placement
from codesign.replay.run import Replay
from codesign.result.codecs import Packed, find_codecs
from codesign.result.ledger import Ledger, build_ledger
from codesign.result.ranges import range_notes
from codesign.result.set_up import SetUp, find_set_up
from codesign.result.sources import assumed_energy_j
from codesign.result.split import EnergySplit, split_energy
from codesign.result.table import Table, operator_table
from codesign.result.utilization import decoders, utilization
from codesign.result.wear import Wear, find_wear
from codesign.units import PS_PER_S

if TYPE_CHECKING:
    import pyarrow

    from codesign.replay.run import Watcher
    from codesign.result.why import Why


_FIGURES = (
    "model",
    "hardware",
    "trace_digest",
    "hardware_digest",
    "latency_s",
    "energy_j",
    "energy_by_component_j",
    "offchip_bytes",
    "macs",
    "coverage",
    "utilization",
    "mac_slots",
    "tiles",
    "fabric_events",
    "lower_bound_s",
    "serial_bound_s",
    "assumptions",
)


@dataclass(frozen=True)
class Result:
    """One simulated run.

    Attributes:
        model: name of the trace.
        hardware: name of the hardware.
        trace_digest: SHA-256 of the trace as simulated.
        hardware_digest: SHA-256 of the resolved hardware.
        placement: what ran where, in which tiles.
        replay: ticks, events and spans.
        ledger: every byte and joule.
        machine: the hardware itself.
    """

    model: str
    hardware: str
    trace_digest: str
    hardware_digest: str
    placement: Placement
    replay: Replay
    ledger: Ledger
    machine: Hardware

    def __repr__(self) -> str:
        return (
            f"<Result of {self.model} on {self.hardware}: {self.latency_s:.4g} s, "
            f"{self.energy_j:.4g} J>"
        )

    @property
    def latency_s(self) -> float:
        """Makespan of one run."""
        return self.replay.makespan / PS_PER_S

    @property
    def lower_bound_s(self) -> float:
        """Time that no schedule of the same tiles can beat: compute, ports, dependencies."""
        return self.replay.lower / PS_PER_S

    @property
    def serial_bound_s(self) -> float:
        """Time if nothing overlapped and each transfer had its memories to itself.

        No run takes longer where company never slows a memory down.
        """
        return self.replay.serial / PS_PER_S

    @property
    def fabric_events(self) -> int:
        """Events that the replay handled."""
        return self.replay.events

    @cached_property
    def tiles(self) -> int:
        """Tiles replayed."""
        return sum(a.plan.tiles * n for a, n in self.placement.assignments() if a.plan)

    @cached_property
    def energy_by_component_j(self) -> dict[str, float]:
        """Joules by component, leakage and background included; 0 for those that took none."""
        spent = self.ledger.energy_by("component")
        return {name: spent.get(name, 0.0) for name in self.machine.components}

    @property
    def energy_j(self) -> float:
        """Total energy: the sum of ``energy_by_component_j``."""
        return math.fsum(self.energy_by_component_j.values())

    @cached_property
    def offchip_bytes(self) -> dict[str, int]:
        """Bytes that off-chip memories read and wrote, by role of the tensor, in whole bursts.

        A memory that moves whole bursts moves more than it is asked for where rows end within one.
        """
        return self.ledger.bytes_of(frozenset(m.name for m in self.machine.memories if m.off_chip))

    @property
    def macs(self) -> int:
        """Multiply-accumulates of matrix work; 1 MAC is 2 FLOP."""
        return self.placement.trace.macs

    @property
    def coverage(self) -> float:
        """Share of the model's nodes with a cost that are modelled, 0 to 1."""
        return self.placement.trace.coverage.share

    @cached_property
    def utilization(self) -> dict[str, float]:
        """Share of the makespan that an engine computed, of its peak that a link or memory moved.

        A link that decodes has an entry more, such as ``bus.decoder``: the share of the makespan
        that its decoder worked. See ``codesign.result.utilization``.
        """
        ran = [(self.placement, self.replay)]
        span = max(1, self.replay.makespan)
        return utilization(self.machine, self.replay) | decoders(self.machine, ran, span)

    @cached_property
    def energy_split(self) -> EnergySplit:
        """The energy by cause: dynamic, leakage, and background by power state."""
        return split_energy([self.ledger])

    @cached_property
    def set_up(self) -> SetUp | None:
        """What came once before the run, which its figures have in them; None for nothing."""
        return find_set_up(self.placement, self.replay)

    @cached_property
    def wear(self) -> tuple[Wear, ...]:
        """Writes and life of every memory that wears; empty where none does."""
        return find_wear(self.machine, self.ledger, self.placement)

    @cached_property
    def codecs(self) -> tuple[Packed, ...]:
        """What came in codecs and block formats; empty where nothing did."""
        return find_codecs(self.placement, self.machine, self.replay)

    @property
    def assumed_energy_share(self) -> float:
        """Share of the energy that rests on assumed prices, 0 to 1, see ``assumed_energy_j``."""
        assumed = assumed_energy_j(self.machine, [self.ledger])
        return assumed / self.energy_j if assumed else 0.0

    @cached_property
    def mac_slots(self) -> dict[str, int]:
        """Multiply-accumulate slots that the engines issued, effective and wasted, by cause."""
        slots: dict[str, int] = {}
        for assignment, times in self.placement.assignments():
            for cause, count in assignment.plan.slots if assignment.plan else ():
                slots[cause] = slots.get(cause, 0) + count * times
        return slots

    @cached_property
    def own_kinds(self) -> tuple[str, ...]:
        """Kinds that do not ship with codesign, which its validation does not cover; one a line."""
        return own_kind_notes(self.machine)

    @cached_property
    def assumptions(self) -> tuple[str, ...]:
        """What was taken for granted, and how wrong the models are known to be."""
        return (*self.own_kinds, *self._assumed)

    @cached_property
    def _assumed(self) -> tuple[str, ...]:
        """Assumptions but for where plugins lie, on which no figure depends."""
        notes = [note for part in self.machine.components.values() for note in part.notes]
        rows = len(self.machine.assumed)
        changed = [row for row in self.machine.sources if row.source == CHANGED]
        return (
            *(f"set for this run: {row.component}.{row.field} = {row.value}" for row in changed),
            *self.placement.trace.notes,
            *self.placement.notes,
            *range_notes(self.placement, self.machine),
            *notes,
            *(
                f"{row.component}.{row.field}: {row.note}"
                for row in self.machine.sources
                if not {"extrapolated", "scaled"}.isdisjoint(row.flags)
            ),
            f"{rows} of {len(self.machine.sources)} hardware values have status assumed",
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything measured: equal digests, equal results to the bit.

        How many events the replay handled is its effort and no part of the result; nor is the place
        of a plugin.
        """
        content = hashlib.sha256()
        figures = {name: getattr(self, name) for name in _FIGURES if name != "fabric_events"}
        figures |= {"version": __version__, "assumptions": self._assumed}
        content.update(json.dumps([figures, self.ledger.ops], sort_keys=True).encode())
        times = [(a.engine, *astuple(total)) for a, total in self.replay.totals]
        content.update(json.dumps(times).encode())
        for column in ("op", "count", "energy"):
            values = getattr(self.ledger, column)
            content.update(values.astype(values.dtype.newbyteorder("<")).tobytes())
        names = [getattr(self.ledger, c).tolist() for c in ("component", "action", "role")]
        content.update(json.dumps(names).encode())
        return content.hexdigest()

    @cached_property
    def operators(self) -> Table:
        """One row per operator: engine, runs, tiles, MACs, bytes, energy, compute time."""
        return operator_table(self.placement, self.machine, self.replay, self.ledger)

    def why(self, watch: Watcher | None = None) -> Why:
        """What the time of the run was spent on: its critical path, by cause.

        The placement is replayed once more, with a recorder; nothing that is skipped is unrolled.

        Args:
            watch: told about progress as (operators ended, operators in all).

        Raises:
            CodesignError: the recorded run takes another time than this result says.
        """
        from codesign.result.why import find_why

        # it was played before, within the events that it might have
        return find_why(
            self.placement,
            self.machine,
            watch,
            most_events=sys.maxsize,
            expected=self.replay.makespan,
        )

    def table(self, by: str) -> Mapping[str, float]:
        """Joules grouped by ``op``, ``component``, ``role`` or ``action``.

        Raises:
            KeyError: another column.
        """
        if by not in ("op", "component", "role", "action"):
            raise KeyError(f"group by op, component, role or action, got {by!r}")
        return self.ledger.energy_by(by)

    def summary(self) -> dict[str, Any]:
        """The figures of ``codesign simulate --json``."""
        figures = {name: getattr(self, name) for name in _FIGURES} | self.energy_split.figures
        figures["assumed_energy_share"] = self.assumed_energy_share
        if self.own_kinds:
            figures["own_kinds"] = self.own_kinds
        if self.set_up:
            figures["set_up"] = asdict(self.set_up)
        if self.wear:
            figures["writes_per_cell"] = {one.memory: one.writes for one in self.wear}
        if self.codecs:
            figures["codecs"] = [asdict(one) for one in self.codecs]
        return figures | {"digest": self.digest, "version": __version__}

    def to_arrow(self) -> pyarrow.Table:
        """The ledger as an Arrow table."""
        from codesign.result.save import ledger_to_arrow

        return ledger_to_arrow(self.ledger)

    def timeline(self, limit: int | None = None) -> dict[str, Any]:
        """The run as a Chrome trace-event document for Perfetto, see ``docs/timeline.md``.

        Args:
            limit: runs of operators that are drawn at most, by default 100,000; the document says
                how many there were.

        Raises:
            CodesignError: a limit below 1.
        """
        from codesign.result.timeline import LIMIT, Part, chrome_trace

        part = Part("", self.placement, self.replay)
        return chrome_trace([part], self.machine, LIMIT if limit is None else limit)

    def save(self, folder: str | Path) -> None:
        """Writes the result to a folder.

        ``summary.json``, ``hardware.json`` (every value with its source and status),
        ``ledger.parquet``, ``operators.parquet``, ``components.json``, ``spans.parquet`` (runs of
        operators), ``residency.parquet`` (which tensor lies where from when to when), ``why.json``
        (the critical path, for which the run is replayed once more) and ``timeline.json``, a Chrome
        trace for Perfetto. Of very many runs the last two but one have those that ended first, and
        say how many they leave out. Each file appears whole or not at all.

        Raises:
            CodesignError: the folder cannot be written.
        """
        from codesign.result.save import save_result

        save_result(self, Path(folder))

    def export(self, path: str | Path, format: str, *, plugins: Sequence[Path | str] = ()) -> None:
        """Writes the result to one file, see ``codesign.result.exporters.export_result``."""
        from codesign.result.exporters import export_result

        export_result(self, path, format, plugins=plugins)


def build_result(placement: Placement, hardware: Hardware, replay: Replay) -> Result:
    """Charges a replay and wraps it up."""
    return Result(
        placement.trace.name,
        hardware.name,
        placement.trace.digest,
        hardware.digest,
        placement,
        replay,
        build_ledger(placement, hardware, replay),
        hardware,
    )
