"""The transducer in torch, and the traces written without it: the same operators, to the byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import nn
from zoo_case import captured, randomise

from codesign.workload import view
from codesign.workload.nest import LoopNest
from codesign.workload.record import Access, Item, Op, Region, Trace, iterate
from codesign.zoo import rnnt
from codesign.zoo.cell_loop import Recurrent
from codesign.zoo.cells import ProjectedLSTM
from codesign.zoo.rnnt import Encoder, Joiner, Prediction, cell_of
from codesign.zoo.transducer import PRESETS, Transducer

SMALL = Transducer(
    features=20,
    layers=2,
    width=32,
    strides=(0,),
    embedding=16,
    prediction_width=24,
    joint=40,
    vocabulary=30,
)
MODELS: dict[str, Transducer] = {
    "lstm, strides 0 and 1": replace(SMALL, layers=3, strides=(0, 1)),
    "cifg of 2 blocks": replace(
        SMALL, cell="cifg", blocks=2, prediction_cell="cifg", prediction_layers=1
    ),
    "rank 8, stride at the end": replace(SMALL, rank=8, strides=(1,)),
    "projected, 2 blocks, no stride": replace(
        SMALL,
        cell="lstm_projected",
        projection=16,
        blocks=2,
        strides=(),
        prediction_cell="lstm_projected",
        prediction_projection=12,
    ),
}
STEPS = 8
"""Enough for two steps of the last layer of each."""
each_model = pytest.mark.parametrize("name", MODELS)
each_batch = pytest.mark.parametrize("batch", [1, 2])


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


# -- in torch ------------------------------------------------------------------------------------


def test_the_encoder_keeps_its_state_from_one_chunk_to_the_next() -> None:
    whole = randomise(Encoder(replace(SMALL, width=6), batch=1))
    halves = Encoder(replace(SMALL, width=6), batch=1).eval()
    halves.load_state_dict(whole.state_dict())
    frames = torch.randn(8, 1, SMALL.features)
    with torch.no_grad():
        expected = whole(frames)
        got = torch.cat([halves(frames[:4]), halves(frames[4:])])
    torch.testing.assert_close(got, expected)
    assert not torch.equal(expected[0], expected[1])


def test_time_reduction_puts_a_pair_of_steps_side_by_side() -> None:
    model = randomise(Encoder(replace(SMALL, width=6, strides=(0, 1)), batch=2))
    frames = torch.randn(4, 2, SMALL.features)
    first, second = (Recurrent(layer.cell, layer.cell.initial(2)) for layer in model.encoder)
    with torch.no_grad():
        got = model(frames)
        steps = first(frames)
        pairs = torch.stack([torch.cat([steps[n], steps[n + 1]], -1) for n in (0, 2)])
        halved = second(pairs)
    torch.testing.assert_close(got, torch.cat([halved[0], halved[1]], -1)[None])


def test_the_prediction_network_keeps_its_state_from_token_to_token() -> None:
    model = randomise(Prediction(SMALL, batch=1))
    token = torch.tensor([3])
    with torch.no_grad():
        once, again = model(token), model(token)
    assert once.shape == (1, 24)
    assert not torch.equal(once, again)


def test_the_joiner_scores_every_token() -> None:
    model = randomise(Joiner(SMALL))
    frame, prediction = torch.randn(2, 32), torch.randn(2, 24)
    with torch.no_grad():
        joined = frame @ model.join_encoder.weight.T + model.join_encoder.bias
        joined = joined + prediction @ model.join_prediction.weight.T
        expected = model.join_output(joined.tanh())
        torch.testing.assert_close(model(frame, prediction), expected)


@each_model
def test_the_torch_modules_store_what_the_numbers_say(name: str) -> None:
    model = MODELS[name]
    with torch.device("meta"):
        modules = (Encoder(model, 1), Prediction(model, 1), Joiner(model))
    stored = sum(weight.numel() for part in modules for weight in part.parameters())
    assert stored == model.parameters


def test_as_modules_of_pytorch_the_projected_model_stores_two_biases() -> None:
    google = PRESETS["rnnt_google_2019"]
    biases = stored = 0
    with torch.device("meta"):
        for cell in (*google.encoder_cells, *google.prediction_cells):
            assert isinstance(cell_of(cell), ProjectedLSTM)
            twin = nn.LSTM(cell.inputs, cell.width, proj_size=cell.projection)
            stored += sum(weight.numel() for weight in twin.parameters())
            biases += twin.bias_hh_l0.numel()
    cells = sum(cell.parameters for cell in (*google.encoder_cells, *google.prediction_cells))
    assert stored - biases == cells
    assert google.parameters - cells + stored == 119_870_080


# -- the traces written without torch ------------------------------------------------------------


@cache
def twin(part: str, name: str, batch: int) -> Trace:
    if part == "encoder":
        return captured(rnnt.encoder, batch, STEPS, MODELS[name])
    return captured(rnnt.prediction, batch, MODELS[name])


def written(part: str, name: str, batch: int) -> Trace:
    if part == "encoder":
        return MODELS[name].encoder(STEPS, batch=batch)
    return MODELS[name].prediction(batch=batch)


def place(access: Access) -> tuple[object, ...]:
    """What a view touches, by name where the name is given by the model."""
    tensor, runs = access.tensor, tuple(view.chunks(access))
    is_named = tensor.role == "weight" or ".state" in tensor.name
    identity = tensor.name if is_named else tensor.role
    return identity, tensor.role, tensor.dtype, runs, access.offset, access.advance


@dataclass(frozen=True)
class Signature:
    """All that a plan and a replay see of an operator."""

    kind: str
    functions: tuple[str, ...]
    attributes: tuple[object, ...]
    nest: LoopNest | None
    inputs: tuple[tuple[object, ...], ...]
    outputs: tuple[tuple[object, ...], ...]


def signature(op: Op) -> Signature:
    inputs, outputs = map(place, op.inputs), map(place, op.outputs)
    return Signature(op.kind, op.functions, op.attributes, op.nest, tuple(inputs), tuple(outputs))


def bodies(trace: Trace) -> list[list[Signature]]:
    return [[signature(op) for op, _ in iterate(region.body)] for region in trace.regions]


def once(items: tuple[Item, ...]) -> Iterator[Op]:
    return (item for item in items if isinstance(item, Op))


@pytest.mark.parametrize("batch", [1, pytest.param(2, marks=pytest.mark.nightly)])
@each_model
def test_a_step_of_a_written_encoder_is_that_of_its_twin_operator_by_operator(
    name: str, batch: int
) -> None:
    ours, theirs = written("encoder", name, batch), twin("encoder", name, batch)
    assert bodies(ours) == bodies(theirs)
    assert all(len(body) >= 5 for body in bodies(ours))


@each_batch
@each_model
def test_a_written_encoder_carries_what_its_twin_carries(name: str, batch: int) -> None:
    def loops(trace: Trace) -> list[object]:
        return [
            (
                (region.module, region.steps),
                [(carry.state.shape, carry.update.shape) for carry in region.carries],
                [carry.initial.name for carry in region.carries if carry.initial],
            )
            for region in trace.regions
        ]

    assert loops(written("encoder", name, batch)) == loops(twin("encoder", name, batch))


@each_batch
@each_model
def test_outside_its_loops_a_written_encoder_only_saves_a_second_copy_of_the_state(
    name: str, batch: int
) -> None:
    """A capture moves the last state out of a loop and then into the buffer, we move it once."""
    ours, theirs = (
        Counter(map(signature, once(trace(part, name, batch).items)))
        for part, trace in (("encoder", written), ("encoder", twin))
    )
    assert not ours - theirs
    extra = theirs - ours
    assert extra.total() == 2 * MODELS[name].layers
    assert {one.kind for one in extra} == {"move"}
    for one in extra:
        assert [identity for identity, *_ in (*one.inputs, *one.outputs)] == ["activation"] * 2


@each_batch
@each_model
def test_a_written_token_is_that_of_its_twin_operator_by_operator(name: str, batch: int) -> None:
    ours, theirs = (
        [signature(op) for op in once(trace("prediction", name, batch).items)]
        for trace in (written, twin)
    )
    assert ours == theirs
    assert len(ours) > 5


@each_batch
@each_model
@pytest.mark.parametrize("part", ["encoder", "prediction"])
def test_written_and_captured_traces_agree_in_every_total(part: str, name: str, batch: int) -> None:
    ours, theirs = written(part, name, batch), twin(part, name, batch)
    assert ours.macs == theirs.macs
    assert ours.parameter_bytes == theirs.parameter_bytes
    for role in ("weight", "input"):
        assert {t for t in ours.tensors if t.role == role} == {
            t for t in theirs.tensors if t.role == role
        }


@each_model
def test_weight_bytes_read_by_each_component_agree(name: str) -> None:
    def read(trace: Trace) -> dict[str, int]:
        found: dict[str, int] = {}
        for op, times in trace.ops():
            component = ".".join(op.module.split(".")[: 1 if "embedding" in op.module else 2])
            bytes_ = sum(a.bytes for a in op.inputs if a.tensor.role == "weight")
            found[component] = found.get(component, 0) + times * bytes_
        found.pop("", None)  # the copies into the state at the end of a captured trace
        return found

    for part in ("encoder", "prediction"):
        ours = read(written(part, name, 1))
        assert ours == read(twin(part, name, 1))
        assert all(ours.values())


class JoinOutput(nn.Module):  # type: ignore[misc]  # torch is untyped
    """The part of the joiner that runs per frame and per token, as a module of its own."""

    def __init__(self, joiner: Any) -> None:
        super().__init__()
        self.join_output = joiner.join_output

    def forward(self, joined_encoder: Any, joined_prediction: Any) -> Any:
        return self.join_output(torch.tanh(joined_encoder + joined_prediction))


class One(nn.Module):  # type: ignore[misc]  # torch is untyped
    """One layer of the joiner, under its name."""

    def __init__(self, name: str, layer: Any) -> None:
        super().__init__()
        self.add_module(name, layer)
        self.layer = layer

    def forward(self, x: Any) -> Any:
        return self.layer(x)


@each_batch
@pytest.mark.parametrize("part", ["join_encoder", "join_prediction", "join_output"])
def test_a_written_part_of_the_joiner_is_that_of_its_twin(part: str, batch: int) -> None:
    cases: dict[str, tuple[list[tuple[int, ...]], Trace]] = {
        "join_encoder": ([(3, batch, 32)], SMALL.join_encoder(frames=3, batch=batch)),
        "join_prediction": ([(batch, 24)], SMALL.join_prediction(batch=batch)),
        "join_output": ([(batch, 40)] * 2, SMALL.join_output(batch=batch)),
    }
    shapes, ours = cases[part]

    def build() -> Any:
        joiner = Joiner(SMALL)
        module = JoinOutput(joiner) if part == "join_output" else One(part, getattr(joiner, part))
        return module, tuple(torch.empty(shape) for shape in shapes)

    theirs = captured(build)
    assert [signature(op) for op, _ in ours.ops()] == [signature(op) for op, _ in theirs.ops()]
    assert ours.macs == theirs.macs
    assert ours.parameter_bytes == theirs.parameter_bytes


def test_the_three_written_parts_have_the_macs_of_the_whole_joiner() -> None:
    whole = captured(rnnt.joiner, 1, SMALL)
    ours = [SMALL.join_encoder(), SMALL.join_prediction(), SMALL.join_output()]
    assert sum(trace.macs for trace in ours) == whole.macs
    assert sum(trace.parameters for trace in ours) == whole.parameters


def test_a_loop_takes_its_product_with_the_input_alone() -> None:
    for region in twin("encoder", "cifg of 2 blocks", 1).regions:
        assert isinstance(region, Region)
        first, second = [op for op, _ in iterate(region.body) if op.kind == "contraction"]
        assert first.functions == ()
        assert second.functions == ("add", "add")
        roles = [access.tensor.role for access in second.inputs]
        assert roles == ["state", "weight", "activation", "weight"]
