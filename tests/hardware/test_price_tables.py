"""What a component says of its energies is a table of joules, or told before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from toy_hardware import ToyEngine, ToyLink, ToyMemory

from codesign.errors import PluginError
from codesign.hardware.plan import Loop, Tile, TilePlan
from codesign.hardware.price_tables import check_tables
from codesign.hardware.spec import Hardware, load_hardware
from codesign.mapping.place import place
from codesign.testing.operators import matmul
from codesign.workload.record import Trace


@dataclass(frozen=True, kw_only=True)
class Said(ToyMemory):
    """A memory that says what the test wants."""

    kind: ClassVar[str] = "said"
    table: Any = None

    def energies_j(self) -> Any:
        return self.table


@dataclass(frozen=True, kw_only=True)
class Asks(ToyMemory):
    """A memory that asks for more than it is given."""

    kind: ClassVar[str] = "asks"

    def energies_j(self, more: int) -> Any:  # type: ignore[override]
        return {"read": more}


@dataclass(frozen=True, kw_only=True)
class Leaves(ToyMemory):
    """A memory that would end the program in silence."""

    kind: ClassVar[str] = "leaves"

    def energies_j(self) -> Any:
        raise SystemExit(0)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (None, "energies_j must return joules by action, got NoneType"),
        ([1.0], "energies_j must return joules by action, got list"),
        ({"read": "a lot"}, "the energy of action 'read' must be a finite number of joules, got"),
        ({"read": float("nan")}, "must be a finite number of joules, got nan"),
        ({"read": 1e-12, "write": float("inf")}, "action 'write' must be a finite .* got inf"),
    ],
)
def test_what_is_no_table_of_joules_is_told(table: Any, told: str) -> None:
    with pytest.raises(PluginError, match=rf"^ram \(said\): .*{told}.* of kind 'said'$"):
        check_tables([Said(name="ram", size=64, table=table)])


def test_numbers_pass_whole_or_not_also_below_zero_which_is_told_where_it_is_charged() -> None:
    check_tables([Said(name="ram", size=64, table={"read": 1, "write": 2e-12, "odd": -1.0})])


def test_a_signature_that_asks_for_more_is_told_with_its_line() -> None:
    with pytest.raises(PluginError) as caught:
        check_tables([Asks(name="ram", size=64)])
    line = Asks.energies_j.__code__.co_firstlineno
    assert f"test_price_tables.py:{line}; run 'codesign plugins check'" in str(caught.value)


def test_an_exit_is_an_error_like_any_other() -> None:
    with pytest.raises(PluginError, match=r"ram \(leaves\): raised SystemExit: 0 at "):
        check_tables([Leaves(name="ram", size=64)])


# -- before anything is placed --------------------------------------------------------------------


def machine(engine: ToyEngine, memory: ToyMemory) -> Hardware:
    parts = (engine, ToyMemory(name="sram", size=2**20), memory)
    link = ToyLink(name="bus", connects=("sram", memory.name))
    return Hardware("m", "", None, {part.name: part for part in (*parts, link)})


def work() -> Trace:
    op = matmul(8, 8, 8)
    return Trace("work", (op,), tuple(access.tensor for access in op.operands))


ENGINE = ToyEngine(name="npu", buffer="sram", clock=1e9)


def test_tables_are_checked_before_operators_are_placed() -> None:
    with pytest.raises(PluginError, match="must be a finite number of joules, got nan"):
        place(work(), machine(ENGINE, Said(name="dram", size=2**30, table={"read": float("nan")})))


@dataclass(frozen=True, kw_only=True)
class Miscounts(ToyEngine):
    """An engine that counts what nobody can."""

    kind: ClassVar[str] = "miscounts"
    counts: Any = 0

    def supports(self, op: Any) -> Any:
        return None

    def plan(self, op: Any, budget: Any) -> Any:
        return TilePlan(Loop((Tile(1),)), 1e9, actions=(("", "mac", self.counts),))


@pytest.mark.parametrize("counts", [-1, 0.5, "all"])
def test_a_plan_counts_whole_actions_none_below_zero(counts: Any) -> None:
    engine = Miscounts(name="npu", buffer="sram", clock=1e9, counts=counts)
    shipped = load_hardware("edge-npu")
    own = Hardware("m", "", None, {**shipped.components, "npu": engine})
    told = rf"plan of 'matmul 1x8x8x8' counts {counts!r} of 'mac'; whole and at least 0"
    with pytest.raises(PluginError, match=rf"^npu \(miscounts\): {told}"):
        place(work(), own)
