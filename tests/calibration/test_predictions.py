"""What is fitted is what a plan takes: the same operator, the same bytes, the same seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest
from codesign_plugins.gpu import Gpu
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign import Budget, Op, Trace, load_hardware, simulate
from codesign.calibration import Point, budget_of, operator, tabulate, with_constants
from codesign.calibration.operators import OPERANDS
from codesign.testing import elementwise, matmul, move, normalize, reduce, softmax
from codesign.workload.dtype import DType

CONSTANTS: Mapping[str, object] = {
    "t0": 3e-6,
    "compute_efficiency": 0.7,
    "memory_efficiency": 0.8,
    "launch_overhead": 2e-5,
    "kind_efficiency": {"softmax": 0.5, "reduce": 0.9},
}
PRESETS = ("a100-80gb", "h100", "mi300x")
FP16, FP32 = DType.parse("fp16"), DType.parse("fp32")
SIZE = st.integers(1, 5000)


@cache
def engine(preset: str = PRESETS[0]) -> Gpu:
    found = with_constants(load_hardware(preset).engines[0], CONSTANTS)
    assert isinstance(found, Gpu)
    return found


@cache
def budget(preset: str = PRESETS[0]) -> Budget:
    """Stores go at half the rate of loads, so that the two cannot be taken for each other."""
    found = budget_of(load_hardware(preset), engine(preset))
    return replace(found, store_bytes_per_s=found.load_bytes_per_s / 2)


def predicted(point: Point, preset: str = PRESETS[0], protocol: str = "kernel") -> float:
    table = tabulate([point], protocol, ())
    (seconds,) = engine(preset).predict_s(table, budget(preset)).tolist()
    return float(seconds)


def planned(op: Op, preset: str = PRESETS[0]) -> float:
    return float(engine(preset).t0 + engine(preset).kernel(op, budget(preset)).work_s)


@st.composite
def points(draw: st.DrawFn) -> Point:
    kind = draw(st.sampled_from(sorted(OPERANDS)))
    if kind == "contraction":
        batch = draw(st.sampled_from([(), (3,)]))
        formats = draw(st.sampled_from(["fp16", "bf16", "int8"]))
        return Point(
            kind, (*batch, draw(SIZE), draw(SIZE), draw(SIZE)), (DType.parse(formats),) * 2, 1.0
        )
    number = draw(st.sampled_from([FP16, FP32, DType.parse("int4")]))
    inputs = draw(st.integers(1, 3)) if kind == "elementwise" else 1
    return Point(kind, (draw(SIZE), draw(SIZE)), (number,), 1.0, inputs)


@settings(max_examples=80)
@given(point=points(), preset=st.sampled_from(PRESETS))
def test_an_operator_takes_what_the_engine_plans_for_it(point: Point, preset: str) -> None:
    wanted = planned(operator(point), preset)
    assert predicted(point, preset) == pytest.approx(wanted, rel=1e-6)
    assert predicted(point, preset, "host") == pytest.approx(wanted + 2e-5, rel=1e-6)


@pytest.mark.parametrize(
    ("op", "point"),
    [
        (
            matmul(300, 700, 900, dtype="fp16"),
            Point("contraction", (300, 700, 900), (FP16,) * 2, 1),
        ),
        (
            matmul(300, 700, 900, batch=3, dtype="fp16"),
            Point("contraction", (3, 300, 700, 900), (FP16,) * 2, 1),
        ),
        (
            elementwise((4096, 4096), ("add",), inputs=2, dtype="fp16"),
            Point("elementwise", (4096, 4096), (FP16,), 1, inputs=2),
        ),
        (elementwise((4096, 4096), dtype="fp16"), Point("elementwise", (4096, 4096), (FP16,), 1)),
        (softmax(4096, 4096, dtype="fp16"), Point("softmax", (4096, 4096), (FP16,), 1)),
        (normalize(50, 9000, dtype="fp16"), Point("normalize", (50, 9000), (FP16,), 1)),
        (reduce(4096, 8, dtype="fp32"), Point("reduce", (4096, 8), (FP32,), 1)),
        (move((4096, 4096), dtype="fp32"), Point("move", (4096, 4096), (FP32,), 1)),
    ],
    ids=lambda value: value.name if isinstance(value, Op) else "",
)
def test_a_row_is_the_operator_of_a_trace(op: Op, point: Point) -> None:
    """A captured addition reads two tensors: fitted as one, its share would be a third too low."""
    assert predicted(point) == pytest.approx(planned(op), rel=1e-6)
    mine, theirs = ([access.bytes for access in one.operands] for one in (operator(point), op))
    assert mine == theirs


def test_a_simulation_takes_the_predicted_time() -> None:
    point = Point("elementwise", (4096, 4096), (FP16,), 1, inputs=2)
    op = operator(point)
    constants = {f"gpu.{name}": value for name, value in CONSTANTS.items()}
    machine = load_hardware(PRESETS[0]).with_all(constants)
    (found,) = machine.engines
    assert isinstance(found, Gpu)
    (seconds,) = found.predict_s(tabulate([point], "kernel", ()), budget_of(machine, found))
    result = simulate(Trace("one", (op,), tuple(access.tensor for access in op.operands)), machine)
    assert result.latency_s == pytest.approx(seconds, rel=0.01)
