"""A memory between the home and the buffer takes part: it is charged and it limits the rate."""

from __future__ import annotations

import pytest

from codesign.hardware.component import Component, Engine, Link, Memory
from codesign.hardware.spec import Hardware
from codesign.plugins import registry
from codesign.simulation import simulate
from codesign.testing import matmul
from codesign.workload.record import Trace

KINDS = registry().components()


def part(kind: str, name: str, **values: object) -> Component:
    return KINDS[kind](name=name, **values)  # type: ignore[arg-type]


def machine(shared_rate: float) -> Hardware:
    parts = [
        part("systolic", "npu", buffer="local", rows=8, cols=8),
        part("sram", "local", size=1 << 16, bandwidth=64e9),
        part("link", "near", connects=("shared", "local"), bandwidth=8e9, setup=0.0),
        part("sram", "shared", size=1 << 20, bandwidth=shared_rate),
        part("link", "far", connects=("dram", "shared"), bandwidth=8e9, setup=0.0),
        part("flat_dram", "dram", device="any", size=1 << 30, bandwidth=8e9, efficiency=1.0),
    ]
    assert all(isinstance(p, (Engine, Memory, Link)) for p in parts)
    return Hardware("deep", "", None, {p.name: p for p in parts})


def weights() -> Trace:
    op = matmul(1, 512, 256)
    return Trace("one", (op,), tuple(access.tensor for access in op.operands))


def test_every_byte_goes_in_and_out_of_the_memory_on_the_way() -> None:
    result = simulate(weights(), machine(64e9))
    moved = sum(result.replay.moved.values())
    shared = result.ledger.component == "shared"
    for action in ("read", "write"):
        rows = shared & (result.ledger.action == action)
        assert int(result.ledger.count[rows].sum()) == moved


@pytest.mark.parametrize(("rate", "limit"), [(64e9, 8e9), (8e9, 4e9), (2e9, 1e9)])
def test_the_memory_on_the_way_serves_each_byte_twice(rate: float, limit: float) -> None:
    result = simulate(weights(), machine(rate))
    moved = sum(result.replay.moved.values())
    assert moved / limit <= result.latency_s < 1.2 * moved / limit
    assert result.lower_bound_s <= result.latency_s <= result.serial_bound_s
