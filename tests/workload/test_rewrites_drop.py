"""``drop_layers``: the trace of a model that was built with fewer layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch
from rewrite_models import Shortcut, contents, of, stack
from torch import nn

from codesign.errors import TraceError
from codesign.models import resolve_model
from codesign.testing.passes import Sketch
from codesign.workload.check import check_trace
from codesign.workload.file import content_digest
from codesign.workload.record import Item, Op, Region, Trace
from codesign.workload.rewrites import drop_layers
from codesign.zoo.build import on_meta
from codesign.zoo.llama import LlamaConfig, decode, prefill


@pytest.fixture(scope="module")
def llama() -> Trace:
    return resolve_model("llama_3_1_8b", seq_len=128)


@pytest.mark.parametrize("post_norm", [False, True])
@pytest.mark.parametrize("dropped", [[0], [1], [3], [1, 2], [0, 3], [2, 1, 0]])
def test_the_result_is_the_trace_of_the_shallower_model(
    dropped: list[int], post_norm: bool
) -> None:
    hidden = [16, 24, 32, 40]
    made = drop_layers(stack(hidden, post_norm=post_norm), [f"blocks.{n}" for n in dropped])
    built = stack([h for n, h in enumerate(hidden) if n not in dropped], post_norm=post_norm)
    check_trace(made)
    assert contents(made) == contents(built)
    assert made.parameters == built.parameters
    assert made.macs == built.macs


def test_llama_31_loses_six_layers_and_both_conventions_are_told(llama: Trace) -> None:
    made = drop_layers(llama, [f"blocks.{n}" for n in range(22, 28)])
    assert (llama.parameters, made.parameters) == (8_030_261_248, 6_721_589_248)
    (note,) = made.notes
    assert "parameters 8,030,261,248 -> 6,721,589,248 (-16.30 %)" in note
    assert "FLOPs of matrix work 1,929,782,493,184 -> 1,593,164,431,360 (-17.44 %)" in note
    assert note.startswith("6 layers dropped (blocks.22, blocks.23, ")


def test_the_saving_in_work_grows_with_the_context() -> None:
    """Attention is counted over the full square of tokens; every layer costs the same."""
    whole = llama_of(prefill, layers=2, tokens=8192)
    block = whole.macs - drop_layers(whole, "blocks.1").macs
    assert 6 * block / (whole.macs + 30 * block) == pytest.approx(0.1773, abs=5e-5)


def test_caches_of_dropped_layers_go_too() -> None:
    whole = llama_of(decode, layers=3, tokens=64)
    made = drop_layers(whole, "blocks.1")

    def cached(found: Trace) -> int:
        return sum(tensor.bytes for tensor in found.tensors if tensor.role == "state")

    assert cached(whole) == 64 * 3 * 4096
    assert cached(made) == 64 * 2 * 4096
    assert whole.parameters - made.parameters == 218_103_808 + 2 * 4096


def test_one_pattern_may_name_all_layers_and_only_the_outermost_modules_count() -> None:
    whole = stack([16, 16, 16])
    assert contents(drop_layers(whole, "blocks.*")) == contents(stack([]))
    told = drop_layers(whole, "*.[0-2]*").notes[-1]
    assert told.startswith("3 layers dropped (blocks.0, blocks.1, blocks.2): parameters ")
    assert contents(drop_layers(whole, "blocks")) == contents(stack([]))


def test_the_last_block_hands_the_output_of_the_model_to_the_one_before() -> None:
    module = nn.Sequential(*(Shortcut(8) for _ in range(3)))
    whole = of(module, torch.zeros(1, 8))
    made = drop_layers(whole, "2")
    check_trace(made)
    assert contents(made) == contents(of(module[:2], torch.zeros(1, 8)))
    assert [t.name for t in made.tensors if t.role == "output"] == [
        t.name for t in whole.tensors if t.role == "output"
    ]


def test_a_model_of_one_block_keeps_it() -> None:
    with pytest.raises(TraceError, match=r"0 is all that stands between .* and the output"):
        drop_layers(of(nn.Sequential(Shortcut(8)), torch.zeros(1, 8)), "0")


def test_a_block_inside_a_region_can_be_dropped() -> None:
    made = drop_layers(looped(), "cell.1")
    check_trace(made)
    (region,) = made.regions
    assert [item.module for item in region.body] == ["cell.0", "after"]  # type: ignore[union-attr]
    assert region.body[1].inputs[0].tensor is region.body[0].outputs[0].tensor  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("blokcs.1", "'blokcs.1' matches no module of model; did you mean 'blocks.1'?"),
        ("blocks.1.down", "without blocks.1.down nobody reads .*; name the block around both"),
        ("blocks.1.gate", "blocks.1.gate must add its result .*only residual blocks"),
        ("tokens", "tokens must add its result .* found none"),
        ("head", "head must add its result"),
        ([], "no pattern is given"),
    ],
)
def test_what_is_no_residual_block_is_refused_in_one_line(
    pattern: str | list[str], message: str
) -> None:
    with pytest.raises(TraceError, match=message) as raised:
        drop_layers(stack([16, 16]), pattern)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("drop_layers: ")


def test_a_block_that_gives_two_tensors_is_refused() -> None:
    sketch = Sketch()
    x = sketch.tensor("x", (4, 4), "input")
    first = sketch.map("add", x, sketch.map("relu", x))
    sketch.map("mul", first, sketch.map("exp", first), role="output")
    made = sketch.trace()
    items = tuple(placed(item, "b" if n < 3 else "") for n, item in enumerate(made.items))
    with pytest.raises(TraceError, match=r"b must write one tensor .* writes 2 \(add1.out"):
        drop_layers(made.replace(items=items), "b")


def test_the_trace_that_was_given_is_as_it_was() -> None:
    whole = stack([16, 16])
    digest = content_digest(whole)
    drop_layers(whole, "blocks.0")
    assert content_digest(whole) == digest
    assert not any("dropped" in note for note in whole.notes)


def llama_of(build: Callable[..., object], layers: int, tokens: int) -> Trace:
    """Llama 3.1 8B with fewer layers."""
    chosen = partial(build, config=LlamaConfig(layers=layers))
    module, arguments, _ = on_meta(chosen, {"batch": 1, "seq_len": tokens}, "llama")
    return of(module, *arguments)


def placed(item: Item, module: str) -> Item:
    """An operator as if it came from a module."""
    assert isinstance(item, Op)
    return replace(item, module=module)


def looped() -> Trace:
    """A region of 3 steps over two residual blocks of one operator each."""
    sketch = Sketch()
    x = sketch.tensor("x", (4,), "input")
    first = sketch.map("add", x, x)
    second = sketch.map("add", first, first)
    sketch.map("relu", second, role="output")
    body = tuple(
        placed(item, module)
        for item, module in zip(sketch.items, ("cell.0", "cell.1", "after"), strict=True)
    )
    sketch.items = [Region("loop", 3, body)]
    return sketch.trace()
