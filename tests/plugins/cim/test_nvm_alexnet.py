"""The small AlexNet that MNSIM ships: its layers, and the trace that an engine runs."""

from __future__ import annotations

from itertools import pairwise

import pytest
from codesign_plugins.cim.layout import lay
from codesign_plugins.cim.nvm_alexnet import LAYERS, alexnet

from codesign import Op
from codesign.workload.check import check_trace

OPS = [op for op, _ in alexnet().ops()]


def test_the_trace_is_a_valid_chain() -> None:
    trace = alexnet()
    check_trace(trace)
    assert len(OPS) == len(LAYERS) == 10
    for before, after in pairwise(OPS):
        assert after.inputs[0].tensor is before.outputs[0].tensor


def test_each_layer_takes_what_the_one_before_gives() -> None:
    for before, after in pairwise(LAYERS):
        given = before.filters * before.pixels
        assert given == after.channels * after.size**2


def test_the_image_goes_in_and_ten_scores_come_out() -> None:
    assert OPS[0].inputs[0].tensor.shape == (3, 32, 32)
    assert OPS[0].inputs[0].tensor.role == "input"
    assert OPS[-1].outputs[0].tensor.shape == (1, 10)
    assert OPS[-1].outputs[0].tensor.role == "output"


@pytest.mark.parametrize(
    ("place", "rows", "columns", "pixels"),
    [
        (0, 27, 64, 256),
        (2, 576, 192, 64),
        (4, 1728, 384, 16),
        (5, 3456, 256, 16),
        (6, 2304, 256, 16),
        (8, 1024, 512, 1),
        (9, 512, 10, 1),
    ],
)
def test_weights_make_a_matrix_of_every_input_of_a_window(
    place: int, rows: int, columns: int, pixels: int
) -> None:
    assert OPS[place].gemm == (1, pixels, rows, columns)


def test_it_has_the_products_and_weights_of_its_shapes() -> None:
    assert sum(op.macs for op in OPS) == 42_259_456
    weights = [a.tensor for op in OPS for a in op.inputs if a.tensor.role == "weight"]
    sizes = [tensor.bytes for tensor in weights]
    assert sum(sizes) == 2_779_840
    assert {tensor.dtype.bits for tensor in weights} == {8}


def test_activations_have_nine_bits() -> None:
    activations = {a.tensor.dtype.bits for op in OPS for a in (op.inputs[0], *op.outputs)}
    assert activations == {9}


def test_a_window_of_a_pool_is_two_by_two_and_does_not_overlap() -> None:
    pools = [op for op in OPS if op.kind == "reduce"]
    assert len(pools) == 3
    assert {dict(op.attributes)["width"] for op in pools} == {4}
    assert {op.functions for op in pools} == {("max",)}


@pytest.mark.parametrize(
    ("place", "macros"), [(0, 1), (2, 3), (4, 14), (5, 14), (6, 9), (8, 8), (9, 2)]
)
def test_rows_fill_macros_of_256_by_256(place: int, macros: int) -> None:
    op = OPS[place]
    assert isinstance(op, Op)
    assert lay(op, 256, 256).count == macros
