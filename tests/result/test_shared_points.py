"""Points of a sweep share work, and each of them is what it is alone, to the bit."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import KIB, Sketch, machine, traces

from codesign import simulate
from codesign.errors import CodesignError
from codesign.hardware.component import Descriptor, Engine, Memory, Service
from codesign.hardware.fields_only import fields_only
from codesign.hardware.plan import Budget, Loop, Move, Tile, TilePlan
from codesign.hardware.spec import Hardware, load_hardware
from codesign.mapping.kept import forget_all
from codesign.result.result import Result
from codesign.testing import compulsory_bytes
from codesign.units import BytesPerSecond, Joules
from codesign.workload.record import Op, Trace

Settings = Mapping[str, object]


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    forget_all()
    yield
    forget_all()


def told(trace: Trace, hardware: Hardware, changes: Settings, **how: Any) -> str:
    """Digest of a point, or why there is none."""
    try:
        return simulate(trace, hardware, settings=changes, **how).digest
    except CodesignError as error:
        return str(error)


def check(trace: Trace, hardware: Hardware, points: Sequence[Settings], **how: Any) -> int:
    """Simulates points in a row, then each of them alone; how many differ among themselves."""
    shared = [told(trace, hardware, point, **how) for point in points]
    for point, found in zip(points, shared, strict=True):
        forget_all()
        assert told(trace, hardware, point, **how) == found, point
    return len(set(shared))


EDGE: dict[str, Sequence[object]] = {
    "npu.rows": (16, 64),
    "npu.clock": (4e8, 1e9),
    "npu.dataflow": ("ws", "os"),
    "npu.mac_energy.int8*int8": (1e-13, 4e-13),
    "npu.accumulator": (4 * KIB, 64 * KIB),
    "vector.lanes": (16, 64),
    "sram.size": (32 * KIB, 96 * KIB, 1024 * KIB),
    "sram.bandwidth": (1e10, 128e9),
    "sram.read_energy": (1e-12, 9e-12),
    "bus.bandwidth": (2e9, 32e9),
    "bus.duplex": ("half", "full"),
    "bus.setup": (0.0, 5e-7),
    "dram.bandwidth": (1e9, 8.5e9),
    "dram.burst": (1, 64),
    "dram.energy": (2e-11, 5e-11),
    "dram.leakage": (0.0, 0.1),
}
TPU: dict[str, Sequence[object]] = {
    "array.mac_energy.int8*int8": (4e-14, 8e-14),
    "array.objective": ("energy", "latency"),
    "sram.size": (64 * KIB, 2048 * KIB),
    "sram.read_energy": (1e-12, 3e-12),
    "registers.read_energy": (1e-13, 5e-13),
    "bus.bandwidth": (4e9, 8e9),
    "dram.energy": (5e-11, 9e-11),
}
BANKED: dict[str, Sequence[object]] = {
    "npu.clock": (5e8, 1e9),
    "dram.layout": ("aligned", "staggered"),
    "dram.power_down_after": (0.0, 1e-6),
    "sram.size": (64 * KIB, 1024 * KIB),
    "sram.write_energy": (1e-12, 2e-12),
}


def drawn(values: Mapping[str, Sequence[object]], seed: int, count: int) -> list[Settings]:
    """Random points, each a few steps from the one before, some of them twice."""
    random_ = random.Random(seed)
    point = {name: random_.choice(options) for name, options in values.items()}
    found: list[Settings] = []
    for _ in range(count):
        for name in random_.sample(list(values), 2):
            point[name] = random_.choice(values[name])
        found.append(dict(point))
    random_.shuffle(found)
    return [*found, found[0]]


def network() -> Trace:
    """Convolutions, products on a diamond, and a recurrence."""
    sketch = Sketch("network")
    x = sketch.conv("first", sketch.input("image", 3, 20, 20), 16, 3)
    sketch.conv("second", sketch.pointwise("relu", x), 24, 3)
    y = sketch.input("y", 16, 96)
    left, right = sketch.matmul("left", y, 64), sketch.matmul("right", y, 64)
    joined = sketch.pointwise("join", left, right, function="add")
    sketch.softmax("soft", sketch.recurrent("rnn", joined, 64))
    return sketch.trace()


HOW: tuple[dict[str, Any], ...] = (
    {},
    {"residency": "greedy"},
    {"objective": "edp"},
    {"engines": "alone", "residency": "none"},
)


@pytest.mark.parametrize("how", HOW, ids=str)
@pytest.mark.parametrize(
    ("preset", "values"),
    [("edge-npu", EDGE), ("tpu-like", TPU), ("edge-npu-lpddr5", BANKED)],
    ids=["edge-npu", "tpu-like", "edge-npu-lpddr5"],
)
def test_points_in_any_order_equal_points_alone(
    preset: str, values: Mapping[str, Sequence[object]], how: dict[str, Any]
) -> None:
    points = drawn(values, seed=len(preset) + len(how), count=10)
    assert check(network(), load_hardware(preset), points, **how) > 1


@settings(max_examples=12)
@given(traces(), st.integers(0, 10**6))
def test_random_programs_too(trace: Trace, seed: int) -> None:
    values = {
        "npu0.rows": (4, 16),
        "npu0.mac_energy.int8*int8": (1e-13, 2e-13),
        "sram0.size": (2 * KIB, 64 * KIB),
        "bus0.bandwidth": (1e9, 16e9),
        "bus0.energy": (1e-12, 2e-12),
        "vector.clock": (5e8, 1e9),
    }
    check(trace, machine(), drawn(values, seed, 6))


@fields_only
@dataclass(frozen=True, kw_only=True)
class Fickle(Engine):
    """A third party's engine whose plans look at odd things: at prices, where there is room."""

    kind: ClassVar[str] = "fickle"

    price: Joules = 1e-12
    pace: int = 100

    @cached_property
    def slowness(self) -> int:
        return self.pace if self.price < 2e-12 else 2 * self.pace

    def supports(self, op: Op) -> str | None:
        return None

    def energies_j(self) -> Mapping[str, float]:
        return {"operator": self.price}

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        cycles = self.pace
        if budget.buffer_bytes > 40 * KIB:
            cycles = self.slowness
        elif budget.stores[-1].read_j > 1e-11:
            cycles += 7
        sizes = [Move(n, compulsory_bytes(op, n)) for n in range(len(op.operands))]
        here = [move for move in sizes if not budget.is_resident(move.operand)]
        loads = tuple(move for move in here if move.operand < len(op.inputs))
        stores = tuple(move for move in here if move.operand >= len(op.inputs))
        loop = Loop((Tile(cycles, loads, stores),))
        return TilePlan(loop, 1e9, actions=(("", "operator", 1),))


@fields_only
@dataclass(frozen=True, kw_only=True)
class Tired(Memory):
    """A third party's memory that serves the less the more it costs to read."""

    kind: ClassVar[str] = "tired"
    off_chip: ClassVar[bool] = True

    bandwidth: BytesPerSecond = 4e9
    read: Joules = 5e-12

    def service(self, descriptors: Sequence[Descriptor]) -> Service:
        return Service(int(self.bandwidth) // (2 if self.read > 8e-12 else 1))

    def energies_j(self) -> Mapping[str, float]:
        return {"read": self.read, "write": 2e-12}


def odd() -> Hardware:
    """Parts of third parties around a bus and a buffer."""
    parts = dict(machine().components)
    del parts["npu0"]
    fickle = Fickle(name="fickle", buffer="sram0")
    parts = {"fickle": fickle, **parts, "dram": Tired(name="dram", size=1 << 30)}
    return replace(machine(), components=parts)


def test_parts_of_third_parties_may_read_what_they_like() -> None:
    values: dict[str, Sequence[object]] = {
        "fickle.price": (1e-12, 3e-12),
        "fickle.pace": (100, 5000),
        "fickle.leakage": (0.0, 0.1),
        "dram.read": (5e-12, 9e-12),
        "sram0.size": (36 * KIB, 256 * KIB),
        "sram0.read_energy": (1e-12, 2e-12),
    }
    names = list(values)
    points: list[Settings] = [
        dict(zip(names, one, strict=True)) for one in itertools.product(*values.values())
    ]
    random.Random(3).shuffle(points)
    assert check(network(), odd(), points) == len(points)


def test_errors_of_points_are_those_of_points_alone() -> None:
    values: dict[str, Sequence[object]] = {
        "sram.size": (64, 512, 64 * KIB),
        "npu.accumulator": (1, 64 * KIB),
        "dram.size": (1 * KIB, 1 << 30),
    }
    points = drawn(values, seed=5, count=12)
    found = {told(network(), load_hardware("edge-npu"), point) for point in points}
    assert any("enlarge" in one for one in found)
    assert check(network(), load_hardware("edge-npu"), points) > 2


def test_a_result_is_its_owners() -> None:
    trace, hardware = network(), load_hardware("edge-npu")

    def figures(found: Result) -> object:
        return found.digest, found.summary(), found.replay.spans

    before = figures(simulate(trace, hardware))
    mine = simulate(trace, hardware)
    mine.ledger.energy[:] = 0
    mine.ledger.component[:] = "x"
    mine.replay.busy.clear()
    mine.replay.moved.clear()
    assert figures(simulate(trace, hardware)) == before


def test_who_watches_sees_every_operator_each_time() -> None:
    trace, hardware = network(), load_hardware("edge-npu")
    seen: list[tuple[int, int]] = []
    counts = []
    for _ in range(2):
        simulate(trace, hardware, watch=lambda *now: seen.append(now))
        counts.append(len(seen))
        assert seen[-1][0] == seen[-1][1] > 5
    assert counts[1] == 2 * counts[0]


def test_a_trace_is_checked_and_formed_as_before() -> None:
    trace, hardware = network(), load_hardware("edge-npu")
    forms = [{"dtype": "int8"}, {"dtype": "native"}, {}, {"dtype": "int4"}]
    shared = [told(trace, hardware, {}, **form) for form in forms]
    for form, found in zip(forms, shared, strict=True):
        forget_all()
        assert told(trace, hardware, {}, **form) == found
    broken = replace(trace, items=trace.items[::-1])
    for _ in range(2):
        assert "cyclic graph" in told(broken, hardware, {})


def test_a_result_of_a_shared_replay_is_saved_as_one_of_its_own(tmp_path: Path) -> None:
    sketch = Sketch("twice")
    x = sketch.recurrent("rnn", sketch.input("x", 4, 32), 32)
    sketch.softmax("soft", sketch.matmul("head", x, 24))
    trace, hardware = sketch.trace(), load_hardware("edge-npu")
    folders = [tmp_path / name for name in ("first", "again", "alone")]
    for folder in folders:
        if folder.name == "alone":
            forget_all()
        simulate(trace, hardware.with_("dram.leakage", 0.1)).save(folder)
    first, *others = ({path.name: path.read_bytes() for path in one.iterdir()} for one in folders)
    assert len(first) == 9
    for other in others:
        assert other == first
    events = json.loads(first["timeline.json"])["traceEvents"]
    assert sum(event["args"]["energy_j"] for event in events if event["ph"] == "X") > 0
