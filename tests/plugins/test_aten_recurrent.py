from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from codesign import Result, simulate
from codesign.mapping.residency import Policy
from codesign.workload.capture import trace
from codesign.workload.check import check_trace
from codesign.workload.record import Access, Op, Region, Trace

GATES = {nn.LSTM: 4, nn.GRU: 3, nn.RNN: 1}


class Head(nn.Module):  # type: ignore[misc]  # torch is untyped
    """A recurrent network with a linear layer on every step."""

    def __init__(self, rnn: nn.Module, width: int) -> None:
        super().__init__()
        self.rnn = rnn
        self.head = nn.Linear(width, 32)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(x)[0])


class Steps(nn.Module):  # type: ignore[misc]
    """Cells unrolled over time, layers inside, with a head on the stacked results."""

    def __init__(self, cells: list[nn.Module], width: int) -> None:
        super().__init__()
        self.cells = nn.ModuleList(cells)
        self.head = nn.Linear(width, 32)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states: list[Any] = [None] * len(self.cells)
        results = []
        for step in range(x.shape[0]):
            value = x[step]
            for layer, cell in enumerate(self.cells):
                states[layer] = cell(value, states[layer])
                value = states[layer][0] if isinstance(states[layer], tuple) else states[layer]
            results.append(value)
        return self.head(torch.stack(results))


def captured(build: Callable[[], nn.Module], *shapes: tuple[int, ...], **options: Any) -> Trace:
    with torch.device("meta"):
        made = trace(build(), tuple(torch.zeros(shape) for shape in shapes), **options)
    check_trace(made)
    return made


def body_ops(region: Region) -> list[Op]:
    return [op for op in region.body if isinstance(op, Op)]


def formula(kind: type, i: int, h: int, p: int, steps: int, batch: int) -> int:
    """MACs of a layer: G h (i + r) + [p h] a step."""
    recurrent = p or h
    return steps * batch * (GATES[kind] * h * (i + recurrent) + p * h)


# --- laws ---


@given(
    kind=st.sampled_from((nn.LSTM, nn.GRU, nn.RNN)),
    i=st.integers(1, 6),
    h=st.integers(2, 6),
    layers=st.integers(1, 3),
    directions=st.integers(1, 2),
    batch=st.integers(1, 3),
    steps=st.integers(2, 5),
    batch_first=st.booleans(),
)
@settings(max_examples=8, deadline=None)
def test_macs_follow_the_formula(
    kind: type,
    i: int,
    h: int,
    layers: int,
    directions: int,
    batch: int,
    steps: int,
    batch_first: bool,
) -> None:
    shape = (batch, steps, i) if batch_first else (steps, batch, i)
    bidirectional = directions == 2
    made = captured(
        lambda: kind(i, h, layers, bidirectional=bidirectional, batch_first=batch_first), shape
    )
    widths = [i] + [h * directions] * (layers - 1)
    expected = sum(formula(kind, width, h, 0, steps, batch) for width in widths) * directions
    assert made.macs == expected
    assert len(made.regions) == layers * directions
    assert all(region.steps == steps for region in made.regions)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("bias", [True, False])
def test_every_parameter_is_counted(kind: type, bias: bool) -> None:
    made = captured(lambda: kind(5, 7, 2, bias=bias), (4, 2, 5))
    with torch.device("meta"):
        stored = sum(p.numel() for p in kind(5, 7, 2, bias=bias).parameters())
    assert made.parameters == stored


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_the_body_does_not_grow_with_time(kind: type) -> None:
    short, long = (captured(lambda: kind(5, 7), (steps, 2, 5)) for steps in (3, 30))
    assert len(list(short.ops())) == len(list(long.ops()))
    # weights, one recurrent step and the hoisted product scale alike
    assert long.macs == 10 * short.macs


def positions(access: Access, steps: int) -> set[int]:
    """Storage positions that a moving two-dimensional view touches over all steps."""
    (rows, columns), (down, right) = access.shape, access.strides
    move = access.advance[0] if access.advance else 0
    return {
        access.offset + t * move + r * down + c * right
        for t in range(steps)
        for r in range(rows)
        for c in range(columns)
    }


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("directions", [1, 2])
def test_all_steps_together_write_each_output_once(batch_first: bool, directions: int) -> None:
    shape = (3, 5, 4) if batch_first else (5, 3, 4)
    made = captured(
        lambda: nn.GRU(4, 6, batch_first=batch_first, bidirectional=directions == 2), shape
    )
    written: list[int] = []
    for region in made.regions:
        (target,) = [a for a in body_ops(region)[-1].outputs if a.advance]
        written += sorted(positions(target, region.steps))
    assert sorted(written) == list(range(5 * 3 * 6 * directions))


# --- the cases of the reference table ---


def test_two_lstm_layers_with_a_head_cost_43_8272_million_macs() -> None:
    made = captured(lambda: Head(nn.LSTM(80, 256, 2), 256), (50, 1, 80))
    assert made.macs == 43_827_200
    assert [region.steps for region in made.regions] == [50, 50]


def test_two_gru_layers_with_a_head_match_torchs_counter() -> None:
    made = captured(lambda: Head(nn.GRU(80, 256, 2), 256), (50, 1, 80))
    assert 2 * made.macs == 65_945_600
    assert len(made.regions) == 2


def test_fifty_unrolled_cells_are_one_region_and_match_torchs_counter() -> None:
    made = captured(lambda: Steps([nn.LSTMCell(80, 256)], 256), (50, 1, 80))
    assert 2 * made.macs == 35_225_600
    (region,) = made.regions
    assert region.steps == 50
    assert len(region.carries) == 2


def test_batch_four_costs_four_times_as_much() -> None:
    one, four = (
        captured(lambda: Head(nn.LSTM(80, 256, 2), 256), (50, batch, 80)) for batch in (1, 4)
    )
    assert four.macs == 4 * one.macs
    assert len(four.regions) == len(one.regions) == 2


# --- what a region looks like ---


def test_the_input_product_stands_before_the_region() -> None:
    made = captured(lambda: nn.LSTM(8, 16), (5, 2, 8))
    product, region = made.items[:2]
    assert isinstance(product, Op)
    assert product.macs == 5 * 2 * 8 * 4 * 16
    assert isinstance(region, Region)
    recurrent, update = body_ops(region)
    assert recurrent.macs == 2 * 16 * 4 * 16
    assert update.kind == "elementwise"
    assert update.inputs[0].tensor == product.outputs[0].tensor
    assert update.inputs[0].advance == (2 * 4 * 16,)


def test_weights_are_invariants_of_the_region() -> None:
    (region,) = captured(lambda: nn.GRU(8, 16), (5, 2, 8)).regions
    assert [t.name for t in region.invariants] == ["weight_hh_l0", "bias_ih_l0", "bias_hh_l0.n"]
    (region,) = captured(lambda: nn.LSTM(8, 16), (5, 2, 8)).regions
    assert [t.name for t in region.invariants] == ["weight_hh_l0", "bias_ih_l0"]


@pytest.mark.parametrize(("kind", "count"), [(nn.LSTM, 2), (nn.GRU, 1), (nn.RNN, 1)])
def test_carried_tensors_are_state_and_start_at_zero(kind: type, count: int) -> None:
    (region,) = captured(lambda: kind(8, 16), (5, 2, 8)).regions
    assert len(region.carries) == count
    assert all(carry.state.role == "state" for carry in region.carries)
    assert all(carry.initial is None for carry in region.carries)


def test_a_given_initial_state_is_the_first_carry() -> None:
    (region,) = captured(lambda: nn.GRU(8, 16), (5, 2, 8), (1, 2, 16)).regions
    (carry,) = region.carries
    assert carry.initial is not None
    assert carry.initial.role == "input"


def test_the_initial_state_of_one_layer_of_two_is_moved_out_of_its_stack() -> None:
    made = captured(lambda: nn.GRU(8, 16, 2), (5, 2, 8), (2, 2, 16))
    initials = [region.carries[0].initial for region in made.regions]
    moved = {a.tensor for op, _ in made.ops() if op.kind == "move" for a in op.outputs}
    assert all(initial in moved for initial in initials)


def test_the_backward_direction_runs_through_time_in_reverse() -> None:
    forward, backward = captured(lambda: nn.GRU(8, 16, bidirectional=True), (5, 2, 8)).regions
    ahead, back = (body_ops(region)[-1] for region in (forward, backward))
    assert ahead.inputs[0].advance == (96,)
    assert back.inputs[0].advance == (-96,)
    assert back.inputs[0].offset == 4 * 96
    assert ahead.outputs[-1].tensor == back.outputs[-1].tensor
    assert back.outputs[-1].offset == 4 * 2 * 32 + 16
    assert back.outputs[-1].advance == (-64,)


def test_a_projection_adds_a_product_and_narrows_what_recurs() -> None:
    made = captured(lambda: nn.LSTM(8, 16, proj_size=4), (5, 2, 8))
    assert made.macs == formula(nn.LSTM, 8, 16, 4, 5, 2)
    (region,) = made.regions
    assert [carry.state.shape for carry in region.carries] == [(2, 4), (2, 16)]
    assert made.parameters == 64 * 8 + 64 * 4 + 4 * 16 + 2 * 64


def test_stacked_projections_feed_narrow_layers() -> None:
    made = captured(lambda: nn.LSTM(8, 16, 2, proj_size=4, bidirectional=True), (5, 2, 8))
    layers = [formula(nn.LSTM, width, 16, 4, 5, 2) for width in (8, 8)]
    assert made.macs == 2 * sum(layers)


def test_a_sequence_without_a_batch_axis_is_a_batch_of_one() -> None:
    plain, batched = (
        captured(lambda: nn.RNN(8, 16), (5, 8)),
        captured(lambda: nn.RNN(8, 16), (5, 1, 8)),
    )
    assert plain.macs == batched.macs


def test_final_states_that_nobody_reads_are_not_written() -> None:
    made = captured(lambda: Head(nn.LSTM(8, 16), 16), (5, 2, 8))
    assert not [op for op, _ in made.ops() if op.kind == "move"]


def test_results_of_single_steps_that_nobody_reads_are_not_written() -> None:
    class Last(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(8, 16)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.rnn(x)[1][0] * 2

    (region,) = captured(Last, (5, 2, 8)).regions
    assert not [a for op in body_ops(region) for a in op.outputs if a.advance]


@pytest.mark.parametrize("kind", [nn.LSTM, nn.RNN])
def test_one_of_two_biases_is_read_and_said_so(kind: type) -> None:
    made = captured(lambda: kind(8, 16), (5, 2, 8))
    read = {a.tensor.name for op, _ in made.ops() for a in op.inputs}
    assert "bias_ih_l0" in read
    assert not any("bias_hh" in name for name in read)
    assert "bias_hh_l0" in {tensor.name for tensor in made.tensors}
    (note,) = [note for note in made.notes if "one bias per gate" in note]
    assert "n gate" not in note


# --- the n gate of a GRU: n = tanh(W x + b + r (U h + c)) ---


def stored_and_read(made: Trace) -> int:
    """Bytes of all weights and constants that operators read, each once."""
    read = {a.tensor.name: a for op, _ in made.ops() for a in op.inputs}
    at_rest = [a for a in read.values() if a.tensor.role in ("weight", "constant")]
    assert all(access.bytes == access.tensor.bytes for access in at_rest)
    return sum(access.bytes for access in at_rest)


def test_the_biases_of_the_n_gate_of_a_gru_cannot_be_summed_those_of_the_others_can() -> None:
    torch.manual_seed(0)
    unit, x, h = nn.GRUCell(3, 4), torch.randn(2, 3), torch.randn(2, 4)
    expected = unit(x, h)
    for gates, is_same in ((slice(0, 8), True), (slice(8, 12), False)):
        moved = nn.GRUCell(3, 4)
        moved.load_state_dict(unit.state_dict())
        moved.bias_ih.data[gates] += moved.bias_hh.data[gates]
        moved.bias_hh.data[gates] = 0
        assert torch.allclose(moved(x, h), expected, atol=1e-6) == is_same


@pytest.mark.parametrize(
    ("kind", "gates", "vectors"), [(nn.LSTM, 4, 4), (nn.GRU, 3, 4), (nn.RNN, 1, 1)]
)
@pytest.mark.parametrize(("layers", "directions"), [(1, 1), (2, 1), (2, 2)])
def test_what_a_run_reads_is_matrices_and_biases_that_cannot_be_summed(
    kind: type, gates: int, vectors: int, layers: int, directions: int
) -> None:
    i, h = 5, 7
    made = captured(lambda: kind(i, h, layers, bidirectional=directions == 2), (4, 2, i))
    widths = [i] + [h * directions] * (layers - 1)
    read = sum(gates * h * (width + h) + vectors * h for width in widths) * directions
    assert stored_and_read(made) == 4 * read
    stored = sum(gates * h * (width + h) + 2 * gates * h for width in widths) * directions
    assert made.parameter_bytes == 4 * stored


def test_a_gru_without_biases_reads_none() -> None:
    made = captured(lambda: nn.GRU(5, 7, bias=False), (4, 2, 5))
    assert stored_and_read(made) == 4 * 3 * 7 * (5 + 7)
    assert not any("bias" in note for note in made.notes)


def test_a_gru_says_that_its_n_gate_keeps_two_biases() -> None:
    made = captured(lambda: nn.GRU(8, 16), (5, 2, 8))
    (note,) = [note for note in made.notes if "one bias per gate" in note]
    assert "but for the n gate" in note
    (second,) = [t for t in made.tensors if t.role == "constant"]
    assert (second.name, second.shape) == ("bias_hh_l0.n", (16,))


@pytest.mark.parametrize("policy", ["region", "none"])
def test_off_chip_and_on_chip_a_gru_moves_and_keeps_four_biases(policy: Policy) -> None:
    """edge-npu stores int8, and every value is fetched once if it stays, else at every step."""
    i, h, steps = 16, 32, 6
    made = captured(lambda: nn.GRU(i, h), (steps, 1, i))
    result = simulate(made, "edge-npu", residency=policy)
    times = steps if policy == "none" else 1
    assert result.offchip_bytes["weight"] == 3 * h * i + times * (3 * h * h + 3 * h)
    assert result.offchip_bytes["constant"] == times * h
    if policy == "region":
        kept = {name: size for name, size in held(result).items() if "hh" in name or "bias" in name}
        assert kept == {"weight_hh_l0": 3 * h * h, "bias_ih_l0": 3 * h, "bias_hh_l0.n": h}


def held(result: Result) -> dict[str, int]:
    """Bytes by tensor of all that stays on chip in a region."""
    return {stay.tensor.name: stay.bytes for stay in result.placement.stays}


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_a_plain_network_names_its_nonlinearity(nonlinearity: str) -> None:
    (region,) = captured(lambda: nn.RNN(8, 16, nonlinearity=nonlinearity), (5, 2, 8)).regions
    assert body_ops(region)[-1].functions[-1] == nonlinearity
