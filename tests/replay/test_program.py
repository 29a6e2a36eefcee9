"""The program of a placement: what is issued in which order, without unrolling time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hand_built import Bench, block, operator, placement, slow_link, tensor
from hypothesis import given
from hypothesis import strategies as st
from random_work import work
from strategies import output, uniform

from codesign.mapping.placement import Assignment, Placement
from codesign.replay.program import Back, Fence, Issue, Program, Rename
from codesign.workload.dtype import DType
from codesign.workload.record import Carry, Op, Tensor

PLAN = uniform(2, 100, 150, 50)


def programmed(placed: Placement) -> Program:
    return Bench(slow_link()).program(placed)


def listed(program: Program) -> list[str]:
    """The items of a program in words."""
    words = []
    for item in program.code:
        match item:
            case Issue():
                words.append(item.assignment.op.name)
            case Rename():
                words.append(", ".join(f"{a} is {b}" for a, b in item.pairs))
            case Fence():
                words.append(f"fence {item.holds}")
            case Back():
                words.append(f"to {item.target} {program.repeats[item.loop]} times")
    return words


def unrolled(program: Program, runs: int = 1) -> Iterator[Issue]:
    """The operators of some runs, one by one: what its loops stand for."""
    counters, pc = list(program.repeats), 0
    for _ in range(runs):
        while pc < len(program.code):
            item = program.code[pc]
            pc += 1
            if isinstance(item, Issue):
                yield item
            if isinstance(item, Back):
                counters[item.loop] -= 1
                if counters[item.loop]:
                    pc = item.target
                else:
                    counters[item.loop] = program.repeats[item.loop]
        pc = program.first


def op(name: str, reads: Tensor | None = None, writes: Tensor | None = None) -> Assignment:
    return operator(name, PLAN, reads=reads, writes=writes)


def test_operators_stand_in_program_order_with_their_number() -> None:
    program = programmed(placement(op("a"), op("b"), op("a2")))
    assert listed(program) == ["a", "b", "a2"]
    assert [issue.op for issue in program.issues] == [0, 1, 2]
    assert (program.repeats, program.first) == ([], 0)


def test_a_region_is_a_loop_and_its_state_a_change_of_names() -> None:
    state, update, start = tensor("h", "state"), tensor("h2"), tensor("h0", "input")
    body = op("cell", reads=state, writes=update)
    region = block("rnn", 7, body, carries=[Carry(state, update, start)])
    program = programmed(placement(op("before"), region, op("after")))
    assert listed(program) == ["before", "h0 is h", "cell", "h2 is h", "to 2 7 times", "after"]


def test_a_state_updated_in_place_changes_no_name() -> None:
    state = tensor("h", "state")
    region = block("rnn", 3, op("cell", state, state), carries=[Carry(state, state)])
    assert listed(programmed(placement(region))) == ["cell", "to 0 3 times"]


def test_states_of_one_step_change_hands_at_once() -> None:
    one, other = tensor("one", "state"), tensor("other", "state")
    swap = [Carry(one, other), Carry(other, one)]
    program = programmed(placement(block("swap", 2, op("x", one, other), carries=swap)))
    assert listed(program) == ["x", "other is one, one is other", "to 0 2 times"]


def test_a_region_that_issues_nothing_is_no_loop() -> None:
    """A thousand million steps of nothing would otherwise be counted one by one."""
    state, update = tensor("h", "state"), tensor("h2")
    empty = block("empty", 10**9, carries=[Carry(state, update)])
    assert listed(programmed(placement(block("around", 10**9, empty), op("a")))) == ["h2 is h", "a"]


@pytest.mark.parametrize(
    ("carries", "freed"),
    [
        ([("h", "h2")], [("h2", "h")]),
        ([("h", "h2"), ("c", "c2")], [("h2", "h"), ("c2", "c")]),
        ([("one", "other"), ("other", "one")], []),  # they change places
        ([("late", "mid"), ("mid", "new")], [("new", "late")]),  # a delay line
        ([("mid", "new"), ("late", "mid")], [("new", "late")]),
        ([("a", "new"), ("b", "new")], [("new", "b")]),  # two states of one update
    ],
)
def test_an_update_is_next_written_where_the_state_lay_that_nobody_keeps(
    carries: list[tuple[str, str]], freed: list[tuple[str, str]]
) -> None:
    pairs = [Carry(tensor(state), tensor(update)) for state, update in carries]
    program = programmed(placement(block("loop", 2, op("x"), carries=pairs)))
    (rename,) = [item for item in program.code if isinstance(item, Rename)]
    assert list(rename.freed) == freed


def test_a_region_of_one_step_is_no_loop() -> None:
    program = programmed(placement(block("once", 1, op("a"))))
    assert listed(program) == ["a"]
    assert program.repeats == []


def test_residents_move_in_and_out_between_fences_outside_the_loop() -> None:
    state = tensor("h", "state")
    region = block(
        "rnn", 9, op("cell"), preload=op("load"), writeback=op("store"), stays=state
    )  # fmt: skip
    program = programmed(placement(op("before"), region, op("after")))
    assert listed(program) == [
        "before", "fence 1", "load", "cell", "to 3 9 times", "store", "fence -1", "after",
    ]  # fmt: skip


def test_nested_regions_are_nested_loops_of_their_own() -> None:
    inner = block("inner", 5, op("in"))
    program = programmed(placement(block("outer", 4, op("first"), inner, op("last"))))
    assert listed(program) == ["first", "in", "to 1 5 times", "last", "to 0 4 times"]


def test_the_setup_runs_once_and_all_that_follows_waits_for_it() -> None:
    program = programmed(placement(op("a"), op("b"), setup=(op("load"), op("load2"))))
    assert listed(program) == ["load", "load2", "fence 0", "a", "b"]
    names = [issue.assignment.op.name for issue in unrolled(program, runs=3)]
    assert names == ["load", "load2", *["a", "b"] * 3]


def test_only_what_somebody_writes_is_waited_for() -> None:
    first = op("first", reads=tensor("x", "input"))
    second = op("second", reads=output(first))
    program = programmed(placement(first, second))
    assert [issue.reads for issue in program.issues] == [(), ("first.out",)]
    assert [issue.writes for issue in program.issues] == [("first.out",), ("second.out",)]
    assert program.written == {"first.out", "second.out"}


def test_what_a_region_carries_is_waited_for_although_nobody_writes_it() -> None:
    state, update = tensor("h", "state"), tensor("h2")
    body = [op("cell", reads=state, writes=update)]
    program = programmed(placement(block("rnn", 3, *body, carries=[Carry(state, update)])))
    assert program.issues[0].reads == ("h",)


def test_an_operator_without_outputs_fills_the_buffer_with_what_it_reads() -> None:
    weight = Tensor("w", (4,), DType.parse("int8"), "weight")
    fill = Op("load", "move", (weight.access(),), ())
    load = Assignment(fill, "npu0", uniform(2, 100, 0, 0), ("dram",), 2**20)
    program = programmed(placement(load, op("a")))
    assert program.issues[0].writes == ("w",)
    assert program.written == {"a.out"}  # what is filled was written before this run


def test_reused_bytes_are_waited_for() -> None:
    taking = operator("taking", PLAN, reuses=("a.out", "b.out"))
    program = programmed(placement(op("a"), op("b"), taking))
    assert program.issues[2].changes[-2:] == ("a.out", "b.out")
    assert program.issues[2].touches[-2:] == ("a.out", "b.out")


def test_readers_of_reused_bytes_are_waited_for_although_nobody_writes_them() -> None:
    x = tensor("x", "input")
    program = programmed(placement(op("a", reads=x), operator("taking", PLAN, reuses=("x",))))
    assert program.issues[0].reads == ("x",)


def test_a_tensor_read_twice_is_waited_for_once() -> None:
    x, y = tensor("x"), tensor("y")
    square = Op("square", "move", (x.access(), x.access()), (y.access(),))
    placed = Assignment(square, "npu0", PLAN, ("dram",) * 3, 2**20)
    program = programmed(placement(op("x", writes=x), placed))
    assert program.issues[1].reads == ("x",)


@given(st.integers(0, 10**6))
def test_loops_run_every_operator_as_often_as_the_placement_says(seed: int) -> None:
    case = work(seed)
    for placed in case.programs.values():
        program = Bench(case.hardware).program(placed)
        counts: dict[int, int] = {}
        for issue in unrolled(program, runs=2):
            counts[issue.op] = counts.get(issue.op, 0) + 1
        # issues and assignments come in the same order: setup, then preload, body, write-back
        assert [
            (program.issues[number].assignment, times) for number, times in sorted(counts.items())
        ] == [(one, times) for one, times in placed.assignments(runs=2)]


def test_a_program_is_as_long_as_one_step_whatever_the_number_of_steps() -> None:
    few, many = (
        programmed(placement(block("rnn", steps, op("in"), op("cell")))) for steps in (2, 2_000_000)
    )
    assert len(few.code) == len(many.code) == 3
