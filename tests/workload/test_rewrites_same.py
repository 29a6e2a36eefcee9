"""A rewritten trace is that of the model built so: what its loops carry, and stored formats too."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
import torchao.quantization as ao
from quantised_case import checked, tensor, with_pt2e, with_torchao
from rewrite_models import Shortcut, contents, of, ops, same_model, stack
from torch import nn
from torchao.quantization import granularity

from codesign import annotate, simulate
from codesign.errors import TraceError
from codesign.models import resolve_model
from codesign.workload.capture import trace
from codesign.workload.record import Trace
from codesign.workload.rewrites import drop_layers, factorise, merge_block, shrink_widths
from codesign.zoo.mobilenet import InvertedResidual


class Cell(nn.Module):  # type: ignore[misc]  # torch is untyped
    """``h = tanh(i(x) + u(h))`` over 6 steps; the first state is zeros, or made by a layer."""

    def __init__(self, width: int, *, start: bool = False) -> None:
        super().__init__()
        self.i = nn.Linear(4, width)
        self.u = nn.Linear(width, width, bias=False)
        self.start = nn.Linear(4, width) if start else None
        self.out = nn.Linear(width, 3)

    def forward(self, x: Any) -> Any:
        h = self.start(x[0]) if self.start else torch.zeros(1, self.u.in_features)
        for step in range(6):
            h = torch.tanh(self.i(x[step]) + self.u(h))
        return self.out(h)


def cell(width: int, **options: bool) -> Trace:
    found = of(Cell(width, **options), torch.zeros(6, 1, 4))
    assert found.regions
    return found


def test_the_state_of_a_loop_is_cut_with_the_layer_that_makes_it() -> None:
    made = shrink_widths(cell(7), {"u.*": 5})
    same_model(made, cell(5))
    assert made.macs < cell(7).macs
    assert {c.state.shape[-1] for c in made.regions[0].carries} == {5}
    assert simulate(made, "edge-npu").latency_s == simulate(cell(5), "edge-npu").latency_s


@pytest.mark.parametrize("pattern", ["start.*", "u.*", "i.*"])
def test_a_first_state_that_a_layer_makes_is_cut_with_the_others(pattern: str) -> None:
    same_model(shrink_widths(cell(7, start=True), {pattern: 5}), cell(5, start=True))


def layers(*widths: int) -> Any:
    return nn.Sequential(*(nn.Linear(a, b) for a, b in pairwise(widths)))


def int4(*widths: int, group: int = 0) -> Trace:
    """Linear layers with weights of 4 bits, a scale for each output or for each group."""
    reach = granularity.PerGroup(group) if group else granularity.PerAxis(0)
    config = ao.IntxWeightOnlyConfig(weight_dtype=torch.int4, granularity=reach)
    return checked(with_torchao(layers(*widths), config), torch.zeros(1, widths[0]))


def pt2e(module: Any, *args: Any) -> Trace:
    return checked(with_pt2e(module, *args), *args)


def test_a_scale_for_each_output_stays_one_in_a_narrower_network() -> None:
    made = shrink_widths(int4(256, 128, 64), {"0.*": 32})
    same_model(made, int4(256, 32, 64))
    assert (str(tensor(made, "1.weight").dtype), tensor(made, "1.weight").bytes) == (
        "int4[32x40]",
        1344,
    )


def test_a_model_of_quantised_export_narrows_with_its_scales() -> None:
    x = torch.randn(2, 16)
    same_model(shrink_widths(pt2e(layers(16, 24, 8), x), {"0.*": 12}), pt2e(layers(16, 12, 8), x))


def test_groups_that_fit_keep_their_length_and_others_are_refused() -> None:
    same_model(shrink_widths(int4(64, 128, 64, group=32), {"0.*": 96}), int4(64, 96, 64, group=32))
    with pytest.raises(
        TraceError, match=r"'1.weight' is int4\[32x40\], and blocks of 32 elements "
    ):
        shrink_widths(int4(64, 128, 64, group=32), {"0.*": 80})


def test_the_factors_of_a_quantised_matrix_have_a_scale_for_each_of_their_outputs() -> None:
    made = factorise(int4(256, 128), "*", rank=8)
    first, second = (op.inputs[1].tensor for op in ops(made) if op.kind == "contraction")
    assert (str(first.dtype), first.bytes) == ("int4[256x40]", 1024 + 40)
    assert (str(second.dtype), second.bytes) == ("int4[8x40]", 1152)


def test_groups_that_a_rank_cuts_apart_are_refused() -> None:
    assert factorise(int4(256, 128, group=64), "*", rank=64).parameters
    with pytest.raises(TraceError, match=r"blocks of 64 elements do not fit .*\[128, 8\]"):
        factorise(int4(256, 128, group=64), "*", rank=8)


def residual(**options: Any) -> Any:
    return nn.Sequential(InvertedResidual(8, 8, 3, 1), nn.ReLU6())


def test_a_merged_weight_of_quantised_export_has_a_scale_for_each_channel() -> None:
    block = nn.Sequential(
        nn.Conv2d(8, 24, 1), nn.Conv2d(24, 24, 3, 1, 1, groups=24), nn.Conv2d(24, 8, 1)
    )
    x = torch.randn(1, 8, 6, 6)
    made = merge_block(pt2e(nn.Sequential(block), x), "0")
    weight, bias = tensor(made, "0.merged.weight"), tensor(made, "0.merged.bias")
    assert (str(weight.dtype), weight.bytes) == ("int8[72x96]", 8 * 8 * 9 + 8 * 12)
    assert (str(bias.dtype), bias.bytes) == ("fp32", 32)


def test_the_bias_of_a_merged_block_is_as_wide_as_the_one_that_it_replaces() -> None:
    whole = of(residual(), torch.zeros(1, 8, 6, 6))
    made = merge_block(annotate(whole, "*", weight_bits=4), "0")
    assert str(tensor(made, "0.merged.weight").dtype) == "int4"
    assert tensor(made, "0.merged.bias").bytes == 32


def test_a_norm_behind_a_convolution_with_a_bias_is_cut_with_it() -> None:
    def build(width: int) -> Trace:
        module = nn.Sequential(
            nn.Conv1d(3, width, 1), nn.BatchNorm1d(width), nn.ReLU(), nn.Conv1d(width, 4, 1)
        )
        return of(module, torch.zeros(1, 3, 7))

    same_model(shrink_widths(build(8), {"0.*": 5}), build(5))


def test_norms_of_a_depthwise_network_with_biases_follow_too() -> None:
    def build(width: int) -> Trace:
        module = nn.Sequential(
            nn.Conv2d(3, width, 1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1, groups=width), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, 4, 1), nn.BatchNorm2d(4),
        )  # fmt: skip
        return of(module, torch.zeros(1, 3, 7, 7))

    same_model(shrink_widths(build(8), {"0.*": 6}), build(6))


def test_only_a_convolution_with_a_bias_of_its_own_names_what_was_folded() -> None:
    for bias in (False, True):
        module = nn.Sequential(nn.Conv1d(3, 8, 1, bias=bias), nn.BatchNorm1d(8))
        (op,) = ops(of(module, torch.zeros(1, 3, 7)))
        names = ("1.weight", "1.bias", "1.running_mean", "1.running_var")
        assert set(op.attribute("folded", ())) == set(names if bias else ())  # type: ignore[arg-type]


def test_both_factors_of_a_convolution_know_whose_norm_was_folded() -> None:
    module = nn.Sequential(nn.Conv1d(6, 8, 1), nn.BatchNorm1d(8))
    made = factorise(of(module, torch.zeros(1, 6, 7)), "*", rank=2)
    assert [op.attribute("folded") is not None for op in ops(made)] == [False, True]


class Placed(nn.Module):  # type: ignore[misc]  # torch is untyped
    """Positions looked up in a table, as many of them as it is wide."""

    def __init__(self, width: int, length: int = 8) -> None:
        super().__init__()
        self.table, self.layer = nn.Embedding(30, width), nn.Linear(width, width)
        self.register_buffer("ids", torch.arange(length) * 3 % 7)
        self.out = nn.Linear(width, 3)

    def forward(self, x: Any) -> Any:
        return self.out(self.layer(x) + self.table(self.ids))


def test_the_rows_that_a_lookup_reads_stay_though_they_are_as_many_as_its_columns() -> None:
    def build(width: int) -> Trace:
        module = Placed(width)
        module.layer = nn.Linear(6, width)
        return of(module, torch.zeros(8, 6))

    made = shrink_widths(build(8), {"layer.*": 4})
    same_model(made, build(4))
    assert tensor(made, "ids").bytes == 64


def test_a_text_as_long_as_the_model_is_wide_can_be_narrowed() -> None:
    whole = of(nn.Sequential(nn.Embedding(20, 8), nn.Linear(8, 8), nn.Linear(8, 3)),
               torch.zeros(1, 8, dtype=torch.int64))  # fmt: skip
    lookup = shrink_widths(whole, {"1.*": 4})
    assert tensor(lookup, "1.weight").shape == (4, 8)
    gpt2 = resolve_model("gpt2", seq_len=768)
    made = shrink_widths(gpt2, {"*.feed_forward.down*": 384})
    assert made.parameters < gpt2.parameters


@pytest.mark.parametrize("size", [(7,), (7, 7)])
def test_slopes_of_a_prelu_lie_along_the_channels_and_are_cut_with_them(size: Any) -> None:
    kind = nn.Conv1d if len(size) == 1 else nn.Conv2d

    def build(width: int) -> Trace:
        module = nn.Sequential(kind(3, width, 1), nn.PReLU(width), kind(width, 4, 1))
        return of(module, torch.zeros(1, 3, *size))

    whole = build(8)
    (slopes,) = [a for op in ops(whole) for a in op.inputs if a.tensor.name == "1.weight"]
    assert slopes.elements == 8
    same_model(shrink_widths(whole, {"0.*": 5}), build(5))


def test_one_slope_for_all_channels_stays_one() -> None:
    def build(width: int) -> Trace:
        module = nn.Sequential(nn.Conv1d(3, width, 1), nn.PReLU(), nn.Conv1d(width, 4, 1))
        return of(module, torch.zeros(1, 3, 7))

    same_model(shrink_widths(build(8), {"0.*": 5}), build(5))


class Merging(nn.Module):  # type: ignore[misc]  # torch is untyped
    """Expansion, depthwise convolution and projection, put together by a function."""

    def __init__(self, joined: Callable[..., Any], padding: int = 0) -> None:
        super().__init__()
        self.e = nn.Conv2d(4, 4, 1, padding=padding)
        self.d = nn.Conv2d(4, 4, 3, 1, 1 - padding, groups=4)
        self.p = nn.Conv2d(4, 4, 1)
        self.joined = joined

    def forward(self, x: Any) -> Any:
        return self.joined(self, x)


NO_CHAINS: dict[str, Callable[..., Any]] = {
    "input times result": lambda m, x: x * m.p(m.d(m.e(x))),
    "gate in the middle": lambda m, x: m.p(torch.sigmoid(m.d(y := m.e(x))) * y),
    "side by side": lambda m, x: m.p(m.e(x) + m.d(x)),
    "an activation in front": lambda m, x: m.p(m.d(m.e(torch.relu(x)))),
    "a sum in the middle": lambda m, x: m.p(m.d(y := m.e(x)) + y),
}


@pytest.mark.parametrize("name", NO_CHAINS)
@pytest.mark.parametrize("fuse", [True, False])
def test_what_is_no_chain_of_convolutions_is_not_merged(name: str, fuse: bool) -> None:
    module = nn.Sequential(Merging(NO_CHAINS[name]))
    whole = trace(module.eval(), (torch.zeros(1, 4, 6, 6),), fuse=fuse)
    with pytest.raises(TraceError, match=r"merge_block: 0 must .* merge$") as raised:
        merge_block(whole, "0")
    assert "in a row" in str(raised.value)


def test_a_shortcut_around_the_chain_and_what_follows_it_merge() -> None:
    module = nn.Sequential(Merging(lambda m, x: torch.relu(x + m.p(torch.relu(m.d(m.e(x)))))))
    (op,) = ops(merge_block(of(module, torch.zeros(1, 4, 6, 6)), "0"))
    assert op.functions == ("add", "relu")
    assert len(op.inputs) == 3


def test_padding_of_the_expansion_is_that_of_the_merged_convolution() -> None:
    block = Merging(lambda m, x: m.p(m.d(m.e(x))), padding=1)
    x = torch.zeros(1, 4, 6, 6)
    made = merge_block(of(nn.Sequential(block), x), "0")
    assert contents(made) == contents(of(nn.Conv2d(4, 4, 3, 1, 1), x))


def test_a_block_merges_alike_before_and_after_fusion() -> None:
    x = torch.zeros(1, 8, 6, 6)
    fused, plain = (merge_block(trace(residual().eval(), (x,), fuse=f), "0") for f in (True, False))
    assert plain.parameters == fused.parameters == 8 * 8 * 9 + 8
    assert ops(plain)[0].functions == ("add",)
    assert plain.macs == fused.macs


def test_slopes_behind_the_last_convolution_are_not_lost() -> None:
    block = nn.Sequential(
        nn.Conv2d(4, 8, 1), nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.Conv2d(8, 4, 1), nn.PReLU(4)
    )
    with pytest.raises(TraceError, match="has an activation with weights of its own"):
        merge_block(of(nn.Sequential(block), torch.zeros(1, 4, 5, 5)), "0")


class Recurrent(nn.Module):  # type: ignore[misc]  # torch is untyped
    """A recurrent layer beside a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.i = nn.LSTM(width, width)

    def forward(self, x: Any) -> Any:
        return x + self.i(x)[0]


@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("dropped", [0, 1])
def test_a_recurrent_block_beside_a_shortcut_can_be_dropped(steps: int, dropped: int) -> None:
    x = torch.zeros(steps, 1, 6)
    parts = [Shortcut(6), Recurrent(6), Shortcut(6)]
    whole = of(nn.Sequential(*parts), x)
    made = drop_layers(whole, "1" if dropped else "0")
    same_model(made, of(nn.Sequential(*(parts[:1] if dropped else parts[1:2]), parts[2]), x))


def test_the_last_block_behind_a_loop_hands_the_output_to_the_loop() -> None:
    class Looped(nn.Module):  # type: ignore[misc]  # torch is untyped
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.last = Cell(7), Shortcut(7)
            self.cell.out = nn.Identity()

        def forward(self, x: Any) -> Any:
            return self.last(self.cell(x))

    whole = of(Looped(), torch.zeros(6, 1, 4))
    made = drop_layers(whole, "last")
    cell = Cell(7)
    cell.out = nn.Identity()
    built = of(cell, torch.zeros(6, 1, 4))
    same_model(made, built)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_gate_on_what_it_reads_is_a_shortcut_in_either_order(is_first: bool) -> None:
    class Gate(nn.Module):  # type: ignore[misc]  # torch is untyped
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(8, 8)

        def forward(self, x: Any) -> Any:
            gate = torch.sigmoid(self.layer(x))
            return x * gate if is_first else gate * x

    x = torch.zeros(2, 8)
    made = drop_layers(of(nn.Sequential(Shortcut(8), Gate(), Shortcut(8)), x), "1")
    same_model(made, of(nn.Sequential(Shortcut(8), Shortcut(8)), x))


def test_dropped_layers_are_those_of_the_shallower_model_in_a_file_too() -> None:
    same_model(drop_layers(stack([16, 24, 32]), "blocks.1"), stack([16, 32]))
