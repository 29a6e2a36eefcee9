"""Single cells, unrolled cells and cells written by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from test_aten_recurrent import Steps, body_ops, captured
from torch import nn

from codesign.errors import CaptureError
from codesign.plugins import registry
from codesign.workload.dtype import DType
from codesign.workload.graph import Graph, GraphInput, Node, Value
from codesign.workload.lower import lower


@pytest.mark.parametrize(
    ("cell", "gates"),
    [
        (lambda: nn.LSTMCell(8, 16), 4),
        (lambda: nn.GRUCell(8, 16), 3),
        (lambda: nn.RNNCell(8, 16), 1),
        (lambda: nn.RNNCell(8, 16, nonlinearity="relu", bias=False), 1),
    ],
)
def test_a_single_cell_is_two_products_and_an_update(
    cell: Callable[[], nn.Module], gates: int
) -> None:
    made = captured(cell, (2, 8))
    kinds = [op.kind for op, _ in made.ops()]
    assert kinds == ["contraction", "contraction", "elementwise"]
    assert made.macs == 2 * gates * 16 * (8 + 16)


@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
@pytest.mark.parametrize("layers", [1, 2])
def test_unrolled_cells_become_one_region_of_all_layers(kind: type, layers: int) -> None:
    def build() -> nn.Module:
        return Steps([kind(8 if layer == 0 else 16, 16) for layer in range(layers)], 16)

    made = captured(build, (6, 2, 8))
    plain = captured(build, (6, 2, 8), fuse=False)
    (region,) = made.regions
    assert region.steps == 6
    assert made.macs == plain.macs
    assert made.parameter_bytes == plain.parameter_bytes
    assert len(body_ops(region)) == 3 * layers


def test_a_hand_written_cell_becomes_a_region() -> None:
    class Hand(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.drive, self.recur = nn.Linear(8, 16), nn.Linear(16, 16, bias=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden = torch.zeros(x.shape[1], 16)
            results = []
            for step in range(x.shape[0]):
                hidden = torch.tanh(self.drive(x[step]) + self.recur(hidden))
                results.append(hidden)
            return torch.stack(results, 1)

    made = captured(Hand, (7, 4, 8))
    (region,) = made.regions
    assert region.steps == 7
    assert made.macs == 7 * 4 * (8 + 16) * 16
    # inside, the sum joins the recurrent product; the tanh writes the state and its slice
    assert [op.functions for op in body_ops(region)] == [("add",), ("add",), ("tanh",)]


def test_packed_sequences_are_refused_with_a_remedy() -> None:
    data = Value("data", (6, 8), DType("fp", 32))
    packed = Node("aten.lstm.data", (data,), {}, (Value("y", (6, 16), data.dtype),), "encoder")
    graph = Graph((GraphInput(data, "input", "data", "data"),), (packed,), packed.outputs)
    with pytest.raises(CaptureError, match=r"encoder: a packed sequence .* pad the sequence"):
        lower(graph, registry())


def test_work_per_unit_is_that_of_the_equations() -> None:
    """LSTM: 8 sums, 3 sigmoids, a tanh, c = f c + i g, h = o tanh(c), with 4 for each table."""
    cost = {"add": 1, "mul": 1, "sigmoid": 4, "tanh": 4}
    (region,) = captured(lambda: nn.LSTM(8, 16), (5, 2, 8)).regions
    update = body_ops(region)[-1]
    widest = max(math.prod(access.shape) for access in update.operands)
    spent = sum(cost[name] for name in update.functions) * widest
    assert spent == 2 * 16 * (8 + 3 * 4 + 4 + 3 + 4 + 1)
