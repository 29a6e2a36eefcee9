"""Operands that stay in a memory beside the buffer, in which an engine stages them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
from codesign_plugins.flat_dram import FlatDram
from codesign_plugins.link import Bus
from codesign_plugins.sram import Sram
from hypothesis import given
from hypothesis import strategies as st
from test_residency import STEPS, WIDTH, recurrent
from toy_machine import Priced, priced

from codesign.errors import MappingError
from codesign.hardware.component import Component
from codesign.hardware.plan import Budget, TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.moves import Move, fetch
from codesign.mapping.paths import Paths
from codesign.mapping.place import place
from codesign.mapping.placement import Assignment, Block, Placement
from codesign.mapping.residency import Policy, Residency
from codesign.replay.run import replay
from codesign.testing.operators import matmul, whole
from codesign.units import Count
from codesign.workload.record import Op, Trace

MATRIX = WIDTH * WIDTH


@dataclass(frozen=True, kw_only=True)
class Celled(Priced):
    """A priced engine whose second operands lie in cells, each byte in so many.

    Attributes:
        fills: bytes of the cells that a byte takes; 0 for an engine that lets nothing stay there.
    """

    kind: ClassVar[str] = "celled"

    fills: int = 1
    cells: Count = 1 << 16

    @property
    def brings(self) -> tuple[Component, ...]:
        return (Sram(name=f"{self.name}.cells", size=self.cells, bandwidth=4e9),)

    @property
    def stages(self) -> tuple[str, ...]:
        return (f"{self.name}.cells",)

    def stage(self, op: Op, operand: int) -> str:
        return self.stages[0] if op.kind == "contraction" and operand == 1 else self.buffer

    def stage_bytes(self, op: Op, operand: int) -> int | None:
        if self.stage(op, operand) == self.buffer:
            return op.operands[operand].tensor.bytes
        return self.fills * op.operands[operand].tensor.bytes or None

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        exclusive = () if budget.is_resident(1) else (1,)
        return replace(super().plan(op, budget), exclusive=exclusive)


def celled(name: str = "mac", **fields: int) -> Celled:
    return Celled(name=name, buffer="sram", cycles={"contraction": 5, "move": 1}, **fields)


def built(*engines: Priced, buffer: int = 4096) -> Hardware:
    """Engines with cells before one bus and one memory."""
    cells = [stage for engine in engines for stage in engine.stages]
    parts: list[Component] = [
        *engines,
        Sram(name="sram", size=buffer, bandwidth=4e9),
        Bus(name="bus", connects=("dram", "sram", *cells), bandwidth=2e9, setup=1e-8),
        FlatDram(name="dram", device="toy", size=1 << 20, bandwidth=8e9, efficiency=0.5),
    ]
    return Hardware("staged", "", None, {part.name: part for part in parts})


def block(hardware: Hardware, residency: Residency | Policy = "region") -> Block:
    (found,) = (
        step for step in place(recurrent(), hardware, residency).program if isinstance(step, Block)
    )
    return found


def cell(found: Block) -> Assignment:
    (one,) = found.body
    assert isinstance(one, Assignment)
    assert one.plan is not None
    return one


def loaded(one: Assignment) -> dict[int, int]:
    assert one.plan is not None
    return one.plan.loaded


# -- where it stays --------------------------------------------------------------------------------


def test_a_weight_stays_where_its_engine_stages_it_and_the_rest_in_the_buffer() -> None:
    found = block(built(celled()))
    stays = {stay.tensor.name: stay.memory for stay in found.residences}
    assert stays == {"u": "mac.cells", "h": "sram", "h.next": "sram"}
    assert cell(found).homes == ("sram", "mac.cells", "dram", "sram")
    assert loaded(cell(found)) == {2: WIDTH}
    assert cell(found).plan.exclusive == ()  # type: ignore[union-attr]


@pytest.mark.parametrize("fills", [1, 2, 7])
def test_it_takes_what_the_engine_says_and_not_its_own_bytes(fills: int) -> None:
    enough = block(built(celled(fills=fills, cells=fills * MATRIX)))
    assert cell(enough).homes[1] == "mac.cells"
    short = block(built(celled(fills=fills, cells=fills * MATRIX - 1), buffer=WIDTH * 4))
    assert cell(short).homes[1] == "dram"
    assert loaded(cell(short))[1] == MATRIX


def test_a_stay_tells_how_much_of_the_tensor_is_there() -> None:
    placed = place(recurrent(), built(celled(fills=3)), "greedy")
    (stay,) = [one for one in placed.stays if one.tensor.name == "u"]
    assert (stay.memory, stay.bytes) == ("mac.cells", MATRIX)


def test_an_engine_that_lets_nothing_stay_there_leaves_it_to_the_buffer() -> None:
    found = block(built(celled(fills=0)))
    assert "mac.cells" not in {stay.memory for stay in found.residences}


def test_a_weight_that_stays_takes_no_buffer() -> None:
    small = 3 * WIDTH + 2  # state, its update and a tile
    found = block(built(celled(), buffer=small))
    assert {stay.memory for stay in found.residences} >= {"mac.cells"}


@pytest.mark.parametrize("policy", ["region", "greedy", "optimal"])
def test_every_policy_that_chooses_uses_the_stage(policy: Policy) -> None:
    placed = place(recurrent(), built(celled()), policy)
    assert ("u", "mac.cells") in {(one.tensor.name, one.memory) for one in placed.stays}
    assert weight_bytes(placed) == MATRIX


def weight_bytes(placed: Placement) -> int:
    return sum(
        size * times
        for one, times in placed.assignments()
        if one.plan is not None
        for operand, size in one.plan.loaded.items()
        if one.op.operands[operand].tensor.role == "weight" and one.homes[operand] == "dram"
    )


@pytest.mark.parametrize("limit", [MATRIX - 1, 0])
def test_a_limit_of_the_stage_holds(limit: int) -> None:
    asked = Residency("greedy", limits={"mac.cells": limit, "sram": 0})
    assert weight_bytes(place(recurrent(), built(celled()), asked)) == STEPS * MATRIX


def test_nothing_stays_without_a_policy() -> None:
    placed = place(recurrent(), built(celled()), "none")
    assert placed.stays == ()
    assert weight_bytes(placed) == STEPS * MATRIX


def test_weights_stay_from_run_to_run() -> None:
    op = matmul(4, WIDTH, WIDTH)
    trace = Trace("one", (op,), tuple(access.tensor for access in op.operands))
    placed = place(trace, built(celled()), Residency("greedy", across_runs=True))
    (setup,) = placed.setup
    assert setup.stages == ("mac.cells",)
    assert loaded(setup) == {0: MATRIX}
    assert placed.stays[0].is_for_ever
    assert weight_bytes(replace(placed, setup=())) == 0


# -- how it gets there -----------------------------------------------------------------------------


def test_a_preload_says_where_each_view_goes() -> None:
    preload = block(built(celled())).preload
    assert preload is not None
    assert [access.tensor.name for access in preload.op.inputs] == ["u", "h0"]
    assert preload.stages == ("mac.cells", "sram")
    assert preload.plan is not None
    assert preload.plan.exclusive == (0,)  # cells may have one port; the buffer has not


def test_a_preload_into_the_buffer_alone_leaves_it_to_the_engine() -> None:
    engine = celled()
    one = fetch("f", [Move(whole("a", (8,)), "dram", "sram")], engine, 64)
    assert one.stages == ()
    assert one.plan is not None
    assert one.plan.exclusive == ()
    assert one.stage(0, engine) == "sram"


def test_an_assignment_stages_where_it_says_else_where_its_engine_does() -> None:
    engine, op = celled(), matmul(4, 4, 4)
    plain = Assignment(op, "mac", None, ("dram",) * 3, 1)
    assert [plain.stage(n, engine) for n in range(3)] == ["sram", "mac.cells", "sram"]
    told = replace(plain, stages=("mac.cells", "sram", "sram"))
    assert [told.stage(n, engine) for n in range(3)] == ["mac.cells", "sram", "sram"]


def test_the_replay_moves_it_into_the_stage_once() -> None:
    hardware = built(celled())
    found = replay(place(recurrent(), hardware), hardware)
    assert found.moved["dram", "mac.cells"] == MATRIX
    assert ("sram", "mac.cells") not in found.moved
    none = replay(place(recurrent(), hardware, "none"), hardware)
    assert none.moved["dram", "mac.cells"] == STEPS * MATRIX


# -- whose stage -----------------------------------------------------------------------------------


def test_what_lies_in_cells_runs_on_the_engine_that_has_them() -> None:
    hardware = built(celled("a"), celled("b"))
    found = block(hardware)
    assert cell(found).homes[1] == f"{cell(found).engine}.cells"


def test_a_quicker_engine_without_cells_is_chosen_before_what_stays() -> None:
    plain = priced("quick", contraction=1, move=1)
    found = block(built(plain, celled()))
    assert cell(found).engine == "quick"
    assert "mac.cells" not in {stay.memory for stay in found.residences}


def test_paths_know_stages_by_buffer() -> None:
    paths = Paths(built(celled("a"), celled("b"), priced("cpu", contraction=9)))
    assert paths.stages == ("a.cells", "b.cells")
    assert paths.staged_with("sram") == ("sram", "a.cells", "b.cells")
    assert paths.beside == ()
    assert paths.home == "dram"


@given(st.integers(0, 1 << 16), st.integers(0, 4096))
def test_a_budget_grants_what_is_left_of_the_stage_and_of_the_buffer(cells: int, near: int) -> None:
    engine = celled()
    paths = Paths(built(engine))
    granted = paths.budget(engine, {"mac.cells": cells, "sram": near, "other": 7})
    assert [(store.memory, store.bytes) for store in granted.stores] == [
        ("sram", 4096 - near),
        ("mac.cells", (1 << 16) - cells),
        ("dram", 1 << 20),
    ]
    assert granted.buffer_bytes == 4096 - near


def test_a_pin_into_a_stage_is_one_line() -> None:
    with pytest.raises(MappingError, match=r"mac\.cells") as caught:
        place(recurrent(), built(celled()), Residency("pinned", pins=("u@mac.cells",)))
    assert "\n" not in str(caught.value)
