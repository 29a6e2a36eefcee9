"""``shrink_widths``: the trace of a model that was built narrower."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rewrite_models import contents, mobilenet, of, ops, stack
from torch import nn

from codesign.errors import TraceError
from codesign.testing.passes import Sketch
from codesign.workload.check import check_trace
from codesign.workload.file import content_digest
from codesign.workload.record import Access, Tensor, Trace
from codesign.workload.retensor import with_tensors
from codesign.workload.rewrites import drop_layers, factorise, merge_block, shrink_widths
from codesign.workload.rewrites.cut import axis_of_tensor, axis_of_view
from codesign.workload.sparsity import Sparsity
from codesign.workload.tensor import contiguous_strides

SMALL = ((1, 8, 1, 1), (6, 16, 2, 2), (3, 24, 2, 2))


@pytest.mark.parametrize("widths", [[12, 16, 9], [2, 24, 32], [16, 24, 32]])
def test_feed_forward_parts_are_those_of_the_sub_network(widths: list[int]) -> None:
    whole = stack([16, 24, 32])
    made = shrink_widths(whole, {f"blocks.{n}.gate.*": w for n, w in enumerate(widths)})
    built = stack(widths)
    check_trace(made)
    assert contents(made) == contents(built)
    assert made.parameters == built.parameters
    assert made.macs == built.macs


@pytest.mark.parametrize("post_norm", [False, True])
def test_the_width_of_the_residual_stream_takes_everything_along(post_norm: bool) -> None:
    made = shrink_widths(stack([16, 24], post_norm=post_norm), {"blocks.1.down.*": 6})
    built = stack([16, 24], width=6, post_norm=post_norm)
    assert contents(made) == contents(built)
    assert made.parameters == built.parameters


def test_channels_of_an_inverted_residual_take_the_depthwise_convolution_along() -> None:
    whole = mobilenet(SMALL, 8, 32)
    made = shrink_widths(whole, {"stage2.0.residual.expand.*": 20})
    built = mobilenet(SMALL, 8, 32, expanded=20)
    check_trace(made)
    assert contents(made) == contents(built)
    assert made.parameters == built.parameters


def test_a_whole_network_narrows_at_every_shortcut_together() -> None:
    widths = {
        "stem.*": 4,
        "stage2.0.residual.expand.*": 24,
        "stage2.1.residual.expand.*": 72,
        "stage2.*.project.*": 12,
        "stage3.0.residual.expand.*": 36,
        "stage3.1.residual.expand.*": 60,
        "stage3.*.project.*": 20,
        "widen.*": 16,
    }
    made = shrink_widths(mobilenet(SMALL, 8, 32), widths)
    built = mobilenet(((1, 4, 1, 1), (6, 12, 2, 2), (3, 20, 2, 2)), 4, 16)
    check_trace(made)
    assert contents(made) == contents(built)
    assert made.parameters == built.parameters


def test_layers_that_share_a_shortcut_need_one_width() -> None:
    with pytest.raises(TraceError, match=r"would get . and . channels; its writers share"):
        shrink_widths(mobilenet(SMALL, 8, 32), {"stem.*": 4, "stage1.0.*.project.*": 6})


def test_pooling_and_the_classifier_follow_the_last_convolution() -> None:
    made = shrink_widths(mobilenet(SMALL, 8, 32), {"widen.*": 10})
    built = mobilenet(SMALL, 8, 10)
    assert contents(made) == contents(built)
    assert made.parameters == built.parameters


def test_embedding_rows_get_shorter_with_their_bytes() -> None:
    made = shrink_widths(stack([16]), {"blocks.0.down.*": 5})
    lookup = ops(made)[0]
    assert lookup.inputs[0].tensor.shape == (20, 5)
    assert lookup.attribute("row_bytes") == 20
    (norm,) = [op for op in ops(made) if op.kind == "normalize"]
    assert norm.attribute("width") == 5


def test_nothing_changes_at_the_width_there_is() -> None:
    whole = stack([16])
    made = shrink_widths(whole, {"blocks.0.up.*": 16})
    assert made.items == whole.items
    assert made.tensors == whole.tensors


@pytest.mark.parametrize(
    ("widths", "message"),
    [
        ({"blocks.0.wup.*": 4}, "matches no linear layer .* did you mean 'blocks.0.up.linear'"),
        ({"blocks.0.up.*": 17}, "blocks.0.up.linear has 16 channels, got 17; .* from 1 to 16"),
        ({"blocks.0.up.*": 0}, "has 16 channels, got 0"),
        ({"blocks.0.up.*": 3.5}, "has 16 channels, got 3.5"),
        ({"head.*": 3}, "head.linear carries the channels to 'head.linear', the output"),
        ({"blocks.0.up.*": 3, "blocks.0.gate.*": 4}, "would get 3 and 4 channels"),
        (
            {"blocks.0.up.*": 3, "*.up.*": 4},
            r"'blocks.0.up.\*' gives .* 3 .* '\*.up.\*' 4; let one",
        ),
        ({}, "widths must be a map of channels by pattern, got {}; write for example"),
        ([("blocks.0.up.*", 3)], r"widths must be a map of channels by pattern, got \[\("),
        ({3: 3}, r"patterns must be a text or a list of texts, got \[3\]"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(widths: Any, message: str) -> None:
    with pytest.raises(TraceError, match=message) as raised:
        shrink_widths(stack([16]), widths)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("shrink_widths: ")


def test_two_patterns_may_give_a_layer_one_width() -> None:
    made = shrink_widths(stack([16]), {"blocks.0.up.*": 3, "*.up.*": 3})
    assert contents(made) == contents(stack([3]))


@pytest.mark.parametrize("given", ["gpt2", None, nn.Linear(2, 2)])
def test_only_a_trace_is_rewritten(given: Any) -> None:
    rewrites: dict[str, Any] = {
        "shrink_widths": lambda t: shrink_widths(t, {"*": 3}),
        "factorise": lambda t: factorise(t, "*", rank=2),
        "drop_layers": lambda t: drop_layers(t, "*"),
        "merge_block": lambda t: merge_block(t, "*"),
    }
    for name, rewrite in rewrites.items():
        with pytest.raises(TraceError, match=f"^{name}: only a trace can be rewritten, got ") as e:
            rewrite(given)
        assert "\n" not in str(e.value)


@pytest.mark.parametrize("patterns", [None, 3, [3], {"a": 1}, "", [""]])
def test_patterns_of_modules_are_texts(patterns: Any) -> None:
    for rewrite in (drop_layers, merge_block):
        with pytest.raises(TraceError, match=r"patterns must be a text|no pattern is given"):
            rewrite(stack([16]), patterns)


def test_a_depthwise_convolution_has_no_channels_of_its_own() -> None:
    with pytest.raises(TraceError, match="has no channels of its own"):
        shrink_widths(mobilenet(SMALL, 8, 32), {"stage2.0.residual.convolve.*": 10})


def test_heads_of_an_attention_are_not_cut() -> None:
    class Heads(nn.Module):  # type: ignore[misc]  # torch is untyped
        def __init__(self) -> None:
            super().__init__()
            self.project = nn.Linear(8, 8)
            self.out = nn.Linear(8, 8)

        def forward(self, x: Any) -> Any:
            heads = self.project(x).unflatten(-1, (2, 4)).transpose(1, 2)
            mixed = nn.functional.scaled_dot_product_attention(heads, heads, heads)
            return self.out(mixed.transpose(1, 2).flatten(2))

    with pytest.raises(TraceError, match=r"\(attention\) takes the channels of .* apart"):
        shrink_widths(of(Heads(), torch.zeros(1, 5, 8)), {"project.*": 4})


def test_halves_of_a_layer_are_not_cut() -> None:
    class Halves(nn.Module):  # type: ignore[misc]  # torch is untyped
        def __init__(self) -> None:
            super().__init__()
            self.both = nn.Linear(8, 12)
            self.out = nn.Linear(6, 8)

        def forward(self, x: Any) -> Any:
            one, two = self.both(x).chunk(2, -1)
            return self.out(one * two)

    with pytest.raises(TraceError, match=r"takes the channels of .* apart"):
        shrink_widths(of(Halves(), torch.zeros(3, 8)), {"both.*": 6})


def test_gates_of_a_recurrent_cell_are_not_cut() -> None:
    whole = of(nn.LSTM(6, 5), torch.zeros(4, 1, 6))
    (name,) = [op.name for op in ops(whole) if op.name.endswith("input")]
    with pytest.raises(TraceError, match=r"takes the channels of .* apart"):
        shrink_widths(whole, {name: 8})


def test_a_softmax_over_the_channels_is_refused() -> None:
    layers = nn.Sequential(nn.Linear(8, 6), nn.Softmax(-1), nn.Linear(6, 4))
    with pytest.raises(TraceError, match=r"\(softmax\) takes the channels"):
        shrink_widths(of(layers, torch.zeros(3, 8)), {"0.*": 3})


def test_declared_zeros_would_be_lost_and_are_refused() -> None:
    whole = stack([16])
    weight = next(t for t in whole.tensors if t.name == "blocks.0.down.weight")
    sparse = with_tensors(whole, {weight.name: replace(weight, sparsity=Sparsity.parse("0.5"))})
    with pytest.raises(TraceError, match="declared sparse or compressed"):
        shrink_widths(sparse, {"blocks.0.up.*": 4})


@given(
    rows=st.integers(1, 4),
    inner=st.integers(2, 6),
    hidden=st.integers(2, 6),
    columns=st.integers(2, 6),
    data=st.data(),
)
def test_macs_and_weights_shrink_with_the_channels(
    rows: int, inner: int, hidden: int, columns: int, data: st.DataObject
) -> None:
    width = data.draw(st.integers(1, hidden))
    sketch = Sketch()
    x = sketch.tensor("x", (rows, inner), "input")
    first = sketch.matmul(x, sketch.tensor("w0", (inner, hidden), "weight"))
    bent = sketch.map("relu", first)
    sketch.matmul(bent, sketch.tensor("w1", (hidden, columns), "weight"))
    made = shrink_widths(sketch.trace(), {"matmul0": width})
    check_trace(made)
    assert made.macs == rows * width * (inner + columns)
    assert made.parameters == width * (inner + columns)


@given(shape=st.lists(st.integers(2, 5), min_size=1, max_size=4).map(tuple), data=st.data())
def test_axes_of_a_tensor_and_of_its_permuted_view_find_each_other(
    shape: tuple[int, ...], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(shape))))
    strides = contiguous_strides(shape)
    tensor = Tensor("t", shape, stack_dtype(), "activation")
    view = Access(tensor, tuple(shape[a] for a in order), tuple(strides[a] for a in order))
    for place, axis in enumerate(order):
        assert axis_of_tensor(view, place) == axis
        assert axis_of_view(view, axis) == place


def stack_dtype() -> Any:
    """The format of a sketch."""
    return Sketch().tensor("t", (1,)).tensor.dtype


def test_the_trace_that_was_given_is_as_it_was() -> None:
    whole: Trace = stack([16])
    digest = content_digest(whole)
    shrink_widths(whole, {"blocks.0.up.*": 3})
    assert content_digest(whole) == digest
