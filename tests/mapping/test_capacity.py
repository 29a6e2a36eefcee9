"""What is alive at once must fit the memory where tensors live."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from codesign_plugins.flat_dram import FlatDram
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Sketch, traces

from codesign.errors import MappingError
from codesign.mapping.capacity import check_capacity
from codesign.testing.operators import whole
from codesign.workload.attention import attention_parts
from codesign.workload.record import Access, Branch, Carry, Item, Op, Region, Trace, all_carries

GIB = 2**30


def dram(size: int, name: str = "dram") -> FlatDram:
    return FlatDram(name=name, device="toy", size=size, bandwidth=1e9)


def act(name: str, size: int = 100) -> Access:
    return whole(name, (size,), "activation")


def step(name: str, reads: tuple[Access, ...], *writes: Access) -> Op:
    return Op(name, "elementwise", reads, writes, functions=("add",))


def chain(*sizes: int) -> tuple[Op, ...]:
    """``t0 -> t1 -> ...``, each of so many bytes, the first one out of nothing."""
    made = [act(f"t{number}", size) for number, size in enumerate(sizes)]
    return tuple(
        step(f"op{number}", tuple(made[max(0, number - 1) : number]), one)
        for number, one in enumerate(made)
    )


def trace(*items: Item) -> Trace:
    return Trace("t", items, ())


def least(found: Trace) -> int:
    """The smallest memory that a trace is accepted in, by bisection."""
    low, high = 0, 1 << 40
    while high - low > 1:
        middle = (low + high) // 2
        try:
            check_capacity(found, dram(middle))
            high = middle
        except MappingError:
            low = middle
    return high


def refused(found: Trace, size: int) -> str:
    with pytest.raises(MappingError) as fault:
        check_capacity(found, dram(size))
    message = str(fault.value)
    assert "\n" not in message
    return message


# -- one tensor -----------------------------------------------------------------------------------


def test_a_tensor_that_is_too_large_is_named_with_its_memory_and_the_way_out() -> None:
    message = refused(trace(*chain(10, 2000)), 1500)
    assert message == (
        "tensor 't1' takes 2,000 B and its memory, dram, has 1,500 B; enlarge dram.size"
    )


def test_the_memory_is_named_as_the_hardware_file_names_it() -> None:
    with pytest.raises(MappingError, match=r"its memory, hbm, has 5 B; enlarge hbm\.size"):
        check_capacity(trace(*chain(10)), dram(5, "hbm"))


def test_a_tensor_of_just_the_size_fits() -> None:
    assert least(trace(*chain(2000))) == 2000


# -- all that is alive ----------------------------------------------------------------------------


def test_three_tensors_alive_at_once_do_not_fit_where_one_and_a_half_do() -> None:
    a, b, c = (act(name, 8 * GIB) for name in "abc")
    found = trace(step("make a", (), a), step("make b", (a,), b), step("join", (a, b), c))
    assert refused(found, 12 * GIB) == (
        "weights, state, inputs and outputs (0 B) and activations alive at 'join' "
        "(25,769,803,776 B) take 25,769,803,776 B and dram has 12,884,901,888 B; "
        "enlarge dram.size or lower the precision with --dtype"
    )
    assert least(found) == 24 * GIB


def test_of_a_chain_only_neighbours_are_alive_together() -> None:
    assert least(trace(*chain(100, 30, 50, 70, 5))) == 130
    assert least(trace(*chain(*[100] * 50))) == 200


def test_a_shortcut_keeps_its_tensor_alive_to_its_last_read() -> None:
    ops = chain(100, 10, 20, 30)
    late = step("late", (ops[-1].outputs[0], ops[0].outputs[0]), act("sum", 1))
    assert least(trace(*ops)) == 110
    assert least(trace(*ops, late)) == 100 + 20 + 30
    assert "alive at 'op3' (150 B)" in refused(trace(*ops, late), 149)


def test_a_result_that_nobody_reads_takes_room_while_it_is_written() -> None:
    a, b = act("a", 100), act("b", 60)
    assert least(trace(step("one", (), a), step("two", (), b))) == 100


def test_a_tensor_written_in_parts_is_alive_from_the_first_one() -> None:
    a, b = act("a", 100), act("b", 60)
    half = replace(a, shape=(50,))
    ops = step("low", (), half), step("mid", (), b), step("high", (), replace(half, offset=50))
    assert least(trace(*ops)) == 160


def test_stored_tensors_take_room_all_the_time_and_activations_beside_them() -> None:
    weight, source, result = (
        whole(name, (size,), role)  # type: ignore[arg-type]
        for name, size, role in (("w", 40, "weight"), ("x", 7, "input"), ("y", 3, "output"))
    )
    ops = chain(100, 30)
    first = step("first", (source,), act("unread", 1))
    last = step("last", (ops[-1].outputs[0], weight), result)
    assert least(trace(first, *ops, last)) == 40 + 7 + 3 + 130
    message = refused(trace(first, *ops, last), 179)
    assert "outputs (50 B) and activations alive at 'op1' (130 B) take 180 B and" in message


@pytest.mark.parametrize("role", ["weight", "constant", "state", "input", "output"])
def test_every_stored_role_counts_once_however_often_it_is_used(role: str) -> None:
    stored = whole("s", (100,), role)  # type: ignore[arg-type]
    ops = [step(f"op{number}", (stored, stored), act(f"a{number}", 1)) for number in range(5)]
    assert least(trace(*ops)) == 101


def test_without_activations_only_what_is_stored_is_said() -> None:
    x, y = whole("x", (2000,), "input"), whole("y", (2000,), "output")
    assert refused(trace(step("e", (x,), y)), 3000) == (
        "weights, state, inputs and outputs (4,000 B) take 4,000 B and dram has 3,000 B; "
        "enlarge dram.size or lower the precision with --dtype"
    )


def test_what_no_operator_uses_takes_no_room() -> None:
    folded = whole("folded", (10**9,), "weight").tensor
    assert least(replace(trace(*chain(100)), tensors=(folded,))) == 100


# -- regions and branches -------------------------------------------------------------------------


def test_within_a_region_activations_live_for_all_of_its_steps() -> None:
    ops = chain(100, 30, 50)
    assert least(trace(*ops)) == 130
    assert least(trace(Region("loop", 4, ops))) == 180
    assert "alive at 'loop' (180 B)" in refused(trace(Region("loop", 4, ops)), 179)


def test_nested_regions_live_as_long_as_the_outermost() -> None:
    ops = chain(100, 30, 50)
    inner = Region("inner", 2, ops[1:])
    assert least(trace(Region("outer", 2, (ops[0], inner)))) == 180
    assert "'outer'" in refused(trace(Region("outer", 2, (ops[0], inner))), 179)


def test_what_a_region_carries_takes_room_even_if_no_operator_names_it() -> None:
    (op,) = chain(100)
    state, update, initial = (act(name, size) for name, size in (("s", 7), ("u", 8), ("i", 9)))
    carry = Carry(state.tensor, update.tensor, initial.tensor)
    assert least(trace(Region("loop", 2, (op,), (carry,)))) == 100 + 7 + 8 + 9
    nested = Region("outer", 2, (Region("inner", 2, (op,), (carry,)),))
    assert least(trace(nested)) == 124
    kept = replace(carry, initial=replace(initial.tensor, role="input"))
    assert least(trace(Region("loop", 2, (op,), (kept,)))) == 124
    assert least(trace(Region("loop", 2, (op,), (replace(carry, initial=None),)))) == 115


def test_what_is_written_in_a_region_and_read_later_lives_on() -> None:
    made = act("made", 100)
    region = Region("loop", 3, (step("inside", (), made, act("temporary", 50)),))
    after = step("after", (made,), act("end", 60))
    assert least(trace(region, after)) == 160


def test_of_a_branch_the_side_that_is_replayed_needs_room_for_its_activations() -> None:
    large = chain(500, 400)
    small = (step("small", (), act("s", 10)),)
    assert least(trace(Branch("b", 0.75, large, small))) == 900
    assert least(trace(Branch("b", 0.25, large, small))) == 500  # each of them still has to fit
    assert least(trace(Branch("b", 0.25, small, large))) == 900


def test_weights_of_both_sides_of_a_branch_are_stored() -> None:
    one, two = whole("one", (100,), "weight"), whole("two", (50,), "weight")
    taken, otherwise = step("t", (one,), act("a", 1)), step("o", (two,), act("a", 1))
    assert least(trace(Branch("b", 0.9, (taken,), (otherwise,)))) == 151


# -- parts of operators ---------------------------------------------------------------------------


def test_the_scores_of_an_attention_in_parts_need_room() -> None:
    shapes = {"q": (1, 2, 4, 8), "k": (1, 2, 6, 8), "v": (1, 2, 6, 8)}
    inputs = tuple(whole(name, shape, "input") for name, shape in shapes.items())
    op = Op("attn", "attention", inputs, (whole("y", (1, 2, 4, 8), "output"),))
    stored = 64 + 96 + 96 + 64
    check_capacity(trace(op), dram(stored))
    with pytest.raises(MappingError, match=re.escape("alive at 'attn.softmax' (96 B)")):
        check_capacity(trace(op), dram(stored + 95), attention_parts)
    check_capacity(trace(op), dram(stored + 96), attention_parts)


# -- laws -----------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, derandomize=True)
@given(traces())
def test_the_least_memory_lies_between_the_largest_operator_and_all_tensors(found: Trace) -> None:
    size = least(found)
    tensors = {a.tensor for op, _ in found.ops() for a in op.operands}
    of_ops = [{a.tensor for a in op.operands} for op, _ in found.ops()]
    carried = {c.initial for c in all_carries(found.items) if c.initial}
    assert max(sum(t.bytes for t in used) for used in of_ops) <= size
    assert size <= sum(t.bytes for t in tensors | carried)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 500), min_size=1, max_size=30))
def test_a_chain_needs_its_two_largest_neighbours(sizes: list[int]) -> None:
    pairs = [a + b for a, b in zip(sizes, [0, *sizes], strict=False)]
    assert least(trace(*chain(*sizes))) == max(pairs)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(traces(), st.integers(2, 9))
def test_the_number_of_steps_of_a_region_does_not_matter(found: Trace, steps: int) -> None:
    once, often = (trace(Region("all", count, found.items)) for count in (1, steps))
    assert least(once) == least(often) >= least(found)


def test_a_long_trace_is_checked_in_one_pass() -> None:
    """Each operator is asked for its parts as often in a long trace as in a short one."""

    def asked(length: int) -> int:
        calls: list[Op] = []

        def parts(op: Op) -> tuple[Op, ...]:
            calls.append(op)
            return (op,)

        check_capacity(trace(*chain(*[1] * length)), dram(GIB), parts)
        return len(calls)

    assert asked(1000) == 10 * asked(100)


def test_a_sketch_with_tied_weights_stores_them_once() -> None:
    sketch = Sketch()
    weight = sketch.weight("tied", 64, 64)
    first = sketch.matmul("one", sketch.input("x", 4, 64), 64, weight)
    sketch.matmul("two", first, 64, weight)
    assert least(sketch.trace()) == 64 * 64 + 4 * 64 + 2 * 4 * 64
