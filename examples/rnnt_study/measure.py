"""What a replay says of a design: weight bytes by module, energy by part, use of the channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

from codesign import Hardware, Op, Result, ScenarioResult, Trace, load_hardware
from codesign.mapping.place import place
from codesign.scenario.simulate import replay_scenario
from codesign.workload.as_run import as_run
from rnnt_study.design import Design, scenario

FOLDER = Path(__file__).resolve().parent / "hardware"
STAGING = 256 << 10
"""Bytes beside the residents of the weight buffer, for streamed weights and activations."""


@dataclass(frozen=True)
class Measured:
    """What the replay of a design showed, in the steady state.

    Attributes:
        design: the design.
        window_s: seconds of audio replayed.
        weights: weight bytes read off chip in the window, by module.
        loaded_once: weight bytes loaded before the window, by tensor; in no other figure here.
        energy_j: joules in the window: ``DRAM``, ``weight buffer`` (a byte read per
            multiply-accumulate), ``multiply-accumulates``, and ``results`` that leave the buffer.
        busy: share of the window in which the channel carries something.
    """

    design: Design
    window_s: float
    weights: Mapping[str, int]
    loaded_once: Mapping[str, int]
    energy_j: Mapping[str, float]
    busy: float

    @property
    def bytes_per_s(self) -> Fraction:
        """Weight bytes read off chip per second of audio."""
        return sum(self.weights.values()) / Fraction(self.window_s)

    @property
    def power_mw(self) -> dict[str, float]:
        """Milliwatts of what the study counts: results that leave the buffer are left out."""
        counted = {name: joules for name, joules in self.energy_j.items() if name != REST}
        return {name: 1e3 * joules / self.window_s for name, joules in counted.items()}


@lru_cache(maxsize=1)
def recogniser() -> Hardware:
    """The hardware of the study."""
    return load_hardware(FOLDER / "recogniser.yaml", plugins=[FOLDER])


@dataclass(frozen=True)
class Task:
    """A replay to do.

    Attributes:
        design: the design.
        window_s: seconds of audio, a whole number of chunks and of tokens.
        settings: hardware values to change, as pairs such as ``("dram.burst", 64)``.
    """

    design: Design
    window_s: float = 2.0
    settings: tuple[tuple[str, object], ...] = ()


def measure_all(tasks: Iterable[Task]) -> dict[Task, Measured]:
    """Replays many designs, each once, on all cores."""
    wanted = list(dict.fromkeys(tasks))
    with Pool() as pool:
        return dict(zip(wanted, pool.map(measure, wanted, chunksize=1), strict=True))


def measure(task: Task) -> Measured:
    """Replays a design over a window of audio and reads off what it showed."""
    return read_off(task.design, replay_design(task))


def replay_design(task: Task) -> ScenarioResult:
    """Replays a design step by step on the recogniser with the design's weight buffer.

    The streams share the buffer as the design says, so each is placed by itself.
    """
    machine = recogniser().with_("buffer.size", task.design.buffer + STAGING)
    for path, value in task.settings:
        machine = machine.with_(path, value)
    streams = scenario(task.design, task.window_s)
    placed = {
        stream.name: place(in_int8(stream.model, stream.schedule), machine, stream.residency)
        for stream in streams.streams
        if isinstance(stream.model, Trace)
    }
    return replay_scenario(streams, machine, placed)


def in_int8(trace: Trace, schedule: str | None = None) -> Trace:
    """A trace as the recogniser runs it."""
    return as_run(trace, recogniser().precision, schedule=schedule)


def read_off(design: Design, result: ScenarioResult) -> Measured:
    """What a result says of a design; what ran once, before the first run, is kept apart."""
    weights: Counter[str] = Counter()
    energy: dict[str, float] = dict.fromkeys((*PARTS.values(), REST), 0.0)
    once: dict[str, int] = {}
    for part in result.parts.values():
        weights += weights_of(design, part)
        for row in _steady(part):
            energy[PARTS.get((row.component, bool(row.role)), REST)] += row.energy_j
        for assignment in part.placement.setup:
            for operand, size in assignment.plan.loaded.items() if assignment.plan else ():
                once[assignment.op.operands[operand].tensor.name] = size
    window = result.scenario.duration_s
    rate = result.machine.home("engine").service(()).bytes_per_s
    return Measured(design, window, weights, once, energy, weights.total() / window / rate)


def weights_of(design: Design, part: Result) -> Counter[str]:
    """Weight bytes that a stream read from the DRAM, by module of the model."""
    known = tuple(design.model.components)
    modules = {a.op.name: _module(known, a.op) for a, _ in part.placement.assignments()}
    found: Counter[str] = Counter()
    for row in _steady(part):
        if (row.component, row.action, row.role) == ("dram", "read", "weight"):
            found[modules[row.op]] += row.amount
    return found


PARTS = {
    ("dram", True): "DRAM",
    ("buffer", False): "weight buffer",
    ("engine", False): "multiply-accumulates",
}
"""Where energy is counted, by component and whether it is for bytes of a tensor that move."""
REST = "results"


class _Row(NamedTuple):
    """A row of the ledger."""

    op: str
    component: str
    action: str
    role: str
    amount: int
    energy_j: float


def _steady(part: Result) -> Iterator[_Row]:
    """The rows of what runs again and again."""
    once = {assignment.op.name for assignment in part.placement.setup}
    book = part.ledger
    columns = (book.op, book.component, book.action, book.role, book.count, book.energy)
    for op, *rest in zip(*(column.tolist() for column in columns), strict=True):
        if book.ops[op] not in once:
            yield _Row(book.ops[op], *rest)


def _module(known: Sequence[str], op: Op) -> str:
    """The module whose weights an operator reads; none reads those of two."""
    names = [access.tensor.name for access in op.inputs if access.tensor.role == "weight"]
    return next((name for name in known if names and names[0].startswith(f"{name}.")), "")
