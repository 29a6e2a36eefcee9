"""What replays say of a placement: latency, energy, who ran what, and what it computed."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from codesign import Engines, Hardware, Op, Residency, Result, Trace
from codesign.mapping.place import place
from codesign.mapping.placement import Placement
from codesign.models import resolve_model
from codesign.replay.run import replay
from codesign.result.result import build_result
from codesign.workload.as_run import as_run
from codesign.workload.dtype import DType
from hybrid_study.cases import (
    CASES,
    FOR_EVER,
    LARGE,
    MODEL,
    NPU_ONLY,
    SORTS,
    STAYS,
    UNPACKED,
    Case,
    sort_of,
)

NPU, CIM = "npu", "cim"
PARTS = {
    NPU: "NPU",
    CIM: "macros",
    "cim.cells": "macros",
    "sram": "scratchpad",
    "dram": "DRAM",
}
REST = "bus and vector unit"


@dataclass(frozen=True)
class Product:
    """A contraction as it ran.

    Attributes:
        name: of the operator.
        sort: of the contraction.
        engine: that ran it.
        macs: multiply-accumulates.
        busy_s: seconds in which the engine computes it.
    """

    name: str
    sort: str
    engine: str
    macs: int
    busy_s: float


@dataclass(frozen=True)
class Measured:
    """One run of the network under one placement.

    Attributes:
        latency_s: seconds.
        energy_j: joules by part: ``NPU``, ``macros``, ``scratchpad``, ``DRAM`` and the rest, with
            leakage of the NPU, the vector unit and the scratchpad.
        products: contractions in order.
        weight_bytes: weights that come from DRAM.
        cell_bytes: weights that are written into cells from DRAM.
    """

    latency_s: float
    energy_j: Mapping[str, float]
    products: tuple[Product, ...]
    weight_bytes: int
    cell_bytes: int

    @property
    def total_j(self) -> float:
        """All parts together."""
        return sum(self.energy_j.values())

    def ran_on(self, sort: str) -> dict[str, int]:
        """How many contractions of a sort ran on each engine."""
        found = {NPU: 0, CIM: 0}
        for product in self.products:
            found[product.engine] += product.sort == sort
        return found

    def busy_s(self, sort: str) -> float:
        """Seconds in which engines compute contractions of a sort."""
        return sum(product.busy_s for product in self.products if product.sort == sort)


@dataclass(frozen=True)
class Study:
    """Everything that was measured.

    Attributes:
        found: by case.
        resident: the placement of ``LARGE`` when weights that fit stay from run to run, after the
            first run.
        unpacked_s: by sort, the seconds in which macros that pack no groups would compute it.
    """

    found: Mapping[Case, Measured]
    resident: Measured
    unpacked_s: Mapping[str, float]

    def best(self, count: int) -> tuple[Case, Measured]:
        """The fastest of the placements simulated for some macros, NPU only among them."""
        able = [case for case in self.found if _is_candidate(case, count)]
        case = min(able, key=lambda case: self.found[case].latency_s)
        return case, self.found[case]

    def cuts(self, one: Measured) -> tuple[float, float]:
        """By how much latency and energy are less than on the NPU only, as shares of it."""
        base = self.found[NPU_ONLY]
        return 1 - one.latency_s / base.latency_s, 1 - one.total_j / base.total_j


def _is_candidate(case: Case, count: int) -> bool:
    plain = case.sets == NPU_ONLY.sets and case.pack == NPU_ONLY.pack
    return plain and case.macros in (0, count)


def measure_all(cases: Iterable[Case] = CASES) -> Study:
    """Captures the network once and replays every case, on all cores."""
    trace = as_run(resolve_model(MODEL), DType.parse("int8"))
    with multiprocessing.Pool() as pool:
        longest_first = sorted(cases, key=lambda case: case.policy != "earliest")
        jobs = {c: pool.apply_async(measure, (trace, c)) for c in longest_first if c != LARGE}
        large, resident, unpacked = measure_resident(trace)
        found = {case: job.get() for case, job in jobs.items()}
    return Study({**found, LARGE: large}, resident, unpacked)


def measure(trace: Trace, case: Case) -> Measured:
    """Places and replays one case."""
    return _measured(_placed(trace, case.machine, STAYS, case.engines), case.machine)


def measure_resident(trace: Trace) -> tuple[Measured, Measured, dict[str, float]]:
    """``LARGE``, the same engines once weights that fit have been loaded, and ``unpacked_s``."""
    machine = LARGE.machine
    first = _placed(trace, machine, STAYS, LARGE.engines)
    ops = [(one.op, one.engine) for one, _ in first.assignments() if one.op.kind == "contraction"]
    same = Engines(rules={op.name: engine for op, engine in ops})
    kept = _placed(trace, machine, FOR_EVER, same)
    unpacked = dict.fromkeys(SORTS, 0.0)
    for op, _ in ops:
        unpacked[sort_of(op)] += macro_s(op, UNPACKED.machine)
    return _measured(first, machine), _measured(replace(kept, setup=()), machine), unpacked


def macro_s(op: Op, machine: Hardware) -> float:
    """Seconds in which the macros of a machine compute a contraction: passes times clock."""
    macros: Any = machine.engine(CIM)
    layout = macros.layout(op)
    steps = math.ceil(layout.count / macros.macros)
    return float(steps * layout.pixels * macros.work(op).passes / macros.clock_hz)


def _placed(trace: Trace, machine: Hardware, stays: Residency, engines: Engines) -> Placement:
    return place(trace, machine, stays, engines)


def _measured(placement: Placement, machine: Hardware) -> Measured:
    result = build_result(placement, machine, replay(placement, machine))
    products = tuple(
        Product(
            one.op.name,
            sort_of(one.op),
            one.engine,
            one.op.macs,
            one.plan.cycles / one.plan.clock_hz,
        )
        for one, _ in placement.assignments()
        if one.op.kind == "contraction" and one.plan is not None
    )
    return Measured(
        result.latency_s,
        _energies(result),
        products,
        result.offchip_bytes.get("weight", 0),
        result.replay.moved.get(("dram", "cim.cells"), 0),
    )


def _energies(result: Result) -> dict[str, float]:
    found = dict.fromkeys((*dict.fromkeys(PARTS.values()), REST), 0.0)
    for component, joules in result.energy_by_component_j.items():
        found[PARTS.get(component, REST)] += joules
    return found
