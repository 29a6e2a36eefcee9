"""The streaming transducer: weight traffic of both schedules, to the byte.

The figures are those of 2 s of audio: 200 steps of 10 ms, 25 chunks of 80 ms, 50 frames of 40 ms.
Layers 0 and 1 are followed by a time reduction. The 8 x 640 LSTM stores one byte per parameter:
an input matrix of 4 x 640 x inputs, and a recurrent set of 4 x 640 x 640 + 3 x 4 x 640 bytes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign import load_hardware
from codesign.mapping.place import place
from codesign.models import resolve_model
from codesign.workload.check import check_trace
from codesign.workload.file import load_trace, save_trace
from codesign.workload.precision import with_precision
from codesign.workload.record import Item, Op, Region, Tensor, Trace, iterate
from codesign.workload.schedule import layer_major, time_major

STEPS, CHUNKS, LAYERS = 200, 25, 8
RECURRENT = 4 * 640 * 640 + 3 * 4 * 640
INPUTS = (80, 1280, 1280, 640, 640, 640, 640, 640)
CHUNK_STEPS = (8, 4, 2, 2, 2, 2, 2, 2)
FRAME_BY_FRAME = 964_864_000
PER_CHUNK = (13_373_440, 9_861_120, 6_568_960, *[4_930_560] * 5)


@pytest.fixture(scope="module")
def encoder() -> Trace:
    return with_precision(resolve_model("rnnt_8x640_encoder", steps=STEPS), "int8")


@pytest.fixture(scope="module")
def chunked(encoder: Trace) -> Trace:
    return layer_major(encoder, 8)


@pytest.fixture(scope="module")
def framed(encoder: Trace) -> Trace:
    return time_major(encoder)


def layer_of(name: str) -> int:
    """The number of the layer that something belongs to."""
    return next(int(part) for part in name.split(".") if part.isdigit())


def weight_bytes(trace: Trace) -> list[int]:
    """Bytes of weights read by each layer, if every read counts."""
    found = [0] * LAYERS
    for op, times in trace.ops():
        for access in op.inputs:
            if access.tensor.role == "weight":
                found[layer_of(access.tensor.name)] += access.bytes * times
    return found


def tensors(trace: Trace) -> dict[str, Tensor]:
    return {tensor.name: tensor for tensor in trace.tensors}


def regions(items: tuple[Item, ...]) -> list[Region]:
    return [item for item in items if isinstance(item, Region)]


def test_frame_by_frame_every_step_reads_every_weight(framed: Trace, encoder: Trace) -> None:
    assert sum(weight_bytes(framed)) == 2 * FRAME_BY_FRAME
    assert weight_bytes(framed) == weight_bytes(encoder)


def test_a_chunk_reads_input_matrices_once_and_recurrent_sets_at_every_step(
    chunked: Trace,
) -> None:
    expected = [
        4 * 640 * inputs + steps * RECURRENT
        for inputs, steps in zip(INPUTS, CHUNK_STEPS, strict=True)
    ]
    assert tuple(expected) == PER_CHUNK
    assert weight_bytes(chunked) == [CHUNKS * size for size in expected]


@pytest.mark.parametrize("chunk", [4, 8, 20, 40, 200])
def test_the_chunk_sets_how_often_input_matrices_are_read(encoder: Trace, chunk: int) -> None:
    count = STEPS // chunk
    recurrent = sum(STEPS * n // 8 for n in CHUNK_STEPS) * RECURRENT
    assert sum(weight_bytes(layer_major(encoder, chunk))) == recurrent + count * sum(
        4 * 640 * inputs for inputs in INPUTS
    )


def test_work_and_stored_weights_stay(encoder: Trace, chunked: Trace, framed: Trace) -> None:
    for changed in (chunked, framed):
        check_trace(changed)
        assert changed.macs == encoder.macs
        assert changed.parameter_bytes == encoder.parameter_bytes


def test_a_chunk_is_the_layers_in_order_each_behind_one_product(chunked: Trace) -> None:
    (chunk,) = regions(chunked.items)
    assert chunk.steps == CHUNKS
    assert len(chunk.body) == 2 * LAYERS
    for number, steps in enumerate(CHUNK_STEPS):
        product, loop = chunk.body[2 * number : 2 * number + 2]
        assert isinstance(product, Op)
        assert isinstance(loop, Region)
        assert product.gemm == (1, steps, INPUTS[number], 2560)
        assert product.functions == ()
        assert [layer_of(product.name), layer_of(loop.name), loop.steps] == [number, number, steps]


def test_a_step_is_one_matrix_vector_product_with_both_sums_behind_it(chunked: Trace) -> None:
    (chunk,) = regions(chunked.items)
    for loop in regions(chunk.body):
        products = [op for op, _ in iterate(loop.body) if op.kind == "contraction"]
        assert [op.gemm for op in products] == [(1, 1, 640, 2560)]
        assert products[0].functions == ("add", "add")
        roles = [access.tensor.role for access in products[0].inputs]
        assert roles == ["state", "weight", "activation", "weight"]


def test_state_goes_from_chunk_to_chunk_through_the_chunk(chunked: Trace, encoder: Trace) -> None:
    (chunk,) = regions(chunked.items)
    before = {c.update.name: c for region in encoder.regions for c in region.carries}
    assert {carry.update.name for carry in chunk.carries} == before.keys()
    inner = {c.update.name: c for region in regions(chunk.body) for c in region.carries}
    for carry in chunk.carries:
        name = carry.update.name
        assert carry.initial == before[name].initial
        assert carry.state.role == "state"
        assert carry.state.shape == before[name].state.shape
        assert inner[name] == before[name].__class__(before[name].state, carry.update, carry.state)


def test_sequences_between_layers_take_the_room_of_a_chunk(
    encoder: Trace, chunked: Trace, framed: Trace
) -> None:
    sequences = [
        access.tensor.name
        for region in encoder.regions[:-1]
        for op, _ in iterate(region.body)
        for access in op.outputs
        if access.advance
    ]
    assert len(sequences) == LAYERS - 1
    whole, chunk, frame = (
        [tensors(trace)[name].shape[0] for name in sequences]
        for trace in (encoder, chunked, framed)
    )
    assert whole == [200, 100, 50, 50, 50, 50, 50]
    assert chunk == [8, 4, 2, 2, 2, 2, 2]
    # layer 0 and 1 hand on within half a frame and a frame
    assert frame == [2, 2, 1, 1, 1, 1, 1]


def test_a_frame_nests_by_rate(framed: Trace) -> None:
    (frame,) = regions(framed.items)
    assert frame.steps == 50
    (half,) = regions(frame.body)
    (quarter,) = regions(half.body)
    assert (half.steps, quarter.steps) == (2, 2)
    assert frame.body[0] == half
    layers = [
        layer_of(op.name)
        for items, turns in ((quarter.body, 2), (half.body[1:], 1))
        for op in [op for op in items if isinstance(op, Op)][:1]
        for _ in range(turns)
    ]
    assert layers == [0, 0, 1]
    later = [layer_of(op.name) for op in frame.body if isinstance(op, Op)]
    assert list(dict.fromkeys(later)) == [2, 3, 4, 5, 6, 7]


def test_the_end_of_the_utterance_comes_after_the_chunks(chunked: Trace, encoder: Trace) -> None:
    copies = [item.name for item in encoder.items if isinstance(item, Op)]
    assert [item.name for item in chunked.items[1:]] == copies


def test_the_price_of_a_chunk_is_noted(chunked: Trace, encoder: Trace) -> None:
    fastest, slowest = encoder.regions[0].name, encoder.regions[2].name
    assert chunked.notes[-1] == (
        f"layer-major schedule of 25 chunks of 8 steps of {fastest!r}: a step waits for up to 7 "
        f"others (mean 3.5), a result of {slowest!r} is up to 4 steps (mean 2) behind frame by "
        "frame"
    )


def test_the_frames_are_noted(framed: Trace) -> None:
    assert framed.notes[-1] == (
        "time-major schedule of 50 frames: each goes through all layers before the next"
    )


@pytest.mark.parametrize("residency", ["region", "none"])
def test_both_schedules_can_be_placed(chunked: Trace, framed: Trace, residency: str) -> None:
    hardware = load_hardware("edge-npu")
    for trace in (chunked, framed):
        placed = place(trace, hardware, residency)
        runs = sum(times for one, times in placed.assignments() if one.op.kind == "contraction")
        expected = sum(times for op, times in trace.ops() if op.kind == "contraction")
        assert runs == expected


def test_both_schedules_survive_a_file(chunked: Trace, framed: Trace, tmp_path: Path) -> None:
    for number, trace in enumerate((chunked, framed)):
        path = tmp_path / f"{number}.json.gz"
        save_trace(trace, path)
        assert load_trace(path) == trace


def test_a_schedule_is_a_function_of_the_trace(encoder: Trace, chunked: Trace) -> None:
    assert layer_major(encoder, 8).digest == chunked.digest
