"""What replays say of a case: latency, energy by component, bytes of embeddings."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from multiprocessing import get_context

from codesign import Result, Trace
from codesign.mapping.place import place
from codesign.replay.run import replay
from codesign.result.result import build_result
from codesign.units import PS_PER_S
from recommender_study.cases import (
    CASES,
    HOST,
    IN_FULL,
    LINE,
    MODELS,
    PIM,
    REPLAYED,
    Case,
    in_format,
)
from recommender_study.traffic import Traffic, traffic_of

Job = tuple[int, tuple[Case, ...]]


@dataclass(frozen=True)
class Measured:
    """A run of a model with what stays already in its place.

    Attributes:
        model: one of ``MODELS``.
        batch: samples of a run.
        case: name of the case.
        latency_s: of a run.
        energy_j: of a run by component, leakage and background included.
        weight_bytes: that the DRAM sends for embeddings and weights, in whole bursts.
        offchip_bytes: that it moves for everything.
        away_s: time in which the other engine than the host computes.
        away: operators that run there.
    """

    model: str
    batch: int
    case: str
    latency_s: float
    energy_j: Mapping[str, float]
    weight_bytes: int
    offchip_bytes: int
    away_s: float
    away: int

    @property
    def total_j(self) -> float:
        """All components together."""
        return math.fsum(self.energy_j.values())


Found = Mapping[tuple[str, int, str], Measured]


@dataclass(frozen=True)
class Study:
    """All that is shown.

    Attributes:
        traffic: by model.
        runs: by model, batch and name of the case.
    """

    traffic: Mapping[str, Traffic]
    runs: Found


def measure_all() -> Study:
    """Counts the traffic of every model and replays what ``jobs`` names, on all cores."""
    # each process captures its models itself: torch may hang in one that is forked from torch's
    with get_context("spawn").Pool() as pool:
        found = pool.map(_of_model, sorted(MODELS, key=_longest_first), chunksize=1)
    by_model = {model: (traffic, runs) for model, traffic, runs in found}
    runs = {(one.model, one.batch, one.case): one for model in MODELS for one in by_model[model][1]}
    return Study({model: by_model[model][0] for model in MODELS}, runs)


def _longest_first(model: str) -> tuple[int, bool]:
    cases = [case for _, some in jobs(model) for case in some]
    return -len(cases), model not in REPLAYED[1:]  # dlrm is small


def _of_model(model: str) -> tuple[str, Traffic, list[Measured]]:
    runs = [one for batch, some in jobs(model) for one in measure(model, batch, some)]
    return model, traffic_of(model), runs


def jobs(model: str) -> list[Job]:
    """What is replayed of a model: batches, and cases of each."""
    found = dict.fromkeys(LINE if model in REPLAYED else (), (HOST, PIM))
    found |= dict.fromkeys(IN_FULL.get(model, ()), CASES)
    return list(found.items())


def measure(model: str, batch: int, cases: Iterable[Case]) -> list[Measured]:
    """Replays a model for a batch in some cases."""
    return [_read(run(in_format(model, batch, c.precision), c), model, batch, c) for c in cases]


def run(trace: Trace, case: Case) -> Result:
    """A run behind many others: what stays from run to run is there already, and not loaded."""
    machine = case.machine
    placement = place(trace, machine, case.residency, case.engines(trace))
    later = dataclasses.replace(placement, setup=())
    return build_result(later, machine, replay(later, machine))


def _read(result: Result, model: str, batch: int, case: Case) -> Measured:
    other = "pim" if case.precision == "fp16" else "cim"
    away = {one.op.name for one, _ in result.placement.assignments() if one.engine == other}
    return Measured(
        model,
        batch,
        case.name,
        result.latency_s,
        dict(result.energy_by_component_j),
        result.offchip_bytes.get("weight", 0),
        sum(result.offchip_bytes.values()),
        result.replay.busy.get(other, 0) / PS_PER_S,
        len(away),
    )


def crossover(found: Found, model: str, energy: bool = False) -> float | None:
    """The batch from which on the host wins again, on the lines through both batches of ``LINE``.

    Units read the weights anew for each sample: their time and energy are linear in the batch.

    Args:
        found: what was measured.
        model: one of ``REPLAYED``.
        energy: whether it is energy that counts, and not time.

    Returns:
        None where the host wins from one sample on.
    """
    host, pim = (
        [
            one.total_j if energy else one.latency_s
            for one in (found[model, batch, case.name] for batch in LINE)
        ]
        for case in (HOST, PIM)
    )
    gap, wider = host[0] - pim[0], pim[1] - host[1]
    if gap <= 0 or wider <= 0:
        return None
    return LINE[0] + gap / (gap + wider) * (LINE[1] - LINE[0])
