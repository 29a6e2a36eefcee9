"""The recurrent cells compute their papers' equations and store what those name."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional
from zoo_case import randomise

from codesign.errors import ModelError
from codesign.zoo.cells import (
    CIFG,
    GRU,
    LSTM,
    QRNN,
    SRU,
    LiGRU,
    MinGRU,
    ProjectedLSTM,
    RecurrentMatrix,
)

BATCH, INPUTS, WIDTH, PROJECTION = 2, 5, 8, 4
STRUCTURES: tuple[dict[str, int], ...] = ({}, {"blocks": 2}, {"blocks": 4}, {"rank": 3})
structured = pytest.mark.parametrize("structure", STRUCTURES, ids=str)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def dense(recurrent: RecurrentMatrix) -> Any:
    """The matrix of each gate, written out: [gates, outputs, inputs]."""
    if recurrent.rank is not None:
        return recurrent.up @ recurrent.down
    return torch.stack([torch.block_diag(*blocks) for blocks in recurrent.weight])


def parameters(module: Any) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def gate_sums(cell: Any, x: Any, h: Any) -> list[Any]:
    """``W x + U h + b`` of each gate, by plain matrices."""
    matrices = cell.input.weight.unflatten(0, (cell.gates, -1))
    rows = zip(matrices, dense(cell.recurrent), cell.bias, strict=True)
    return [x @ w.T + h @ u.T + b for w, u, b in rows]


def normalised(cell: Any, sums: list[Any]) -> list[Any]:
    return [
        functional.layer_norm(z, (WIDTH,), norm.weight, norm.bias)
        for z, norm in zip(sums, cell.norms, strict=True)
    ]


def state_like(cell: Any) -> Any:
    return tuple(torch.randn_like(part) for part in cell.initial(BATCH))


@structured
def test_an_lstm_follows_its_equations_gate_by_gate(structure: dict[str, int]) -> None:
    cell = randomise(LSTM(INPUTS, WIDTH, **structure))
    x, (h, c) = torch.randn(BATCH, INPUTS), state_like(cell)
    i, f, g, o = normalised(cell, gate_sums(cell, x, h))
    memory = f.sigmoid() * c + i.sigmoid() * g.tanh()
    hidden = o.sigmoid() * memory.tanh()
    output, after = cell(x, (h, c))
    torch.testing.assert_close((output, *after), (hidden, hidden, memory))


@structured
def test_a_cifg_forgets_as_much_as_it_takes(structure: dict[str, int]) -> None:
    cell = randomise(CIFG(INPUTS, WIDTH, **structure))
    x, (h, c) = torch.randn(BATCH, INPUTS), state_like(cell)
    f, g, o = normalised(cell, gate_sums(cell, x, h))
    memory = f.sigmoid() * c + (1 - f.sigmoid()) * g.tanh()
    output, after = cell(x, (h, c))
    torch.testing.assert_close(after[1], memory)
    torch.testing.assert_close(output, o.sigmoid() * memory.tanh())


@structured
def test_a_projected_lstm_recurs_through_its_projection(structure: dict[str, int]) -> None:
    cell = randomise(ProjectedLSTM(INPUTS, WIDTH, PROJECTION, **structure))
    x, (h, c) = torch.randn(BATCH, INPUTS), state_like(cell)
    i, f, g, o = gate_sums(cell, x, h)
    memory = f.sigmoid() * c + i.sigmoid() * g.tanh()
    hidden = (o.sigmoid() * memory.tanh()) @ cell.projection.weight.T
    output, after = cell(x, (h, c))
    assert output.shape == (BATCH, PROJECTION)
    torch.testing.assert_close((output, *after), (hidden, hidden, memory))


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_a_projected_lstm_is_that_of_pytorch_with_its_two_biases_added() -> None:
    cell = randomise(ProjectedLSTM(INPUTS, WIDTH, PROJECTION))
    twin = randomise(torch.nn.LSTM(INPUTS, WIDTH, proj_size=PROJECTION))
    twin.weight_ih_l0.data = cell.input.weight.data
    twin.weight_hh_l0.data = dense(cell.recurrent).flatten(0, 1).data
    twin.weight_hr_l0.data = cell.projection.weight.data
    cell.bias.data = (twin.bias_ih_l0 + twin.bias_hh_l0).data.view(4, WIDTH)
    x, state = torch.randn(BATCH, INPUTS), state_like(cell)
    output, after = cell(x, state)
    expected, (h, c) = twin(x[None], tuple(part[None] for part in state))
    torch.testing.assert_close((output, *after), (expected[0], h[0], c[0]))


@structured
def test_a_gru_resets_the_product_with_its_state(structure: dict[str, int]) -> None:
    cell = randomise(GRU(INPUTS, WIDTH, **structure))
    x, (h,) = torch.randn(BATCH, INPUTS), state_like(cell)
    z, r, _ = (total.sigmoid() for total in gate_sums(cell, x, h))
    driven = x @ cell.input.weight[2 * WIDTH :].T + cell.bias[2]
    n = (driven + r * (h @ dense(cell.recurrent)[2].T)).tanh()
    output, after = cell(x, (h,))
    torch.testing.assert_close((output, *after), (z * h + (1 - z) * n,) * 2)


def test_a_gru_is_that_of_pytorch_without_a_recurrent_bias() -> None:
    cell = randomise(GRU(INPUTS, WIDTH))
    twin = randomise(torch.nn.GRUCell(INPUTS, WIDTH))
    # PyTorch stores the reset gate first
    order = torch.tensor([1, 0, 2])
    twin.weight_ih.data = cell.input.weight.unflatten(0, (3, -1))[order].flatten(0, 1).data
    twin.weight_hh.data = dense(cell.recurrent)[order].flatten(0, 1).data
    twin.bias_ih.data = cell.bias[order].flatten().data
    twin.bias_hh.data.zero_()
    x, (h,) = torch.randn(BATCH, INPUTS), state_like(cell)
    torch.testing.assert_close(cell(x, (h,))[0], twin(x, h))


@structured
def test_a_light_gru_has_one_gate_and_a_rectifier(structure: dict[str, int]) -> None:
    cell = randomise(LiGRU(INPUTS, WIDTH, **structure))
    x, (h,) = torch.randn(BATCH, INPUTS), state_like(cell)
    gate, candidate = gate_sums(cell, x, h)
    z = gate.sigmoid()
    output, after = cell(x, (h,))
    torch.testing.assert_close((output, *after), (z * h + (1 - z) * candidate.relu(),) * 2)


@pytest.mark.parametrize("inputs", [INPUTS, WIDTH])
def test_an_sru_recurs_element_by_element_beside_a_highway(inputs: int) -> None:
    cell = randomise(SRU(inputs, WIDTH))
    x, (c,) = torch.randn(BATCH, inputs), state_like(cell)
    products = [x @ w.T for w in cell.input.weight.split(WIDTH)]
    f, r = (
        (products[1 + gate] + cell.carried[gate] * c + cell.bias[gate]).sigmoid()
        for gate in range(2)
    )
    memory = f * c + (1 - f) * products[0]
    highway = x if inputs == WIDTH else products[3]
    output, after = cell(x, (c,))
    torch.testing.assert_close(after, (memory,))
    torch.testing.assert_close(output, r * memory + (1 - r) * highway)


@pytest.mark.parametrize("window", [1, 2, 3])
def test_a_qrnn_pools_a_convolution_of_its_window(window: int) -> None:
    cell = randomise(QRNN(INPUTS, WIDTH, window))
    x, (c,) = torch.randn(BATCH, window, INPUTS), state_like(cell)
    z, f, o = (
        sum(x[:, tap] @ matrices[:, tap].T for tap in range(window)) for matrices in cell.weight
    )
    memory = f.sigmoid() * c + (1 - f.sigmoid()) * z.tanh()
    output, after = cell(x, (c,))
    torch.testing.assert_close(after, (memory,))
    torch.testing.assert_close(output, o.sigmoid() * memory)


def test_a_minimal_gru_sees_its_state_in_no_gate() -> None:
    cell = randomise(MinGRU(INPUTS, WIDTH))
    x, (h,) = torch.randn(BATCH, INPUTS), state_like(cell)
    gate, candidate = (
        x @ w.T + b
        for w, b in zip(cell.input.weight.split(WIDTH), cell.input.bias.split(WIDTH), strict=True)
    )
    z = gate.sigmoid()
    output, after = cell(x, (h,))
    torch.testing.assert_close((output, *after), ((1 - z) * h + z * candidate,) * 2)


# -- what is stored: closed forms typed from the equations ---------------------------------------


@pytest.mark.parametrize(
    ("inputs", "hidden", "kind", "blocks", "stored"),
    [
        (80, 640, LSTM, 1, 1_850_880),
        (1280, 640, LSTM, 1, 4_922_880),
        (640, 640, LSTM, 1, 3_284_480),
        (80, 640, CIFG, 4, 466_560),
        (1280, 640, CIFG, 4, 2_770_560),
        (256, 256, CIFG, 1, 395_520),
    ],
)
def test_a_normalised_cell_stores_its_matrices_and_three_vectors_per_gate(
    inputs: int, hidden: int, kind: Any, blocks: int, stored: int
) -> None:
    with torch.device("meta"):
        cell = kind(inputs, hidden, blocks)
    assert parameters(cell) == stored
    assert stored == kind.GATES * hidden * (inputs + hidden // blocks + 3)


@pytest.mark.parametrize(
    ("cell", "stored"),
    [
        (LSTM(10, 12, rank=3), 4 * (12 * 10 + 3 * 12 + 12 * 3 + 3 * 12)),
        (CIFG(10, 12, rank=3), 3 * (12 * 10 + 3 * 12 + 12 * 3 + 3 * 12)),
        (ProjectedLSTM(10, 12, 6), 4 * 12 * (10 + 6 + 1) + 6 * 12),
        (ProjectedLSTM(10, 12, 6, blocks=3), 4 * 12 * (10 + 2 + 1) + 6 * 12),
        (ProjectedLSTM(10, 12, 6, rank=2), 4 * (12 * 10 + 2 * 6 + 12 * 2 + 12) + 6 * 12),
        (GRU(10, 12), 3 * 12 * (10 + 12 + 1)),
        (GRU(10, 12, blocks=4), 3 * 12 * (10 + 3 + 1)),
        (LiGRU(10, 12), 2 * 12 * (10 + 12 + 1)),
        (LiGRU(10, 12, rank=5), 2 * (12 * 10 + 5 * 12 + 12 * 5 + 12)),
        (SRU(12, 12), 3 * 12 * 12 + 4 * 12),
        (SRU(10, 12), 4 * 12 * 10 + 4 * 12),
        (QRNN(10, 12), 3 * 12 * 2 * 10),
        (QRNN(10, 12, window=3), 3 * 12 * 3 * 10),
        (MinGRU(10, 12), 2 * 12 * (10 + 1)),
    ],
)
def test_a_cell_stores_what_its_equations_name(cell: Any, stored: int) -> None:
    assert parameters(cell) == stored


def test_half_the_width_as_rank_stores_as_much_as_a_dense_matrix() -> None:
    assert parameters(LSTM(16, 16, rank=8)) == parameters(LSTM(16, 16))
    assert parameters(LSTM(16, 16, rank=4)) == parameters(LSTM(16, 16, blocks=2))


def test_a_cell_starts_with_small_finite_weights() -> None:
    for weight in LSTM(INPUTS, WIDTH).parameters():
        assert torch.isfinite(weight).all()
        assert weight.abs().max() < 10


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        ({"blocks": 3}, "blocks must divide the 8 rows and 8 columns .* got 3"),
        ({"blocks": 0}, "blocks of a recurrent matrix must be at least 1, got 0"),
        ({"rank": 0}, "rank of a recurrent matrix must be at least 1, got 0"),
        ({"blocks": 2, "rank": 2}, "either block diagonal or of low rank, got blocks 2 and rank 2"),
    ],
)
@pytest.mark.parametrize("kind", [LSTM, CIFG, GRU, LiGRU])
def test_an_impossible_structure_is_refused(
    kind: Any, structure: dict[str, int], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        kind(INPUTS, WIDTH, **structure)


def test_blocks_must_also_divide_a_projection() -> None:
    with pytest.raises(ModelError, match="the 8 rows and 6 columns of a recurrent matrix, got 4"):
        ProjectedLSTM(INPUTS, 8, 6, blocks=4)
