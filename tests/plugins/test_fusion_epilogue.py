from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from codesign.plugins import registry
from codesign.testing.passes import Sketch, check_pass
from codesign.workload import view
from codesign.workload.capture import trace
from codesign.workload.record import Op, Trace

EPILOGUE = registry().get("codesign_fusion_passes")["60-contraction-epilogue"]
M, K, N = 4, 3, 6


def ops(made: Trace) -> list[Op]:
    return [op for op, _ in made.ops()]


def product(s: Sketch, name: str = "x") -> Any:
    return s.matmul(s.tensor(name, (M, K), "input"), s.tensor(f"{name}.w", (K, N), "weight"))


@pytest.mark.parametrize(
    "name",
    ["relu", "gelu", "silu", "hardswish", "sigmoid", "tanh", "hardtanh", "clamp", "relu6"],
)
def test_an_activation_joins_the_product_before_it(name: str) -> None:
    s = Sketch()
    s.map(name, product(s))
    (op,) = ops(check_pass(EPILOGUE, s.trace()))
    assert op.kind == "contraction"
    assert op.functions == (name,)


@pytest.mark.parametrize("name", ["exp", "sqrt", "neg"])
def test_other_functions_stay_operators(name: str) -> None:
    s = Sketch()
    s.map(name, product(s))
    made = s.trace()
    assert EPILOGUE(made) is made


def test_bias_and_activation_join_in_order() -> None:
    s = Sketch()
    bias = s.tensor("b", (N,), "weight")
    s.map("relu", s.map("add", product(s), view.expand(bias, (M, N))))
    (op,) = ops(check_pass(EPILOGUE, s.trace()))
    assert op.functions == ("add", "relu")
    assert op.inputs[2] == bias
    assert op.loops.operands[2] == op.loops.operands[-1][1:]


def test_a_residual_gets_the_projection_of_the_output() -> None:
    s = Sketch()
    residual = s.tensor("r", (M, N), "input")
    s.map("add", residual, product(s))
    (op,) = ops(check_pass(EPILOGUE, s.trace()))
    assert op.inputs[2] == residual
    assert op.loops.operands[2] == op.loops.operands[-1]


def test_of_two_products_the_later_takes_the_earlier_as_its_residual() -> None:
    s = Sketch()
    first, second = product(s, "x"), product(s, "y")
    s.map("add", first, second)
    before, after = ops(check_pass(EPILOGUE, s.trace()))
    assert before.inputs[0].tensor.name == "x"
    assert after.inputs[0].tensor.name == "y"
    assert after.inputs[2].tensor == before.outputs[0].tensor


def test_a_product_added_to_itself_stays() -> None:
    s = Sketch()
    y = product(s)
    s.map("add", y, y)
    made = s.trace()
    assert EPILOGUE(made) is made


def test_a_result_with_another_reader_stays() -> None:
    s = Sketch()
    y = product(s)
    s.map("relu", y)
    s.map("exp", y)
    made = s.trace()
    assert EPILOGUE(made) is made


def test_a_state_updated_in_between_forbids_the_merge() -> None:
    s = Sketch()
    state = s.tensor("state", (M, K), "state")
    y = s.matmul(state, s.tensor("w", (K, N), "weight"))
    s.op("elementwise", ["neg"], [state], state)
    s.map("relu", y)
    made = s.trace()
    assert EPILOGUE(made) is made


class Block(nn.Module):  # type: ignore[misc]  # torch is untyped
    def __init__(self, layer: nn.Module, after: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.layer, self.after = layer, after

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(self.layer(x), x)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda: nn.Linear(8, 8), (2, 5, 8)),
        (lambda: nn.Linear(8, 8), (1, 8)),
        (lambda: nn.Conv1d(8, 8, 3, padding=1), (2, 8, 5)),
        (lambda: nn.Conv2d(8, 8, 3, padding=1), (2, 8, 5, 5)),
        (lambda: nn.Conv2d(8, 8, 3, padding=1, groups=4), (2, 8, 5, 5)),
    ],
)
def test_real_layers_take_a_residual_and_an_activation(
    layer: Callable[[], nn.Module], shape: tuple[int, ...]
) -> None:
    with torch.device("meta"):
        block = Block(layer(), lambda y, x: torch.relu(y + x))
        made = trace(block, (torch.zeros(shape),), fuse=False)
    (op,) = ops(check_pass(EPILOGUE, made))
    assert op.functions == ("add", "add", "relu")
    assert len(op.loops.operands) == len(op.operands)
    assert op.outputs[0].tensor.role == "output"


def test_a_transposed_sum_stays() -> None:
    with torch.device("meta"):
        block = Block(nn.Linear(8, 8), lambda y, x: y.transpose(0, 1) + x)
        made = trace(block, (torch.zeros(8, 8),), fuse=False)
    assert EPILOGUE(made) is made
