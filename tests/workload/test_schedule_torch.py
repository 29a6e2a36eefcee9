"""Captured models in both schedules: torch layers, scanned cells, loops in Python."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from test_schedule_values import results
from torch import nn
from torch_case import Call, meta, on_meta

from codesign.errors import TraceError
from codesign.workload.capture import trace
from codesign.workload.check import check_trace
from codesign.workload.record import Op, Region, Trace
from codesign.workload.schedule import hoist_projections, layer_major, time_major
from codesign.zoo import cells
from codesign.zoo.cell_loop import Recurrent, Windowed

STEPS, INPUTS, WIDTH = 12, 3, 4


def captured(build: Any, *shape: int) -> Trace:
    module = on_meta(build)
    return trace(module, (meta(*shape),))


def check_schedules(found: Trace, *chunks: int) -> None:
    """All schedules compute what the model computes."""
    expected = results(found)
    assert expected
    changed = [
        layer_major(found, chunk, hoist=hoist) for chunk in chunks for hoist in (True, False)
    ]
    for other in (*changed, time_major(found), hoist_projections(found)):
        check_trace(other)
        assert (other.macs, other.parameter_bytes) == (found.macs, found.parameter_bytes)
        computed = results(other)
        assert {name: computed[name] for name in expected} == expected


def reads(found: Trace) -> dict[str, int]:
    """Times that each weight is read as a whole."""
    totals: dict[str, int] = {}
    for op, times in found.ops():
        for access in op.inputs:
            if access.tensor.role == "weight":
                name = access.tensor.name
                totals[name] = totals.get(name, 0) + access.elements * times
    sizes = {tensor.name: tensor.elements for tensor in found.tensors}
    return {name: total // sizes[name] for name, total in totals.items()}


# -- layers of torch -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "batch", "batch_first"),
    [
        (nn.LSTM, 1, False),
        (nn.LSTM, 2, True),
        (nn.GRU, 2, False),
        (nn.GRU, 1, True),
        (nn.RNN, 2, True),
    ],
)
def test_a_layer_of_torch_is_scheduled(kind: Any, batch: int, batch_first: bool) -> None:
    shape = (batch, STEPS, INPUTS) if batch_first else (STEPS, batch, INPUTS)
    found = captured(lambda: kind(INPUTS, WIDTH, 2, batch_first=batch_first), *shape)
    check_schedules(found, 1, 3, 12)


def test_a_projected_lstm_is_scheduled() -> None:
    found = captured(lambda: nn.LSTM(INPUTS, 8, 3, proj_size=WIDTH), STEPS, 2, INPUTS)
    check_schedules(found, 4)
    times = reads(layer_major(found, 4))
    for layer in range(3):
        assert times[f"weight_ih_l{layer}"] == STEPS // 4
        for name in ("weight_hh", "weight_hr", "bias_ih"):
            assert times[f"{name}_l{layer}"] == STEPS


def test_a_given_state_starts_the_first_chunk() -> None:
    lstm = on_meta(lambda: nn.LSTM(INPUTS, WIDTH, 2))
    model = Call(lambda m, x, h, c: m.lstm(x, (h, c)), lstm=lstm)
    state = (meta(2, 1, WIDTH), meta(2, 1, WIDTH))
    found = trace(model, (meta(STEPS, 1, INPUTS), *state))
    check_schedules(found, 3)
    changed = layer_major(found, 3)
    (chunk,) = changed.regions
    assert all(carry.initial for carry in chunk.carries)
    # copies of the given state stand before the chunks, of the last one behind them
    at = changed.items.index(chunk)
    assert {item.name.split(".")[-1].split("_")[0] for item in changed.items[at + 1 :]} == {"final"}
    assert at > 0


def test_operators_around_layers_are_cut_with_them() -> None:
    def build() -> Any:
        return Call(
            lambda m, x: torch.softmax(m.head(m.norm(m.lstm(torch.relu(m.first(x)))[0])), -1),
            first=nn.Linear(INPUTS, 5),
            lstm=nn.LSTM(5, WIDTH),
            norm=nn.LayerNorm(WIDTH),
            head=nn.Linear(WIDTH, 7),
        )

    found = captured(build, STEPS, 2, INPUTS)
    check_schedules(found, 4, 6)
    changed = layer_major(found, 4)
    assert [type(item) for item in changed.items] == [Region]
    assert reads(changed)["first.weight"] == reads(changed)["head.weight"] == 3
    assert reads(time_major(found))["head.weight"] == STEPS


def test_the_last_output_may_feed_a_classifier() -> None:
    def build() -> Any:
        return Call(
            lambda m, x: m.head(m.lstm(x)[0][-1]),
            lstm=nn.LSTM(INPUTS, WIDTH),
            head=nn.Linear(WIDTH, 7),
        )

    found = captured(build, STEPS, 1, INPUTS)
    check_schedules(found, 4)
    *_, head = layer_major(found, 4).items
    assert isinstance(head, Op)
    assert head.module == "head"


def test_the_mean_over_time_may_feed_a_classifier() -> None:
    def build() -> Any:
        return Call(
            lambda m, x: m.head(m.lstm(x)[0].mean(0)),
            lstm=nn.LSTM(INPUTS, WIDTH),
            head=nn.Linear(WIDTH, 7),
        )

    found = captured(build, STEPS, 1, INPUTS)
    check_schedules(found, 4)
    assert [item.name for item in layer_major(found, 4).items][1:] == ["mean", "head.linear"]


def test_an_embedding_is_cut_into_lookups() -> None:
    def build() -> Any:
        return Call(
            lambda m, x: m.lstm(m.table(x))[0],
            table=nn.Embedding(50, INPUTS),
            lstm=nn.LSTM(INPUTS, WIDTH),
        )

    module = on_meta(build)
    found = trace(module, (torch.zeros(STEPS, 2, dtype=torch.int64, device="meta"),))
    check_schedules(found, 4)
    lookup = next(op for op, _ in layer_major(found, 4).ops() if op.kind == "gather")
    assert lookup.attribute("rows") == 8


# -- refusals ------------------------------------------------------------------------------------


def refusal(build: Any, *shape: int) -> str:
    found = captured(build, *shape)
    with pytest.raises(TraceError) as error:
        layer_major(found, 3)
    with pytest.raises(TraceError):
        time_major(found)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_bidirectional_layer_is_refused() -> None:
    text = refusal(lambda: nn.LSTM(INPUTS, WIDTH, bidirectional=True), STEPS, 1, INPUTS)
    assert text.startswith("layer0_reverse: must run forwards")


def test_attention_between_layers_is_refused() -> None:
    def forward(m: Any, x: Any) -> Any:
        h = m.first(x)[0]
        return m.second(nn.functional.scaled_dot_product_attention(h, h, h))[0]

    def build() -> Any:
        return Call(forward, first=nn.LSTM(INPUTS, WIDTH), second=nn.LSTM(WIDTH, WIDTH))

    assert "cannot be cut" in refusal(build, STEPS, 1, INPUTS)


@pytest.mark.parametrize("function", ["mean", "cumsum", "softmax", "flip", "roll"])
def test_what_mixes_steps_between_layers_is_refused(function: str) -> None:
    def mixed(h: Any) -> Any:
        if function == "mean":
            return h - h.mean(0, keepdim=True)
        if function == "roll":
            return torch.roll(h, 1, 0)
        return h.flip(0) if function == "flip" else getattr(torch, function)(h, dim=0)

    def build() -> Any:
        return Call(
            lambda m, x: m.second(mixed(m.first(x)[0]))[0],
            first=nn.LSTM(INPUTS, WIDTH),
            second=nn.LSTM(WIDTH, WIDTH),
        )

    refusal(build, STEPS, 2, INPUTS)


def test_a_convolution_over_time_before_a_layer_is_refused() -> None:
    def build() -> Any:
        return Call(
            lambda m, x: m.lstm(m.conv(x).permute(2, 0, 1))[0],
            conv=nn.Conv1d(INPUTS, 5, 3, padding=1),
            lstm=nn.LSTM(5, WIDTH),
        )

    assert "its windows reach into the next piece" in refusal(build, 1, INPUTS, STEPS)


def test_a_decoder_that_starts_from_the_end_is_refused() -> None:
    def build() -> Any:
        return Call(
            lambda m, x: m.decoder(x, m.encoder(x)[1])[0],
            encoder=nn.GRU(INPUTS, WIDTH),
            decoder=nn.GRU(INPUTS, WIDTH),
        )

    text = refusal(build, STEPS, 1, INPUTS)
    assert text.startswith("decoder.layer0: must")


# -- cells of the zoo ----------------------------------------------------------------------------

CELLS: dict[str, Any] = {
    "lstm": lambda inputs: cells.LSTM(inputs, WIDTH),
    "lstm of blocks": lambda inputs: cells.LSTM(inputs, WIDTH, blocks=2),
    "lstm of rank": lambda inputs: cells.LSTM(inputs, WIDTH, rank=2),
    "cifg": lambda inputs: cells.CIFG(inputs, WIDTH),
    "projected": lambda inputs: cells.ProjectedLSTM(inputs, 8, WIDTH),
    "gru": lambda inputs: cells.GRU(inputs, WIDTH),
    "ligru": lambda inputs: cells.LiGRU(inputs, WIDTH),
    "sru": lambda inputs: cells.SRU(inputs, WIDTH),
    "qrnn": lambda inputs: cells.QRNN(inputs, WIDTH),
    "mingru": lambda inputs: cells.MinGRU(inputs, WIDTH),
}
LEAVING = ("cell.input.weight", "layer.cell.weight")
"""Matrices that see the input alone; the last one is that of the convolution of a QRNN."""


def layer_of(kind: str, inputs: int, batch: int) -> Any:
    cell = CELLS[kind](inputs)
    layer = Recurrent(cell, cell.initial(batch))
    return Windowed(layer, torch.zeros(1, batch, inputs)) if kind == "qrnn" else layer


class Reduced(nn.Module):  # type: ignore[misc]  # torch is untyped
    """Two layers with a time reduction between them and a head."""

    def __init__(self, kind: str, batch: int) -> None:
        super().__init__()
        self.low = layer_of(kind, INPUTS, batch)
        self.high = layer_of(kind, 2 * WIDTH, batch)
        self.head = nn.Linear(WIDTH, 5)

    def forward(self, x: Any) -> Any:
        y = self.low(x).unflatten(0, (-1, 2)).transpose(1, 2).flatten(2)
        return self.head(self.high(y))


def check_reads(found: Trace, leaving: int) -> None:
    """Input matrices are read once a chunk, heads too, all else at every step."""
    before, after = reads(found), reads(layer_major(found, 4))
    left = [name for name in before if name.endswith(LEAVING)]
    assert len(left) == leaving
    for name, times in before.items():
        if name.startswith("head"):
            assert (times, after[name]) == (1, STEPS // 4)
        else:
            assert after[name] == (STEPS // 4 if name in left else times)


# capturing a scan takes seconds, so that each cell is captured once
@pytest.mark.parametrize("kind", CELLS)
def test_every_cell_of_the_zoo_is_scheduled(kind: str) -> None:
    found = captured(lambda: layer_of(kind, INPUTS, 2), STEPS, 2, INPUTS)
    check_schedules(found, 4)
    check_reads(found, 1)


@pytest.mark.parametrize(("kind", "batch"), [("cifg", 2), ("gru", 1), ("qrnn", 2)])
def test_layers_with_time_reduction_are_scheduled(kind: str, batch: int) -> None:
    found = captured(lambda: Reduced(kind, batch), STEPS, batch, INPUTS)
    check_schedules(found, 4)
    check_reads(found, 2)


def test_a_windowed_layer_remembers_its_past_after_the_chunks() -> None:
    changed = layer_major(captured(lambda: layer_of("qrnn", INPUTS, 1), STEPS, 1, INPUTS), 4)
    first, chunk, *rest = changed.items
    assert isinstance(first, Op)
    assert isinstance(chunk, Region)
    assert first.inputs[0].tensor.name == "past"
    written = {a.tensor.name for item in rest if isinstance(item, Op) for a in item.outputs}
    assert "past" in written


# -- loops in Python -----------------------------------------------------------------------------


class Steps(nn.Module):  # type: ignore[misc]  # torch is untyped
    """Two cells and a head in one loop in Python."""

    def __init__(self) -> None:
        super().__init__()
        self.low, self.high = nn.LSTMCell(INPUTS, WIDTH), nn.GRUCell(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, 5)

    def forward(self, x: Any) -> Any:
        h, c, g = (torch.zeros(x.shape[1], WIDTH, device=x.device) for _ in range(3))
        rows = []
        for t in range(x.shape[0]):
            h, c = self.low(x[t], (h, c))
            g = self.high(h, g)
            rows.append(self.head(g))
        return torch.stack(rows)


@pytest.mark.parametrize("batch", [1, 2])
def test_a_loop_in_python_is_scheduled_layer_by_layer(batch: int) -> None:
    found = captured(Steps, STEPS, batch, INPUTS)
    assert len(found.regions) == 1
    check_schedules(found, 1, 3, 12)
    after = reads(layer_major(found, 3))
    once = ("low.weight_ih", "high.weight_ih", "head.weight", "head.bias")
    assert {name: after[name] for name in once} == dict.fromkeys(once, 4)
    assert after["low.weight_hh"] == after["high.weight_hh"] == after["low.bias_ih"] == STEPS
