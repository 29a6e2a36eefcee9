"""The kind ``array``: an engine that keeps every promise, charges what it counts, and stages."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import pytest
from cell_arrays import SHAPES, SQUARE, SUMS, cell_array, machine
from codesign_plugins.array import CellArray
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign import simulate
from codesign.errors import HardwareError, MappingError
from codesign.hardware.plan import Budget, Store, TilePlan
from codesign.mapping.paths import Paths
from codesign.mapping.place import place
from codesign.result.result import Result
from codesign.testing import check_engine, check_operator, convolution, elementwise, matmul
from codesign.workload.record import Op, Trace


def trace(*ops: Op) -> Trace:
    tensors = {access.tensor.name: access.tensor for op in ops for access in op.operands}
    return Trace("one", ops, tuple(tensors.values()))


def charged(result: Result, component: str, action: str) -> int:
    ledger = result.ledger
    rows = (ledger.component == component) & (ledger.action == action)
    return int(ledger.count[rows].sum())


@pytest.mark.parametrize("fields", SHAPES.values(), ids=SHAPES)
def test_it_keeps_every_promise_of_an_engine(fields: dict[str, Any]) -> None:
    empty: dict[str, Any] = {table: {} for table in SUMS}
    check_engine(cell_array(**{**empty, **fields}))


@dataclass(frozen=True, kw_only=True)
class Lost(CellArray):  # type: ignore[misc]
    """Stages weights in a memory that it does not name."""

    def stage(self, op: Op, operand: int) -> str:
        return "nowhere" if operand == 1 else self.buffer


@dataclass(frozen=True, kw_only=True)
class Greedy(CellArray):  # type: ignore[misc]
    """Takes all of the registers twice."""

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        plan: TilePlan = super().plan(op, budget)
        rooms = tuple(replace(room, held_bytes=room.granted_bytes + 1) for room in plan.rooms)
        return replace(plan, rooms=rooms)


@pytest.mark.parametrize(
    ("kind", "message"),
    [(Lost, "is 'nowhere'; name it in stages too"), (Greedy, "takes more than it is granted")],
)
def test_the_kit_catches_wrong_stages(kind: type[CellArray], message: str) -> None:
    fields = {**SQUARE, **SUMS, "weight_buffer": "registers", "weight_in_cells": True}
    with pytest.raises(AssertionError, match=message):
        check_operator(kind(name="array", buffer="sram", **fields), matmul(8, 16, 8))


def test_weights_go_to_their_memory_and_all_else_to_the_buffer() -> None:
    op = matmul(16, 32, 24)
    result = simulate(trace(op), machine())
    weights, rest = 32 * 24, 16 * 32
    assert charged(result, "registers", "write") == weights
    assert result.offchip_bytes == {"input": rest, "weight": weights, "output": 16 * 24}
    # every cell reads a weight in every cycle
    assert charged(result, "registers", "read") == op.macs
    assert charged(result, "sram", "write") >= rest + 16 * 24
    assert result.lower_bound_s <= result.latency_s <= result.serial_bound_s


def test_without_a_memory_of_their_own_weights_lie_in_the_buffer() -> None:
    result = simulate(trace(matmul(16, 32, 24)), machine(own_weights=False))
    assert charged(result, "sram", "write") >= 16 * 32 + 32 * 24 + 16 * 24


def test_stores_are_charged_for_every_cycle_of_every_instance() -> None:
    op = matmul(16, 32, 24)
    result = simulate(trace(op), machine())
    # two bytes of sums for each multiply-accumulate, and the results on their way out
    assert charged(result, "array", "sums write") == 2 * op.macs
    assert charged(result, "array", "sums read") >= 2 * op.macs
    assert charged(result, "array", "mac int8*int8") == op.macs


def test_registers_hold_the_weights_of_two_tiles_whatever_their_size() -> None:
    chain = trace(matmul(64, 64, 64), matmul(63, 64, 64))
    small, large = (simulate(chain, machine(registers=size)) for size in (1024, 65536))
    for result in (small, large):
        for assignment, _ in result.placement.assignments():
            plan = assignment.plan
            assert plan is not None
            (room,) = plan.rooms
            assert room.held_bytes + 2 * room.slot_in_bytes <= room.granted_bytes
    exact = simulate(chain, machine(registers=1024), exact_events=True)
    assert exact.digest == small.digest


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(["latency", "energy", "edp"]), st.sampled_from([256, 1024, 8192]))
def test_plans_fit_the_registers_of_every_cell(objective: str, registers: int) -> None:
    built = machine(registers=registers, objective=objective)
    for op in (matmul(7, 100, 30), convolution(6, 12, 9, 3, 1, 1)):
        try:
            placement = place(trace(op), built)
        except MappingError:
            continue
        plan = placement.assignments()[0][0].plan
        assert plan is not None
        assert plan.rooms[0].memory == "registers"
        assert plan.rooms[0].held_bytes + plan.rooms[0].slot_in_bytes <= registers


def test_the_home_is_neither_the_buffer_nor_the_memory_of_the_weights() -> None:
    built = machine(registers=1 << 25)  # larger than the DRAM
    assert built.home("array").name == "dram"
    assert Paths(built).beside == ()


def test_energies_of_the_way_home_count_its_links_and_its_memory() -> None:
    built = machine()
    op = matmul(4, 4, 4)
    budget = Paths(built).budget(
        built.engines[0], {}, ("dram",) * 3, 2, ("sram", "registers", "sram")
    )
    buffer, registers, home = budget.stores
    assert [store.memory for store in budget.stores] == ["sram", "registers", "dram"]
    assert (registers.read_j, registers.write_j) == (1e-13, 2e-13)
    dram, bus = built.components["dram"], built.components["bus"]
    assert home.read_j == dram.energies_j()["read"] + bus.energies_j()["move"]
    assert buffer.bytes == 16384
    assert cell_array(weight_buffer="registers").array(op, budget).home_read_j == home.read_j / 8


def test_what_it_does_not_take_has_a_reason() -> None:
    assert cell_array().supports(elementwise((4, 4))) == "takes contractions only, not elementwise"
    assert cell_array().supports(matmul(2, 2, 2, dtype="bf16")) == (
        "no MAC energy for bf16*bf16; has int8*int8"
    )
    assert cell_array().supports(matmul(2, 2, 2)) is None


def test_a_budget_without_prices_is_enough_for_a_plan() -> None:
    op = matmul(8, 16, 8)
    free = cell_array(weight_buffer="registers").plan(op, Budget(4096, 1e9, 1e9))
    assert free.rooms == ()
    stores = tuple(Store(name, 4096, 0.0, 0.0) for name in ("sram", "registers", "dram"))
    priced = cell_array(weight_buffer="registers").plan(op, Budget(4096, 1e9, 1e9, stores=stores))
    assert priced.rooms[0].memory == "registers"
    assert priced.loop == free.loop


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "axis without loops": (
        {"unroll": {"x": "columns"}},
        "array.unroll must name 'y' of axes too; add an entry",
    ),
    "loops of no axis": (
        {"unroll": {**SQUARE["unroll"], "z": "rows"}},
        "array.unroll: axes has no 'z'; known: x, y",
    ),
    "unknown class": (
        {"unroll": {"x": "column", "y": "reduction"}},
        "array.unroll.x must be words of rows, reduction, columns, groups, got 'column'; did you",
    ),
    "nothing along an axis": (
        {"unroll": {"x": "", "y": "reduction"}},
        "array.unroll.x must be words of rows, reduction, columns, groups, got ''",
    ),
    "store without a size": (
        {"store_size": {}},
        "array.store_size must name 'sums' of holds too; add an entry",
    ),
    "shared along no axis": (
        {"store_shared": {"sums": "x w"}},
        "array.store_shared.sums must be words of x, y, got 'x w'",
    ),
}


@pytest.mark.parametrize(("fields", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_in_one_line(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(HardwareError, match=re.escape(message)) as error:
        cell_array(**fields).check()
    assert "\n" not in str(error.value)
