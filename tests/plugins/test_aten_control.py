from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch._higher_order_ops import while_loop
from torch._higher_order_ops.scan import scan

import codesign
from codesign.errors import CaptureError
from codesign.plugins import registry
from codesign.workload.capture import trace
from codesign.workload.check import check_trace
from codesign.workload.dtype import DType
from codesign.workload.graph import Graph, GraphInput, Node, Value
from codesign.workload.lower import lower
from codesign.workload.record import Branch, Op, Region, Trace, iterate

FP32 = DType("fp", 32)


class Call(nn.Module):  # type: ignore[misc]  # torch is untyped
    """A module whose forward is a function of a linear layer and the arguments."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)
        self.function = function

    def forward(self, *args: Any) -> Any:
        return self.function(self.linear, *args)


def captured(function: Callable[..., Any], *shapes: tuple[int, ...], **options: Any) -> Trace:
    with torch.device("meta"):
        made = trace(Call(function), tuple(torch.zeros(shape) for shape in shapes), **options)
    check_trace(made)
    return made


def body_ops(region: Region) -> list[Op]:
    return [op for op, _ in iterate(region.body)]


# --- scan ---


def recur(linear: nn.Module, x: torch.Tensor, h: torch.Tensor) -> Any:
    def step(h: torch.Tensor, x: torch.Tensor) -> Any:
        new = torch.tanh(linear(h) + x)
        return new, linear(new) * 2

    return scan(step, h, x)


@pytest.mark.parametrize("steps", [2, 5, 100])
def test_a_scan_is_one_region_at_any_length(steps: int) -> None:
    made = captured(recur, (steps, 3, 8), (3, 8))
    (region,) = made.regions
    assert region.steps == steps
    assert made.macs == steps * 2 * 3 * 8 * 8
    assert len(made.items) == 2


def test_a_scan_reads_its_input_slice_by_slice() -> None:
    (region,) = captured(recur, (5, 3, 8), (3, 8)).regions
    reads = [a for op in body_ops(region) for a in op.inputs if a.tensor.role == "input"]
    assert [(a.shape, a.advance) for a in reads] == [((3, 8), (24,))]


def test_a_scan_writes_its_stacked_results_without_a_copy() -> None:
    made = captured(recur, (5, 3, 8), (3, 8))
    writes = [a for op in body_ops(made.regions[0]) for a in op.outputs if a.advance]
    assert [(a.tensor.role, a.advance) for a in writes] == [("output", (24,))]
    assert "move" not in {op.kind for op in body_ops(made.regions[0])}


def test_a_scan_carries_from_its_initial_value() -> None:
    (carry,) = captured(recur, (5, 3, 8), (3, 8)).regions[0].carries
    assert carry.state.role == "state"
    assert carry.update.name != carry.state.name
    assert carry.initial is not None
    assert carry.initial.role == "input"


def test_an_initial_value_that_is_a_view_is_copied_once_before_the_loop() -> None:
    def loop(linear: nn.Module, x: torch.Tensor, stack: torch.Tensor) -> Any:
        return recur(linear, x, stack[1])[0]

    made = captured(loop, (5, 2, 8), (3, 2, 8))
    copy, region, *_ = made.items
    assert isinstance(copy, Op)
    assert isinstance(region, Region)
    assert (copy.kind, copy.inputs[0].tensor.shape, copy.inputs[0].offset) == (
        "move",
        (3, 2, 8),
        16,
    )
    assert region.carries[0].initial == copy.outputs[0].tensor
    assert region.steps == 5
    assert not [op for op in body_ops(region) if op.kind == "move" and "initial" in op.name]


def test_a_carry_of_zeros_has_no_initial_tensor() -> None:
    def start(linear: nn.Module, x: torch.Tensor) -> Any:
        return recur(linear, x, torch.zeros(3, 8))

    (carry,) = captured(start, (5, 3, 8)).regions[0].carries
    assert carry.initial is None


def test_a_result_that_is_also_carried_is_copied_to_its_slice() -> None:
    def run(linear: nn.Module, x: torch.Tensor, h: torch.Tensor) -> Any:
        def step(h: torch.Tensor, x: torch.Tensor) -> Any:
            new = torch.tanh(linear(h) + x)
            return new, new.clone()

        return scan(step, h, x)

    region = captured(run, (5, 3, 8), (3, 8)).regions[0]
    copy = body_ops(region)[-1]
    assert copy.kind == "move"
    assert copy.inputs[0].tensor == region.carries[0].update
    assert copy.outputs[0].advance == (24,)


def test_a_reversed_scan_advances_backwards() -> None:
    def run(linear: nn.Module, x: torch.Tensor, h: torch.Tensor) -> Any:
        def step(h: torch.Tensor, x: torch.Tensor) -> Any:
            return h + x, linear(h)

        return scan(step, h, x, reverse=True)

    (region,) = captured(run, (5, 3, 8), (3, 8)).regions
    advances = {a.advance for op in body_ops(region) for a in op.inputs}
    assert (-24,) in advances


def test_a_scan_in_a_scan_advances_at_both_depths() -> None:
    def run(linear: nn.Module, x: torch.Tensor, h: torch.Tensor) -> Any:
        def inner(h: torch.Tensor, x: torch.Tensor) -> Any:
            new = torch.tanh(linear(h) + x)
            return new, new * 2

        def outer(h: torch.Tensor, x: torch.Tensor) -> Any:
            new, results = scan(inner, h, x)
            return new, results.sum(0)

        return scan(outer, h, x)

    made = captured(run, (5, 7, 2, 8), (2, 8))
    (outer_region,) = made.regions
    inner_region = next(i for i in outer_region.body if isinstance(i, Region))
    assert made.macs == 5 * 7 * 2 * 8 * 8
    reads = [a for op in body_ops(inner_region) for a in op.inputs if a.tensor.role == "input"]
    assert [a.advance for a in reads] == [(7 * 16, 16)]
    writes = [a.advance for op in body_ops(inner_region) for a in op.outputs if a.advance]
    assert writes == [(0, 16)]


def test_two_carries_that_change_places_are_copied_first() -> None:
    def run(_: nn.Module, x: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> Any:
        def step(carry: Any, x: torch.Tensor) -> Any:
            return (carry[1].clone(), carry[0].clone()), carry[0] + x

        return scan(step, (a, b), x)

    (region,) = captured(run, (5, 3, 8), (3, 8), (3, 8)).regions
    states = {carry.state.name for carry in region.carries}
    updates = [carry.update.name for carry in region.carries]
    assert len(set(updates)) == 2
    assert not states & set(updates)


# --- while_loop ---


def counted(start: int, limit: int, step: int, compare: str) -> Callable[..., Any]:
    def run(linear: nn.Module, x: torch.Tensor) -> Any:
        def test(i: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
            return {"<": i < limit, "<=": i <= limit, ">": i > limit, ">=": i >= limit}[compare]

        def body(i: torch.Tensor, x: torch.Tensor) -> Any:
            return i + step, linear(x)

        return while_loop(test, body, (torch.full((), start, dtype=torch.int64), x))[1]

    return run


@pytest.mark.parametrize(
    ("start", "limit", "step", "compare"),
    [(0, 5, 1, "<"), (0, 5, 2, "<"), (1, 7, 3, "<="), (9, 2, -1, ">"), (9, 2, -3, ">=")],
)
def test_the_trip_count_of_a_counter_is_worked_out(
    start: int, limit: int, step: int, compare: str
) -> None:
    holds = {
        "<": int.__lt__,
        "<=": int.__le__,
        ">": int.__gt__,
        ">=": int.__ge__,
    }[compare]
    expected, counter = 0, start
    while holds(counter, limit):
        counter, expected = counter + step, expected + 1
    made = captured(counted(start, limit, step, compare), (3, 8))
    assert made.regions[0].steps == expected
    assert made.macs == expected * 3 * 8 * 8


def endless(linear: nn.Module, x: torch.Tensor) -> Any:
    def test(x: torch.Tensor) -> torch.Tensor:
        return x.sum() < 5

    return while_loop(test, lambda x: (linear(x),), (x,))[0]


def test_a_loop_on_data_asks_for_its_trip_count() -> None:
    with pytest.raises(CaptureError, match=r"trip count .* scan, or give loop_steps"):
        captured(endless, (3, 8))


def test_a_given_trip_count_is_used() -> None:
    made = captured(endless, (3, 8), loop_steps=4)
    assert made.regions[0].steps == 4
    assert made.macs == 4 * 3 * 8 * 8


def test_a_loop_that_moves_away_from_its_limit_has_no_trip_count() -> None:
    with pytest.raises(CaptureError, match="trip count"):
        captured(counted(0, 5, -1, "<"), (3, 8))


# --- cond ---


def choose(linear: nn.Module, x: torch.Tensor) -> Any:
    return torch.cond(x.sum() > 0, lambda x: linear(x), lambda x: x * 2, (x,))


def test_a_choice_without_a_probability_is_refused_with_a_remedy() -> None:
    with pytest.raises(CaptureError, match="give branch_probability, 0 to 1"):
        captured(choose, (3, 8))


@pytest.mark.parametrize(("probability", "macs"), [(0.9, 3 * 8 * 8), (0.1, 0)])
def test_a_choice_is_a_branch_of_which_the_likelier_side_counts(
    probability: float, macs: int
) -> None:
    made = captured(choose, (3, 8), branch_probability=probability)
    (branch,) = [item for item in made.items if isinstance(item, Branch)]
    assert branch.probability == probability
    assert made.macs == macs


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.7, "(p = 0.70) is counted, 192 MACs; the other side has 0 MACs"),
        (0.5, "(p = 0.50) is counted, 192 MACs; the other side has 0 MACs"),
        (0.1, "(p = 0.90) is counted, 0 MACs; the other side has 192 MACs"),
    ],
)
def test_what_the_other_side_would_cost_is_noted(probability: float, said: str) -> None:
    made = captured(choose, (3, 8), branch_probability=probability)
    (branch,) = [item for item in made.items if isinstance(item, Branch)]
    assert f"cond {branch.name!r}: only the likelier side {said}" in made.notes


def test_the_note_about_a_choice_is_part_of_the_result() -> None:
    made = captured(choose, (3, 8), branch_probability=0.7)
    result = codesign.simulate(made, "edge-npu")
    assert any("only the likelier side" in note for note in result.assumptions)
    assert result.macs == 3 * 8 * 8


def test_two_choices_are_noted_apart() -> None:
    def twice(linear: nn.Module, x: torch.Tensor) -> Any:
        return choose(linear, choose(linear, x))

    made = captured(twice, (3, 8), branch_probability=0.7)
    assert sum("only the likelier side" in note for note in made.notes) == 2


def test_both_sides_write_the_same_result() -> None:
    made = captured(choose, (3, 8), branch_probability=0.5)
    (branch,) = [item for item in made.items if isinstance(item, Branch)]
    written = [
        {a.tensor.name for op, _ in iterate(side) for a in op.outputs if a.tensor.role == "output"}
        for side in (branch.taken, branch.otherwise)
    ]
    assert written[0] == written[1] != set()


def test_a_side_that_returns_its_operand_copies_it() -> None:
    def skip(linear: nn.Module, x: torch.Tensor) -> Any:
        return torch.cond(x.sum() > 0, lambda x: linear(x), lambda x: x.clone(), (x,))

    made = captured(skip, (3, 8), branch_probability=0.5)
    (branch,) = [item for item in made.items if isinstance(item, Branch)]
    assert [op.kind for op, _ in iterate(branch.otherwise)] == ["move"]


# --- wrappers ---


def test_a_body_under_other_autograd_settings_is_inlined() -> None:
    x, inner, outer = (Value(name, (2, 3), FP32) for name in ("x", "inner", "outer"))
    negate = Node("aten.neg.default", (x,), {}, (inner,))
    body = Graph((GraphInput(x, "input", "x", "x"),), (negate,), (inner,))
    wrap = Node("wrap_with_set_grad_enabled", (False, body, x), {}, (outer,))
    double = Node("aten.mul.Tensor", (outer, 2), {}, (Value("y", (2, 3), FP32),))
    graph = Graph((GraphInput(x, "input", "x", "x"),), (wrap, double), double.outputs)
    made = lower(graph, registry(), fuse=False)
    check_trace(made)
    assert [op.functions for op, _ in made.ops()] == [("neg",), ("mul",)]
