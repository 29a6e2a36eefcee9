"""Every target met in 38 models has a lowering, also in the forms before functionalisation."""

from __future__ import annotations

from pathlib import Path

import pytest
from aten_case import lowered, meta

from codesign.plugins import Registry, registry
from codesign.workload.lowering import find_lowering

# the 126 targets of raw exports of 38 models; getitem is resolved while the graph is read
VOCABULARY = (
    "mul.Tensor add.Tensor pow.Tensor_Scalar neg.default gelu.default silu.default silu_.default "
    "sub.Tensor relu.default add_.Tensor relu_.default sigmoid.default exp.default "
    "hardtanh_.default softplus.default hardswish_.default __and__.Tensor tanh.default "
    "glu.default div.Tensor hardsigmoid.default sin.default cos.default diff.default div_.Tensor "
    "floor_divide.default log.default dropout_.default div.Tensor_mode pow.Scalar abs.default "
    "scaled_dot_product_attention.default arange.default scalar_tensor.default zeros.default "
    "new_ones.default new_zeros.default empty_like.default zeros_like.default full_like.default "
    "ones.default conv2d.default conv1d.default conv3d.default select.int unsqueeze.default "
    "transpose.int to.dtype reshape.default view.default slice.Tensor dropout.default cat.default "
    "contiguous.default expand.default permute.default copy_.default unbind.int squeeze.dim "
    "pad.default stack.default chunk.default split_with_sizes.default to.dtype_layout "
    "flatten.using_ints unflatten.int split.Tensor roll.default to.device t.default "
    "repeat.default type_as.default clone.default ne.Scalar le.Tensor ge.Scalar eq.Scalar "
    "eq.Tensor gt.Scalar lt.Scalar lt.Tensor index.Tensor embedding_bag.padding_idx "
    "embedding.default where.ScalarOther masked_fill.Scalar topk.default sort.default "
    "histc.default index_put_.default where.self gather.default argmax.default "
    "_assert_tensor_metadata.default detach_.default alias.default linear.default matmul.default "
    "addmm.default einsum.default _grouped_mm.default bmm.default layer_norm.default "
    "rsqrt.default batch_norm.default group_norm.default _weight_norm.default "
    "adaptive_avg_pool2d.default upsample_linear1d.vec max_pool2d.default upsample_nearest2d.vec "
    "adaptive_avg_pool3d.default lstm_cell.default lstm.input gru.input mean.dim sum.dim_IntList "
    "cumsum.default min.other sum.default softmax.int "
)
CONTROL = ["cond", "scan", "while_loop", "wrap_with_set_grad_enabled"]
TARGETS = [f"aten.{name}" for name in VOCABULARY.split()] + CONTROL


def test_the_vocabulary_is_complete() -> None:
    assert len({*TARGETS, "getitem"}) == 126


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_of_the_vocabulary_has_a_lowering(target: str) -> None:
    assert find_lowering(target, registry().get("codesign_register_lowerings")) is not None


def test_taking_one_of_several_results_is_free() -> None:
    (op,) = lowered(lambda x: x.max(1)[0], meta(3, 4))
    assert op.kind == "reduce"


def test_each_plugin_file_works_when_copied_alone_to_another_folder(tmp_path: Path) -> None:
    sources = sorted(Path(__file__).parents[2].glob("plugins/aten_*.py"))
    assert len(sources) > 8
    for source in sources:
        folder = tmp_path / source.stem
        folder.mkdir()
        # another name, since the installed plugin keeps its own
        (folder / f"copy_of_{source.name}").write_text(source.read_text())
        alone = Registry((folder,))
        assert f"copy_of_{source.stem}" in alone.plugins()
