"""Any cell runs over time as one loop, keeps its state, and is captured as one region."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from torch import nn
from zoo_case import captured, randomise

from codesign.models import resolve_model
from codesign.workload.check import check_trace
from codesign.workload.record import Region, Trace, iterate
from codesign.zoo import cell_models
from codesign.zoo.cell_loop import Recurrent, Stateful, Windowed, over_time
from codesign.zoo.cells import CIFG, GRU, LSTM, QRNN, SRU, LiGRU, MinGRU, ProjectedLSTM

BATCH, INPUTS, WIDTH, STEPS = 2, 5, 6, 8
CELLS: dict[str, Any] = {
    "lstm": lambda: LSTM(INPUTS, WIDTH),
    "cifg blocks": lambda: CIFG(INPUTS, WIDTH, blocks=2),
    "projected": lambda: ProjectedLSTM(INPUTS, WIDTH, 4),
    "gru": lambda: GRU(INPUTS, WIDTH),
    "gru rank": lambda: GRU(INPUTS, WIDTH, rank=2),
    "ligru": lambda: LiGRU(INPUTS, WIDTH, blocks=3),
    "sru": lambda: SRU(INPUTS, WIDTH),
    "mingru": lambda: MinGRU(INPUTS, WIDTH),
}


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def region_of(trace: Trace) -> Region:
    (region,) = trace.regions
    return region


# -- in torch ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CELLS)
def test_two_chunks_in_a_loop_give_what_the_cell_gives_step_by_step(name: str) -> None:
    cell = randomise(CELLS[name]())
    sequence, state = torch.randn(STEPS, BATCH, INPUTS), cell.initial(BATCH)
    loop = Recurrent(cell, state)
    expected = []
    with torch.no_grad():
        for x in sequence:
            output, state = cell(x, state)
            expected.append(output)
        got = torch.cat([loop(sequence[:2]), loop(sequence[2:])])
    torch.testing.assert_close(got, torch.stack(expected))
    torch.testing.assert_close(loop.state, state)
    assert not torch.equal(expected[0], expected[1])


@pytest.mark.parametrize("name", CELLS)
def test_calls_of_one_step_keep_the_state(name: str) -> None:
    cell = randomise(CELLS[name]())
    one, state = Stateful(cell, cell.initial(BATCH)), cell.initial(BATCH)
    with torch.no_grad():
        for x in torch.randn(STEPS, BATCH, INPUTS):
            output, state = cell(x, state)
            torch.testing.assert_close(one(x), output)
    torch.testing.assert_close(one.state, state)


def test_a_loop_starts_from_the_state_it_is_given_and_returns_the_last() -> None:
    cell = randomise(GRU(INPUTS, WIDTH))
    state = (torch.randn(BATCH, WIDTH),)
    sequence = torch.randn(1, BATCH, INPUTS)
    with torch.no_grad():
        outputs, last = over_time(cell, sequence, state)
        expected, after = cell(sequence[0], state)
    torch.testing.assert_close((outputs[0], *last), (expected, *after))


def test_two_layers_that_start_from_one_tensor_keep_their_own_state() -> None:
    cell, state = GRU(INPUTS, WIDTH), (torch.zeros(BATCH, WIDTH),)
    first, second = (Stateful(cell, state) for _ in range(2))
    with torch.no_grad():
        first(torch.randn(BATCH, INPUTS))
    assert first.state[0].any()
    assert not second.state[0].any()
    assert not state[0].any()


def test_the_state_is_kept_in_buffers_and_is_no_parameter() -> None:
    layer = Recurrent(LSTM(INPUTS, WIDTH), LSTM(INPUTS, WIDTH).initial(BATCH))
    assert [name for name, _ in layer.named_buffers()] == ["state0", "state1"]
    assert not [name for name in layer.state_dict() if name.startswith("state")]


@pytest.mark.parametrize("window", [1, 2, 3])
def test_windows_are_a_causal_convolution_over_time(window: int) -> None:
    cell = randomise(QRNN(INPUTS, WIDTH, window))
    layer = Windowed(Recurrent(cell, cell.initial(BATCH)), torch.zeros(window - 1, BATCH, INPUTS))
    sequence = torch.randn(STEPS, BATCH, INPUTS)
    filters = cell.weight.flatten(0, 1).permute(0, 2, 1)
    padded = nn.functional.pad(sequence.permute(1, 2, 0), (window - 1, 0))
    sums = nn.functional.conv1d(padded, filters).permute(2, 0, 1).unflatten(-1, (3, -1))
    memory = torch.zeros(BATCH, WIDTH)
    expected = []
    for z, f, o in (step.unbind(1) for step in sums):
        memory = f.sigmoid() * memory + (1 - f.sigmoid()) * z.tanh()
        expected.append(o.sigmoid() * memory)
    with torch.no_grad():
        got = torch.cat([layer(sequence[:3]), layer(sequence[3:])])
    torch.testing.assert_close(got, torch.stack(expected))


# -- a cell of the user --------------------------------------------------------------------------


class Handing(nn.Module):  # type: ignore[misc]  # torch is untyped
    """Hands its input and one state on unchanged: both are the next state as well."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(INPUTS, INPUTS, bias=False)

    def forward(self, x: Any, state: Any) -> tuple[Any, Any]:
        last, before = state
        return torch.tanh(self.mix(last) + before), (x, last)


class Single(nn.Module):  # type: ignore[misc]  # torch is untyped
    """A cell of PyTorch whose state is one tensor, and its output."""

    def __init__(self) -> None:
        super().__init__()
        self.unit = nn.GRUCell(INPUTS, INPUTS)

    def forward(self, x: Any, h: Any) -> tuple[Any, Any]:
        h = self.unit(x, h)
        return h, h


class Nested(nn.Module):  # type: ignore[misc]  # torch is untyped
    """A state of nested tuples, one part of it a matrix."""

    def forward(self, x: Any, state: Any) -> tuple[Any, Any]:
        h, (memory,) = state
        memory = memory + x[:, :, None] * h[:, None, :]
        return memory.sum(-1), (h + x, (memory,))


def zeros(*shape: int) -> Any:
    return torch.zeros(BATCH, *shape)


USERS: dict[str, Any] = {
    "handing": lambda: (Handing(), (zeros(INPUTS), zeros(INPUTS))),
    "single": lambda: (Single(), zeros(INPUTS)),
    "nested": lambda: (Nested(), (zeros(INPUTS), (zeros(INPUTS, INPUTS),))),
}


@pytest.mark.parametrize("name", USERS)
def test_a_cell_of_the_user_runs_over_time(name: str) -> None:
    cell, state = USERS[name]()
    loop, one = Recurrent(cell, state), Stateful(cell, state)
    sequence = torch.randn(STEPS, BATCH, INPUTS)
    with torch.no_grad():
        torch.testing.assert_close(torch.stack([one(x) for x in sequence]), loop(sequence))
    torch.testing.assert_close(one.state, loop.state)


@pytest.mark.parametrize(("name", "states"), [("handing", 2), ("single", 1), ("nested", 2)])
def test_a_cell_of_the_user_is_captured_as_one_region(name: str, states: int) -> None:
    region = region_of(
        captured(lambda: (Recurrent(*USERS[name]()), (torch.empty(STEPS, BATCH, INPUTS),)))
    )
    assert region.steps == STEPS
    assert len(region.carries) == states
    kept = {f"state{index}" for index in range(states)}
    assert {carry.initial.name for carry in region.carries if carry.initial} == kept


def test_a_step_of_a_user_cell_may_exchange_its_states() -> None:
    class Exchange(nn.Module):  # type: ignore[misc]  # torch is untyped
        def forward(self, x: Any, state: Any) -> tuple[Any, Any]:
            return x + state[0], (state[1], state[0])

    one = Stateful(Exchange(), (torch.zeros(1), torch.ones(1)))
    assert [float(one(torch.zeros(1))) for _ in range(4)] == [0.0, 1.0, 0.0, 1.0]


# -- captured ------------------------------------------------------------------------------------

MODELS = ("lstm", "lstm_projected", "cifg", "gru", "ligru", "sru", "qrnn", "mingru")
W, P = cell_models.WIDTH, cell_models.PROJECTED_WIDTH
MACS = {
    "lstm": 4 * W * (W + W),
    "lstm_projected": 4 * P * (W + W) + W * P,
    "cifg": 3 * W * (W + W),
    "gru": 3 * W * (W + W),
    "ligru": 2 * W * (W + W),
    "sru": 3 * W * W,
    "qrnn": 3 * W * 2 * W,
    "mingru": 2 * W * W,
}
"""Of one step: from the equations, matrices only."""
HOISTED = {
    "lstm": 4 * W * W,
    "lstm_projected": 4 * P * W,
    "cifg": 3 * W * W,
    "gru": 3 * W * W,
    "ligru": 2 * W * W,
    "sru": 3 * W * W,
    "qrnn": 6 * W * W,
    "mingru": 2 * W * W,
}
"""Elements of the matrices that see the input alone: a schedule may take their product out."""


@cache
def layer(name: str, batch: int) -> Trace:
    found = resolve_model(f"cell_{name}", batch=batch, steps=STEPS)
    check_trace(found)
    return found


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("name", MODELS)
def test_a_zoo_cell_counts_the_macs_of_its_equations_at_every_step(name: str, batch: int) -> None:
    assert layer(name, batch).macs == batch * STEPS * MACS[name]
    assert region_of(layer(name, batch)).steps == STEPS


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("name", MODELS)
def test_one_product_of_a_step_reads_the_sequence_and_weights_alone(name: str, batch: int) -> None:
    region = region_of(layer(name, batch))
    products = [op for op, _ in iterate(region.body) if op.kind == "contraction"]
    free = [
        op
        for op in products
        if all(access.advance or access.tensor.role == "weight" for access in op.inputs)
    ]
    assert len(free) == 1
    assert free[0].inputs[1].tensor.elements == HOISTED[name]


@pytest.mark.parametrize("name", MODELS)
def test_every_weight_of_a_zoo_cell_is_read_once_a_step(name: str) -> None:
    trace = layer(name, 1)
    read = [
        access.tensor.name
        for op, times in trace.ops()
        for access in op.inputs
        if access.tensor.role == "weight" and times == STEPS
    ]
    covered: dict[str, int] = {}
    for op, _ in iterate(region_of(trace).body):
        for access in op.inputs:
            if access.tensor.role == "weight":
                covered[access.tensor.name] = covered.get(access.tensor.name, 0) + access.elements
    assert set(read) == set(covered)
    assert covered == {t.name: t.elements for t in trace.tensors if t.role == "weight"}
