"""What stays on chip over the steps of a region: all of it or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from toy_machine import machine, priced

from codesign.hardware.spec import Hardware
from codesign.mapping.place import place
from codesign.mapping.placement import Block
from codesign.mapping.residency import Policy
from codesign.testing.operators import whole
from codesign.workload.nest import matmul_nest
from codesign.workload.record import Access, Carry, Op, Region, Trace

WIDTH, STEPS = 16, 10
STAYS = WIDTH * WIDTH + 2 * WIDTH  # the weight, the state and its update


def recurrent(initial: bool = True) -> Trace:
    """``h = x_t + h U``, the x a row at a time."""
    rows = whole("x", (STEPS, WIDTH), "input")
    weight, state = whole("u", (WIDTH, WIDTH), "weight"), whole("h", (1, WIDTH), "activation")
    update, first = whole("h.next", (1, WIDTH), "activation"), whole("h0", (1, WIDTH), "input")
    row = Access(rows.tensor, (1, WIDTH), (WIDTH, 1), advance=(WIDTH,))
    nest = matmul_nest(1, 1, WIDTH, WIDTH, ["mn"])
    cell = Op("cell", "contraction", (state, weight, row), (update,), nest, ("add",))
    carry = Carry(state.tensor, update.tensor, first.tensor if initial else None)
    region = Region("rnn", STEPS, (cell,), (carry,))
    tensors = (rows, weight, state, update, first)
    return Trace("rnn", (region,), tuple(access.tensor for access in tensors))


def block(buffer: int, residency: Policy = "region", initial: bool = True) -> Block:
    hardware: Hardware = machine(priced(contraction=5, tile=64), buffer=buffer)
    (found,) = place(recurrent(initial), hardware, residency).program
    assert isinstance(found, Block)
    return found


def test_weights_and_state_stay_where_they_fit_beside_the_tiles() -> None:
    found = block(STAYS + 64)
    assert [stay.tensor.name for stay in found.residences] == ["h", "u", "h.next"]
    assert {(stay.memory, stay.region) for stay in found.residences} == {("sram", "rnn")}


def test_one_byte_too_few_and_nothing_stays() -> None:
    found = block(STAYS + 63)
    assert found.residences == ()
    assert found.preload is None
    (cell,) = found.body
    assert not isinstance(cell, Block)
    assert set(cell.homes) == {"dram"}


def test_what_stays_is_not_moved_in_any_step_but_what_advances_is() -> None:
    (cell,) = block(STAYS + 64).body
    assert not isinstance(cell, Block)
    assert cell.homes == ("sram", "sram", "dram", "sram")
    assert cell.plan is not None
    assert (cell.plan.loaded, cell.plan.stored) == ({2: WIDTH}, {})


def test_the_preload_fetches_weights_and_first_state_once() -> None:
    preload = block(STAYS + 64).preload
    assert preload is not None
    assert preload.plan is not None
    assert preload.plan.loaded == {0: WIDTH * WIDTH, 1: WIDTH}
    assert [access.tensor.name for access in preload.op.inputs] == ["u", "h0"]


def test_a_state_without_a_first_value_is_not_fetched() -> None:
    preload = block(STAYS + 64, initial=False).preload
    assert preload is not None
    assert [access.tensor.name for access in preload.op.inputs] == ["u"]


def test_the_budget_of_a_step_is_what_the_residents_leave() -> None:
    (cell,) = block(STAYS + 100).body
    assert not isinstance(cell, Block)
    assert cell.budget_bytes == 100


def test_residency_can_be_switched_off() -> None:
    found = block(1 << 16, "none")
    assert found.residences == ()
    (cell,) = found.body
    assert not isinstance(cell, Block)
    assert cell.plan is not None
    assert sum(cell.plan.loaded.values()) == WIDTH * WIDTH + 2 * WIDTH


@pytest.mark.parametrize("buffer", [STAYS + 63, STAYS + 64, 1 << 16])
def test_the_preload_runs_once_and_the_cell_every_step(buffer: int) -> None:
    hardware = machine(priced(contraction=5, tile=64), buffer=buffer)
    runs = {a.op.name: times for a, times in place(recurrent(), hardware).assignments()}
    assert runs["cell"] == STEPS
    assert runs.get("rnn.preload", 1) == 1


def test_engines_with_different_buffers_keep_nothing() -> None:
    one = priced("one", contraction=5)
    both = machine(one, buffer=1 << 16)
    other = priced("two", contraction=5)
    split = type(both)(
        "split",
        "",
        None,
        {
            **both.components,
            "two": type(other)(name="two", buffer="sram2", cycles={"contraction": 5}),
            "sram2": type(both.memories[0])(name="sram2", size=1 << 16),
            "bus2": type(both.links[0])(name="bus2", connects=("dram", "sram2")),
        },
    )
    (found,) = place(recurrent(), split).program
    assert isinstance(found, Block)
    assert found.residences == ()


def with_reader(name: str) -> Trace:
    """The recurrent trace with a copy of a tensor behind the region."""
    trace = recurrent()
    (read,) = (tensor for tensor in trace.tensors if tensor.name == name)
    copy = whole("y", read.shape, "output")
    head = Op("head", "move", (read.access(),), (copy,), functions=("move",))
    return replace(trace, items=(*trace.items, head), tensors=(*trace.tensors, copy.tensor))


def first_block(trace: Trace) -> Block:
    hardware = machine(priced(contraction=5, move=5, tile=64), buffer=1 << 12)
    found = place(trace, hardware).program[0]
    assert isinstance(found, Block)
    return found


def test_what_later_operators_read_is_written_back_once() -> None:
    back = first_block(with_reader("h.next")).writeback
    assert back is not None
    assert back.plan is not None
    assert back.plan.stored == {1: WIDTH}
    assert [access.tensor.name for access in back.op.outputs] == ["h.next"]


def test_what_nobody_reads_is_not_written_back() -> None:
    assert first_block(recurrent()).writeback is None


def test_a_weight_that_others_read_too_is_at_home_already() -> None:
    assert first_block(with_reader("u")).writeback is None
