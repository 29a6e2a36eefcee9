from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from codesign.plugins import registry
from codesign.testing.passes import Sketch, check_pass
from codesign.workload import view
from codesign.workload.capture import trace
from codesign.workload.record import Op, Trace

PASSES = registry().get("codesign_fusion_passes")
ACTIVATION, GATE = PASSES["50-activation"], PASSES["55-gate"]
CHAIN = PASSES["80-elementwise-chain"]


class Call(nn.Module):  # type: ignore[misc]  # torch is untyped
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: torch.Tensor) -> Any:
        return self.function(*args)


def captured(function: Callable[..., Any], *shapes: tuple[int, ...]) -> Trace:
    with torch.device("meta"):
        return trace(Call(function), tuple(torch.zeros(s) for s in shapes), fuse=False)


def ops(made: Trace) -> list[Op]:
    return [op for op, _ in made.ops()]


def work(made: Trace) -> Counter[str]:
    """Element operations by function."""
    total: Counter[str] = Counter()
    for op, times in made.ops():
        for name in op.functions:
            total[name] += times * math.prod(op.outputs[0].shape)
    return total


CUBIC = math.sqrt(2 / math.pi)
SPELLINGS = {
    "gelu by tanh": (
        "gelu",
        lambda x: 0.5 * x * (1 + torch.tanh(CUBIC * (x + 0.044715 * torch.pow(x, 3)))),
    ),
    "gelu by tanh, half last": (
        "gelu",
        lambda x: x * (1 + torch.tanh(CUBIC * (x + 0.044715 * x.pow(3)))) * 0.5,
    ),
    "gelu by erf": ("gelu", lambda x: x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))),
    "silu": ("silu", lambda x: x * torch.sigmoid(x)),
    "silu turned round": ("silu", lambda x: torch.sigmoid(x) * x),
    "hard swish": ("hardswish", lambda x: x * nn.functional.relu6(x + 3) / 6),
    "hard swish by hard sigmoid": ("hardswish", lambda x: x * nn.functional.hardsigmoid(x)),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_of_an_activation_is_one_operator(name: str) -> None:
    function, spelled = SPELLINGS[name]
    (op,) = ops(check_pass(ACTIVATION, captured(spelled, (4, 6))))
    assert op.functions == (function,)
    assert len(op.inputs) == 1


def test_a_product_with_the_sigmoid_of_something_else_is_no_silu() -> None:
    made = captured(lambda x, y: x * torch.sigmoid(y), (4, 6), (4, 6))
    assert ACTIVATION(made) is made


@pytest.mark.parametrize("name", ["silu", "gelu", "relu", "sigmoid"])
def test_a_gate_is_one_operator_over_two_inputs(name: str) -> None:
    function = getattr(nn.functional, name)
    (op,) = ops(check_pass(GATE, captured(lambda a, b: function(a) * b, (4, 6), (4, 6))))
    assert op.functions == (name, "mul")
    assert [a.shape for a in op.inputs] == [(4, 6), (4, 6)]


def test_halves_of_one_tensor_gate_each_other_without_a_copy() -> None:
    def swiglu(x: torch.Tensor) -> torch.Tensor:
        gate, value = x.chunk(2, dim=-1)
        return nn.functional.silu(gate) * value

    (op,) = ops(check_pass(GATE, captured(swiglu, (4, 12))))
    assert [a.offset for a in op.inputs] == [0, 6]


def test_a_gate_on_itself_stays() -> None:
    made = captured(lambda x: torch.relu(x).square() * torch.relu(x), (4, 6))
    square = captured(lambda x: (lambda y: y * y)(torch.relu(x)), (4, 6))
    assert GATE(square) is square
    check_pass(GATE, made)


def test_a_gate_of_channels_is_computed_once_per_channel() -> None:
    made = captured(lambda s, x: torch.sigmoid(s) * x, (2, 8, 1, 1), (2, 8, 5, 5))
    assert GATE(made) is made


# --- chains ---


@given(names=st.lists(st.sampled_from(("exp", "neg", "relu", "sqrt")), min_size=2, max_size=8))
@settings(deadline=None)
def test_a_chain_is_one_operator_with_its_functions_in_order(names: list[str]) -> None:
    s = Sketch()
    value = s.tensor("x", (4, 6), "input")
    for name in names:
        value = s.map(name, value)
    made = s.trace()
    changed = check_pass(CHAIN, made)
    (op,) = ops(changed)
    assert list(op.functions) == names
    assert work(changed) == work(made)


def test_a_diamond_is_one_operator_that_reads_its_input_once() -> None:
    s = Sketch()
    x = s.tensor("x", (4, 6), "input")
    top = s.map("exp", x)
    s.map("add", s.map("neg", top), s.map("relu", top))
    (op,) = ops(check_pass(CHAIN, s.trace()))
    assert op.functions == ("exp", "neg", "relu", "add")
    assert op.inputs == (x,)


def test_a_result_with_two_readers_ends_a_chain() -> None:
    s = Sketch()
    top = s.map("exp", s.tensor("x", (4, 6), "input"))
    s.map("neg", top)
    s.map("relu", top)
    made = s.trace()
    assert CHAIN(made) is made


def test_a_chain_goes_through_a_free_reshape() -> None:
    made = captured(lambda x: torch.exp(torch.neg(x).reshape(24)), (4, 6))
    (op,) = ops(check_pass(CHAIN, made))
    assert op.functions == ("neg", "exp")
    assert op.inputs[0].shape == (24,)


def test_a_transposed_reader_ends_a_chain() -> None:
    made = captured(lambda x: torch.exp(torch.neg(x).t()), (4, 6))
    assert CHAIN(made) is made


def test_what_is_broadcast_afterwards_is_not_computed_more_often() -> None:
    made = captured(lambda x, y: torch.exp(x) + y, (4, 1), (4, 6))
    assert CHAIN(made) is made


def test_operands_broadcast_inside_a_chain_stay_broadcast() -> None:
    s = Sketch()
    x, row = s.tensor("x", (4, 6), "input"), s.tensor("row", (6,), "weight")
    s.map("exp", s.map("add", x, view.expand(row, (4, 6))))
    (op,) = ops(check_pass(CHAIN, s.trace()))
    assert op.inputs[1].elements == 6


def test_an_operator_of_two_results_takes_no_part() -> None:
    s = Sketch()
    x = s.map("exp", s.tensor("x", (4, 6), "input"))
    first, second = s.tensor("first", (4, 6)), s.tensor("second", (4, 6))
    s.items.append(Op("both", "elementwise", (x,), (first, second), functions=("neg",)))
    made = s.trace()
    assert CHAIN(made) is made
