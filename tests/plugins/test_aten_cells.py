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


@pytest.mark.parametrize(("kind", "vectors"), [(nn.LSTMCell, 4), (nn.GRUCell, 4), (nn.RNNCell, 1)])
@pytest.mark.parametrize("steps", [1, 6])
def test_cells_read_the_biases_that_layers_read(kind: type, vectors: int, steps: int) -> None:
    made = captured(lambda: Steps([kind(8, 16)], 16), (steps, 2, 8))
    read = {a.tensor for op, _ in made.ops() for a in op.inputs if "bias" in a.tensor.name}
    assert sum(tensor.elements for tensor in read if "cells" in tensor.name) == vectors * 16
    assert made.parameters == sum(p.numel() for p in Steps([kind(8, 16)], 16).parameters())


def test_a_second_bias_that_is_worked_out_is_read_where_it_lies() -> None:
    class Scaled(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.unit = nn.GRUCell(8, 16)

        def forward(self, x: torch.Tensor, h: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
            unit = self.unit
            weights = (unit.weight_ih, unit.weight_hh, unit.bias_ih, unit.bias_hh * scale)
            return torch.gru_cell(x, h, *weights)

    made = captured(Scaled, (2, 8), (2, 16), (48,))
    update = next(op for op, _ in made.ops() if op.name.endswith("update"))
    first, second = (access for access in update.inputs if access.tensor.shape == (48,))
    assert (first.tensor.name, first.shape, first.offset) == ("unit.bias_ih", (48,), 0)
    assert (second.tensor.role, second.shape, second.offset) == ("activation", (16,), 32)


def test_a_hand_written_gru_reads_both_biases_whole() -> None:
    """Nothing says which of its gates could do with a sum: it is read as it is written."""

    class Hand(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.drive, self.recur = nn.Linear(8, 48), nn.Linear(16, 48)

        def forward(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
            a, b = self.drive(x).chunk(3, 1), self.recur(h).chunk(3, 1)
            r, z = torch.sigmoid(a[0] + b[0]), torch.sigmoid(a[1] + b[1])
            n = torch.tanh(a[2] + r * b[2])
            return n + z * (h - n)

    made = captured(Hand, (2, 8), (2, 16))
    read = {a.tensor for op, _ in made.ops() for a in op.inputs if "bias" in a.tensor.name}
    assert sum(tensor.elements for tensor in read) == 6 * 16
    assert not any("one bias per gate" in note for note in made.notes)


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


def test_work_per_unit_of_a_gru_is_that_of_the_equations_rounded_up() -> None:
    """7 sums, 2 sigmoids, a tanh, r (U h + c), h = n + z (h - n): 23, and 8 per gate are 24."""
    cost = {"add": 1, "mul": 1, "sigmoid": 4, "tanh": 4}
    (region,) = captured(lambda: nn.GRU(8, 16), (5, 2, 8)).regions
    update = body_ops(region)[-1]
    widest = max(math.prod(access.shape) for access in update.operands)
    exact = 2 * 16 * (7 + 2 * 4 + 4 + 1 + 3)
    assert exact <= sum(cost[name] for name in update.functions) * widest == exact + 2 * 16
