"""Programs of the family ``tpuv3``: what each fusion reads, writes and computes."""

from __future__ import annotations

import pytest
from codesign_plugins.validate_tpuv3 import programs
from codesign_plugins.validate_tpuv3.programs import Program

from codesign import load_hardware, simulate
from codesign.testing import convolution as one_image
from codesign.workload.record import Access, Op, Trace


def ops(trace: Trace) -> list[Op]:
    return [op for op, _ in trace.ops()]


def kinds(trace: Trace) -> list[str]:
    return [op.kind for op in ops(trace)]


def latency_s(trace: Trace) -> float:
    return simulate(trace, "tpuv3-core", residency="none").latency_s


def test_a_product_has_the_shape_of_its_factors() -> None:
    program = Program("p")
    first, second = program.tensor(4, 6).access(), program.tensor(6, 10).access()
    assert program.product(first, second).shape == (4, 10)
    batched = program.product(program.tensor(3, 4, 6).access(), program.tensor(3, 6, 10).access())
    assert batched.shape == (3, 4, 10)
    assert [op.gemm for op in ops(program.trace())] == [(1, 4, 6, 10), (3, 4, 6, 10)]


def test_what_stands_beside_a_product_is_read_with_it() -> None:
    program = Program("p")
    bias, summand = program.tensor(10, role="weight"), program.tensor(4, 10)
    program.product(
        program.tensor(4, 6).access(),
        program.tensor(6, 10).access(),
        ("add", "add"),
        [(bias.access(), "n"), (summand.access(), "mn")],
    )
    (op,) = ops(program.trace())
    assert [access.tensor for access in op.inputs[2:]] == [bias, summand]
    moved = simulate(program.trace(), "tpuv3-core", residency="none").offchip_bytes
    assert sum(moved.values()) == 4 * (4 * 6 + 6 * 10 + 10 + 4 * 10 + 4 * 10)


def test_a_convolution_of_several_images_is_that_of_one_several_times() -> None:
    (batched,) = ops(programs.convolution(5, 12, 8, 16))
    single = one_image(8, 16, 12, 3, padding=1, dtype="fp32")
    assert batched.macs == 5 * single.macs
    groups, rows, reduction, columns = single.gemm
    assert batched.gemm == (groups, 5 * rows, reduction, columns)
    assert [one.elements for one in batched.operands] == [
        5 * single.inputs[0].elements,
        single.inputs[1].elements,
        5 * single.outputs[0].elements,
    ]


def test_a_convolution_keeps_channels_next_to_each_other() -> None:
    (op,) = ops(programs.convolution(2, 6, 4, 8))
    image, weight, result = op.operands
    assert (image.shape[-1], weight.shape[-2:], result.shape[-1]) == (4, (4, 8), 8)
    assert image.strides[-1] == weight.strides[-1] == result.strides[-1] == 1


def test_softmax_ends_a_loop_at_each_reduction() -> None:
    trace = programs.softmax(8, 16)
    assert kinds(trace) == ["reduce", "reduce", "elementwise"]
    largest, total, last = ops(trace)
    data = largest.inputs[0].tensor
    assert all(op.inputs[0].tensor is data for op in (largest, total, last))
    assert [access.tensor for access in last.inputs[1:]] == [
        largest.outputs[0].tensor,
        total.outputs[0].tensor,
    ]
    assert largest.outputs[0].shape == (8,)


def test_scale_and_shift_read_what_normalisation_wrote() -> None:
    trace = programs.layer_norm(8, 16)
    assert kinds(trace) == ["reduce", "reduce", "elementwise", "elementwise"]
    *_, rows, affine = ops(trace)
    assert affine.inputs[0].tensor is rows.outputs[0].tensor
    assert {access.tensor.role for access in affine.inputs[1:]} == {"weight"}
    assert {access.shape for access in affine.inputs[1:]} == {(16,)}


def test_attention_multiplies_with_the_key_turned() -> None:
    trace = programs.attention(2, 8, 4)
    assert kinds(trace) == ["contraction", "reduce", "contraction"]
    scores, total, result = ops(trace)
    assert scores.inputs[1].shape == (2, 4, 8)
    assert scores.inputs[1].strides == (32, 1, 4)
    assert [op.gemm for op in (scores, result)] == [(2, 8, 4, 8), (2, 8, 8, 4)]
    assert result.inputs[0].tensor is total.inputs[0].tensor is scores.outputs[0].tensor
    assert result.inputs[2].tensor is total.outputs[0].tensor


def test_an_encoder_has_six_layers_attention_and_two_norms() -> None:
    trace = programs.encoder(8, 16, 4)
    found = kinds(trace)
    assert found.count("contraction") == 6 + 2
    assert found.count("elementwise") == 2 * 2
    assert found.count("reduce") == 1 + 2 * 2
    weights = [tensor for tensor in trace.tensors if tensor.role == "weight"]
    matrices = sum(tensor.elements for tensor in weights if len(tensor.shape) == 2)
    assert matrices == (4 + 4 + 4) * 16 * 16


def test_heads_of_an_encoder_are_columns_of_its_layers() -> None:
    trace = programs.encoder(8, 16, 4)
    scores = next(op for op in ops(trace) if op.functions == ("mul", "max"))
    query = scores.inputs[0]
    assert (query.shape, query.strides) == ((4, 8, 4), (4, 16, 1))
    last_column = sum((n - 1) * s for n, s in zip(query.shape, query.strides, strict=True))
    assert last_column == query.tensor.elements - 1


@pytest.mark.parametrize("residual", [False, True])
def test_layers_of_an_encoder_add_a_bias_and_some_a_residual(residual: bool) -> None:
    layers = [op for op in ops(programs.encoder(8, 16, 4)) if op.functions[:1] == ("add",)]
    wanted = [op for op in layers if (len(op.inputs) == 4) == residual]
    assert len(wanted) == (2 if residual else 4)
    assert all(op.inputs[2].shape == op.outputs[0].shape[-1:] for op in wanted)


def test_names_of_operators_and_tensors_are_their_own() -> None:
    trace = programs.encoder(8, 16, 4)
    for names in ([op.name for op in ops(trace)], [tensor.name for tensor in trace.tensors]):
        assert len(set(names)) == len(names)


def test_nothing_is_read_that_no_trace_knows() -> None:
    trace = programs.encoder(8, 16, 4)
    read: list[Access] = [access for op in ops(trace) for access in op.operands]
    assert {access.tensor for access in read} == set(trace.tensors)


# -- what the core makes of them ------------------------------------------------------------------


def test_a_large_product_is_bound_by_the_arrays_and_a_small_one_by_its_transfers() -> None:
    large, small = programs.gemm(4096, 4096, 4096), programs.gemm(128, 128, 128)
    cells = 2 * 128 * 128 * 940e6
    assert large.macs / cells > 0.75 * latency_s(large)
    assert small.macs / cells < 0.10 * latency_s(small)
    setup = getattr(load_hardware("tpuv3-core").components["bus"], "setup", 0)
    assert latency_s(small) > 2 * setup


def test_heads_add_up() -> None:
    few, many = (latency_s(programs.attention(heads, 512, 64)) for heads in (16, 64))
    assert many / few == pytest.approx(4, rel=0.1)


def test_half_of_the_channels_take_as_long_as_all() -> None:
    """A tap has folds of its own, so that 64 channels leave half of the rows of cells idle."""
    narrow, wide = (
        latency_s(programs.convolution(16, 28, channels, 128)) for channels in (64, 128)
    )
    assert narrow == pytest.approx(wide, rel=0.05)


def test_the_vector_unit_does_not_hold_up_a_loop() -> None:
    trace = programs.softmax(1024, 1024)
    faster = load_hardware("tpuv3-core").with_("vector.lanes", 8192)
    quick = simulate(trace, faster, residency="none").latency_s
    assert latency_s(trace) == pytest.approx(quick, rel=0.05)
