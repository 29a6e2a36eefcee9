"""Cutting operators over a whole sequence: what a piece is, and what cannot be cut."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_schedule_stacks import Stack
from test_schedule_values import results

from codesign.workload import view
from codesign.workload.dtype import DType
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import Access, Op, Region, Role, Tensor, Trace
from codesign.workload.schedule_cut import cut
from codesign.workload.schedule_piece import WholeError

STEPS, BATCH, WIDTH = 12, 2, 4
SPAN = STEPS * BATCH * WIDTH


def made(name: str, *shape: int, role: Role = "input", dtype: str = "int8") -> Tensor:
    return Tensor(name, shape, DType.parse(dtype), role)


def alone(op: Op) -> Trace:
    tensors = {access.tensor.name: access.tensor for access in op.operands}
    return Trace("alone", (op,), tuple(tensors.values()))


def check_pieces(op: Op, count: int, spans: Mapping[str, int]) -> Op:
    """The piece, after ``count`` of them were found to compute what the whole operator does."""
    piece = cut(op, count, spans)
    trace = alone(op)
    cut_up = trace.replace(items=(Region("pieces", count, (piece,)),))
    assert results(cut_up) == results(trace) != {}
    assert cut_up.macs == trace.macs
    return piece


def refusal(op: Op, count: int = 3, spans: Mapping[str, int] | None = None) -> str:
    with pytest.raises(WholeError) as error:
        cut(op, count, spans if spans is not None else {"x": SPAN})
    return str(error.value)


X = made("x", STEPS, BATCH, WIDTH)
OUT = made("out", STEPS, BATCH, WIDTH, role="output")
VECTOR = made("vector", WIDTH, role="weight")


def each(*inputs: Access, kind: str = "elementwise", out: Access | None = None, **facts: int) -> Op:
    functions = {"elementwise": ("add",), "normalize": ("layer_norm",), "softmax": ("softmax",)}
    attributes = tuple(sorted(facts.items()))
    target = (out or OUT.access(),)
    return Op("op", kind, inputs, target, None, functions.get(kind, ()), attributes)


# -- axes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 12])
@pytest.mark.parametrize(
    "op",
    [
        each(X.access()),
        each(X.access(), VECTOR.access()),
        each(X.access(), view.expand(VECTOR.access(), X.shape)),
        each(X.access(), Access(VECTOR, (1, BATCH, WIDTH), (0, 0, 1))),
        each(X.access(), VECTOR.access(), kind="normalize", width=WIDTH),
        each(X.access(), kind="normalize"),
        each(X.access(), kind="softmax"),
        each(X.access(), kind="move"),
    ],
    ids=["map", "vector", "wide", "ones", "norm", "plain_norm", "softmax", "move"],
)
def test_rows_are_cut_along_time(op: Op, count: int) -> None:
    piece = check_pieces(op, count, {"x": SPAN})
    assert piece.outputs[0].shape == (STEPS // count, BATCH, WIDTH)
    assert piece.outputs[0].advance == (SPAN // count,)


def test_time_is_found_from_either_side() -> None:
    op = each(X.access())
    assert cut(op, 3, {"x": SPAN}) == cut(op, 3, {"out": SPAN})


def test_a_batch_of_sequences_is_cut_in_each_of_them() -> None:
    x, out = made("x", BATCH, STEPS, WIDTH), made("out", BATCH, STEPS, WIDTH, role="output")
    rows = (BATCH * STEPS, WIDTH)
    inputs, outputs = (view.reshape(tensor.access(), rows) for tensor in (x, out))
    assert inputs is not None
    piece = check_pieces(each(inputs, out=outputs), 3, {"x": STEPS * WIDTH})
    assert piece.inputs[0].shape == (BATCH, STEPS // 3, WIDTH)
    assert piece.inputs[0].strides == (STEPS * WIDTH, WIDTH, 1)


def test_what_is_broadcast_over_a_batch_of_sequences_stays_so() -> None:
    x, out = made("x", BATCH, STEPS, WIDTH), made("out", BATCH, STEPS, WIDTH, role="output")
    rows = (BATCH * STEPS, WIDTH)
    inputs, outputs = (view.reshape(tensor.access(), rows) for tensor in (x, out))
    assert inputs is not None
    one = Access(VECTOR, (1, WIDTH), (1, 1))
    check_pieces(each(inputs, one, out=outputs), 4, {"x": STEPS * WIDTH})


def test_pairs_of_steps_are_cut_by_pairs() -> None:
    pairs = view.transpose(view.split_axis(X.access(), 0, STEPS // 2), 1, 2)
    out = made("out", *pairs.shape, role="output")
    piece = check_pieces(each(pairs, kind="move", out=out.access()), 3, {"x": SPAN})
    assert piece.inputs[0].shape == (2, BATCH, 2, WIDTH)
    assert "equal pieces" in refusal(each(pairs, kind="move", out=out.access()), 12)


def test_features_side_by_side_are_cut_along_time() -> None:
    y, out = made("y", STEPS, BATCH, 3), made("out", STEPS, BATCH, WIDTH + 3, role="output")
    op = each(X.access(), y.access(), kind="move", out=out.access())
    piece = check_pieces(op, 4, {"x": SPAN})
    assert [a.shape for a in piece.operands] == [(3, BATCH, WIDTH), (3, BATCH, 3), (3, BATCH, 7)]


@pytest.mark.parametrize("keeps_axis", [False, True])
def test_a_sum_over_features_is_cut_along_time(keeps_axis: bool) -> None:
    out = made("out", STEPS, BATCH, *(1,) * keeps_axis, role="output")
    op = each(X.access(), kind="reduce", out=out.access(), width=WIDTH)
    assert check_pieces(op, 3, {"x": SPAN}).inputs[0].shape == (4, BATCH, WIDTH)


def test_a_lookup_is_cut_with_its_rows() -> None:
    table, tokens = made("table", 50, WIDTH, role="weight"), made("x", STEPS, BATCH, dtype="int64")
    facts = (("row_bytes", WIDTH), ("rows", STEPS * BATCH))
    rows = Access(table, (STEPS * BATCH, WIDTH), (WIDTH, 1))
    op = Op("op", "gather", (rows, tokens.access()), (OUT.access(),), None, (), facts)
    piece = check_pieces(op, 3, {"out": SPAN})
    assert piece.attribute("rows") == STEPS * BATCH // 3
    assert piece.inputs[0].shape == (STEPS * BATCH // 3, WIDTH)
    assert piece.inputs[0].advance == ()


# -- loops ---------------------------------------------------------------------------------------


@given(
    batch=st.integers(1, 3),
    is_batch_first=st.booleans(),
    count=st.sampled_from([1, 2, 3, 6, 12]),
    has_bias=st.booleans(),
)
@settings(max_examples=40)
def test_a_product_over_a_sequence_is_cut_in_rows(
    batch: int, is_batch_first: bool, count: int, has_bias: bool
) -> None:
    under = Stack(batch, is_batch_first)
    x, out = under.sequence("x", 12, 3, "input"), under.sequence("y", 12, 4, "output")
    extra = [under.tensor("b", (4,), "weight")] if has_bias else []
    op, _ = under.product("op", x, 4, out, extra, ("add",) * has_bias)
    piece = check_pieces(op, count, {"y": x.strides[0] // 3 * 4 * 12})
    groups, rows, inner, columns = piece.gemm
    assert (groups, rows, inner, columns) == (1, 12 // count * batch, 3, 4)


def patches(stride: int, kernel: int, padding: int = 0) -> Op:
    """A convolution over time of [steps, width] with one output channel per filter."""
    count = (STEPS * BATCH + 2 * padding - kernel) // stride + 1
    x, out = made("x", STEPS * BATCH, WIDTH), made("out", count, 5, role="output")
    weight = made("w", 5, kernel, WIDTH, role="weight")
    nest = LoopNest(
        ("oy", "n", "ky", "k"),
        (count, 5, kernel, WIDTH),
        (
            (Axis(((0, stride), (2, 1)), -padding), Axis(((3, 1),))),
            (Axis(((1, 1),)), Axis(((2, 1),)), Axis(((3, 1),))),
            (Axis(((0, 1),)), Axis(((1, 1),))),
        ),
    )
    return Op("op", "contraction", (x.access(), weight.access()), (out.access(),), nest)


@pytest.mark.parametrize(("stride", "kernel"), [(1, 1), (2, 2), (3, 2), (2, 1)])
def test_windows_that_do_not_overlap_are_cut(stride: int, kernel: int) -> None:
    piece = check_pieces(patches(stride, kernel), 4, {"x": SPAN})
    assert piece.inputs[0].shape == (STEPS * BATCH // 4, WIDTH)


@pytest.mark.parametrize(("stride", "kernel", "padding"), [(1, 3, 1), (2, 3, 1)])
def test_windows_that_reach_into_the_next_piece_are_refused(
    stride: int, kernel: int, padding: int
) -> None:
    op = patches(stride, kernel, padding)
    assert refusal(op, 2) == "its windows reach into the next piece"


# -- refusals ------------------------------------------------------------------------------------


def test_a_reversed_sequence_is_not_cut() -> None:
    assert refusal(each(view.flip(X.access(), [0]))).endswith("in equal pieces")


def test_a_step_taken_out_of_a_sequence_is_not_cut() -> None:
    last = view.select(X.access(), 0, STEPS - 1)
    out = made("out", BATCH, WIDTH, role="output")
    assert refusal(each(last, out=out.access())).endswith("in equal pieces")


def test_a_sequence_and_one_step_of_it_are_not_cut() -> None:
    first = view.slice_axis(X.access(), 0, 0, 1, 1)
    assert refusal(each(X.access(), first)) == "it does not go through 'x' piece by piece"


def test_halves_of_a_sequence_are_not_cut() -> None:
    half = view.slice_axis(X.access(), 0, 0, STEPS // 2, 1)
    out = made("out", STEPS // 2, BATCH, WIDTH, role="output")
    assert refusal(each(half, out=out.access())).endswith("in equal pieces")
    whole = SPAN // 2
    assert "piece by piece" in refusal(
        each(half, out=out.access()), spans={"x": SPAN, "out": whole}
    )


def test_a_concatenation_over_time_is_not_cut() -> None:
    past = made("past", 1, BATCH, WIDTH)
    out = made("out", STEPS + 1, BATCH, WIDTH, role="output")
    message = refusal(each(past.access(), X.access(), kind="move", out=out.access()))
    assert message == "it uses another part of 'x' over time"


@pytest.mark.parametrize("source", ["aten.roll.default", "aten.constant_pad_nd.default"])
def test_a_copy_to_other_places_is_not_cut(source: str) -> None:
    op = Op("op", "move", (X.access(),), (OUT.access(),), source=source)
    assert refusal(op) == f"a {source.split('.')[1]} puts data elsewhere"


def test_a_copy_between_ranks_is_not_cut() -> None:
    flat = view.reshape(X.access(), (STEPS, BATCH * WIDTH))
    assert flat is not None
    assert refusal(each(flat, kind="move")) == "it moves data between views of different rank"


def test_a_running_sum_is_not_cut() -> None:
    op = Op("op", "elementwise", (X.access(),), (OUT.access(),), functions=("cumsum",))
    assert refusal(op) == "a cumsum runs along the sequence"


def test_a_softmax_over_time_is_not_cut() -> None:
    turned = [view.permute(tensor.access(), (1, 2, 0)) for tensor in (X, OUT)]
    assert refusal(each(turned[0], kind="softmax", out=turned[1])).endswith("in equal pieces")


def test_a_norm_over_time_is_not_cut() -> None:
    op = each(X.access(), kind="normalize", width=SPAN)
    assert refusal(op).endswith("in equal pieces")


def test_statistics_over_a_batch_are_not_cut() -> None:
    op = Op("op", "normalize", (X.access(),), (OUT.access(),), functions=("batch_norm",))
    assert refusal(op) == "batch_norm takes its statistics over the whole sequence"


def test_a_sum_over_time_is_not_cut() -> None:
    out = made("out", BATCH, WIDTH, role="output")
    turned = view.permute(X.access(), (1, 2, 0))
    op = each(turned, kind="reduce", out=out.access(), width=STEPS)
    assert refusal(op).endswith("in equal pieces")


def test_a_product_that_sums_over_time_is_not_cut() -> None:
    under = Stack(1)
    turned = view.permute(X.access(), (1, 2, 0))
    op, _ = under.product("op", turned, 4)
    assert refusal(op) == "its result has no axis over time"


def test_scores_between_all_steps_are_not_cut() -> None:
    x = made("x", STEPS, WIDTH)
    out = made("out", STEPS, STEPS, role="output")
    one = [Axis(((dim, 1),)) for dim in range(3)]
    nest = LoopNest(
        ("m", "n", "k"),
        (STEPS, STEPS, WIDTH),
        ((one[0], one[2]), (one[1], one[2]), (one[0], one[1])),
    )
    op = Op("op", "contraction", (x.access(), x.access()), (out.access(),), nest)
    message = refusal(op, spans={"x": STEPS * WIDTH})
    assert message == "it does not go through 'x' piece by piece"


def test_attention_over_time_is_not_cut() -> None:
    heads = made("x", 1, 1, STEPS, WIDTH)
    out = made("out", 1, 1, STEPS, WIDTH, role="output")
    op = Op("op", "attention", (heads.access(),) * 3, (out.access(),))
    assert refusal(op, spans={"x": STEPS * WIDTH}) == "attention takes the whole sequence"


def test_a_lookup_along_another_axis_is_not_cut() -> None:
    table = made("table", WIDTH, 9)
    index = made("index", 5, dtype="int64")
    out = made("out", STEPS, BATCH, WIDTH, role="output")
    rows = Access(table, (1, WIDTH), (WIDTH, 1))
    op = Op("op", "gather", (rows, index.access()), (out.access(),), None, (), (("rows", 1),))
    assert refusal(op, spans={"out": SPAN}).startswith(("its rows", "it uses another part"))
