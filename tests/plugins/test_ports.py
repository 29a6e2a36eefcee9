"""No engine computes faster than its buffer delivers, and no operand is read for nothing."""

from __future__ import annotations

import math

import pytest

from codesign.hardware.component import Engine
from codesign.hardware.plan import Budget, TilePlan
from codesign.plugins import registry
from codesign.simulation import simulate
from codesign.testing import elementwise, matmul
from codesign.testing.operators import whole
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import Op, Trace

KINDS = registry().components()
RESIDENT = (True,) * 4


def engine(kind: str, **values: object) -> Engine:
    made = KINDS[kind](name="engine", buffer="sram", **values)  # type: ignore[arg-type, call-arg]
    assert isinstance(made, Engine)
    return made


def plan(kind: str, op: Op, port: float, **values: object) -> TilePlan:
    resident = RESIDENT[: len(op.operands)]
    budget = Budget(1 << 30, 1e12, 1e12, resident=resident, port_bytes_per_s=port)
    return engine(kind, **values).plan(op, budget)


def port_bytes(found: TilePlan) -> int:
    return sum(n for owner, _, n in found.actions if owner == "buffer")


@pytest.mark.parametrize("port", [1e9, 16e9, 64e9, 128e9])
@pytest.mark.parametrize("op", [matmul(64, 128, 96), matmul(1, 256, 256), matmul(40, 33, 70)])
def test_an_array_takes_at_least_its_bytes_over_the_port_rate(op: Op, port: float) -> None:
    found = plan("systolic", op, port, rows=16, cols=16)
    assert found.cycles / found.clock_hz >= 0.999 * port_bytes(found) / port


@pytest.mark.parametrize("port", [1e9, 16e9, 64e9])
def test_lanes_take_at_least_their_bytes_over_the_port_rate(port: float) -> None:
    found = plan("vector", elementwise((4096,)), port, lanes=256, start=0)
    assert found.cycles / found.clock_hz >= port_bytes(found) / port


def test_a_wide_port_costs_nothing() -> None:
    op = matmul(64, 128, 96)
    narrow, wide = (plan("systolic", op, port, rows=16, cols=16) for port in (1e15, math.inf))
    assert narrow.cycles == wide.cycles
    assert "buffer port" not in dict(narrow.slots)


def test_waiting_for_the_port_is_booked_as_such() -> None:
    op = matmul(64, 128, 96)
    free, bound = (plan("systolic", op, port, rows=16, cols=16) for port in (math.inf, 4e9))
    per_cycle = 16 * 16
    assert dict(bound.slots)["buffer port"] == (bound.cycles - free.cycles) * per_cycle
    assert sum(n for _, n in bound.slots) == bound.cycles * per_cycle


def test_a_scratchpad_at_a_hundredth_of_the_rate_slows_a_resident_region() -> None:
    op = matmul(256, 256, 256)
    trace = Trace("one", (op,), tuple(access.tensor for access in op.operands))
    slow = simulate(trace, "edge-npu", settings={"sram.bandwidth": "1.28 GB/s"})
    fast = simulate(trace, "edge-npu")
    assert slow.latency_s > 5 * fast.latency_s
    assert slow.utilization["sram"] <= 1


def with_residual(m: int, k: int, n: int) -> Op:
    plain = matmul(m, k, n)
    assert plain.nest is not None
    dims = {name: number for number, name in enumerate(plain.nest.dims)}
    residual = whole("residual", (m, n))
    axes = (Axis(((dims["m"], 1),)), Axis(((dims["n"], 1),)))
    first, second, last = plain.nest.operands
    nest = LoopNest(plain.nest.dims, plain.nest.extents, (first, second, axes, last))
    return Op("fused", "contraction", (*plain.inputs, residual), plain.outputs, nest, ("add",))


def test_a_fused_residual_is_read_from_the_buffer_once_a_result() -> None:
    m, k, n = 48, 64, 80
    reads = [
        {(owner, action): count for owner, action, count in found.actions}["buffer", "read"]
        for found in (
            plan("systolic", matmul(m, k, n), math.inf),
            plan("systolic", with_residual(m, k, n), math.inf),
        )
    ]
    assert reads[1] - reads[0] == m * n


def test_a_bias_is_read_once_a_tile_and_column() -> None:
    plain, biased = (
        plan("systolic", matmul(8, 16, 32, bias=bias), math.inf, rows=64, cols=64)
        for bias in (False, True)
    )
    assert plain.tiles == biased.tiles == 1
    assert port_bytes(biased) - port_bytes(plain) == 32 * matmul(8, 16, 32, bias=True).inputs[
        2
    ].tensor.dtype.storage_bytes(1)


@pytest.mark.parametrize("size", [64, 5000, 1 << 16])
def test_a_square_fetches_its_operand_once(size: int) -> None:
    x, y = whole("x", (size,), "input"), whole("y", (size,), "output")
    square = Op("square", "elementwise", (x, x), (y,), functions=("mul",))
    result = simulate(Trace("square", (square,), (x.tensor, y.tensor)), "edge-npu")
    assert result.offchip_bytes == {"input": size, "output": size}


def test_a_gram_matrix_fetches_its_factor_twice_only_if_it_reads_it_in_two_ways() -> None:
    x, y = whole("x", (64, 64), "input"), whole("y", (64, 64), "output")
    m, n, k = Axis(((1, 1),)), Axis(((2, 1),)), Axis(((3, 1),))
    nest = LoopNest(("b", "m", "n", "k"), (1, 64, 64, 64), ((m, k), (n, k), (m, n)))
    gram = Op("gram", "contraction", (x, x), (y,), nest)
    result = simulate(Trace("gram", (gram,), (x.tensor, y.tensor)), "edge-npu")
    assert result.offchip_bytes["input"] == 2 * 64 * 64
