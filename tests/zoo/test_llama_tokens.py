"""Tokens in a row are the sum of their captures, on one set of weights and one growing cache."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from zoo_case import captured

from codesign.errors import ModelError
from codesign.workload.check import check_trace
from codesign.workload.file import load_trace, save_trace
from codesign.workload.record import Op, Region, Tensor, Trace
from codesign.zoo.llama import LlamaConfig, decode, prefill
from codesign.zoo.llama_tokens import decode_tokens

TINY = LlamaConfig(layers=2, width=32, hidden=48, heads=4, cache_heads=2, vocabulary=50)
LENGTH, TOKENS = 10, 3


@cache
def one(length: int, batch: int = 1) -> Trace:
    return captured(decode, batch, length, TINY)


@cache
def several(batch: int = 1) -> Trace:
    return decode_tokens(one(LENGTH, batch), TOKENS)


def ops(trace: Trace) -> list[Op]:
    return [op for op, _ in trace.ops()]


def of_token(index: int) -> list[Op]:
    return [op for op in ops(several()) if op.name.startswith(f"token.{index}.")]


def by_role(trace: Trace, role: str) -> list[Tensor]:
    return [tensor for tensor in trace.tensors if tensor.role == role]


@pytest.mark.parametrize("batch", [1, 2])
def test_tokens_in_a_row_are_a_trace_that_can_run(batch: int) -> None:
    check_trace(several(batch))


@pytest.mark.parametrize("batch", [1, 2])
def test_macs_are_the_sum_of_captures_at_growing_lengths(batch: int) -> None:
    alone = [one(LENGTH + index, batch).macs for index in range(TOKENS)]
    assert several(batch).macs == sum(alone)
    assert len(set(alone)) == TOKENS


@pytest.mark.parametrize("batch", [1, 2])
def test_every_token_reads_and_writes_what_its_own_capture_does(batch: int) -> None:
    made = [op for op in ops(several(batch)) if op.kind != "reduce"]
    for index in range(TOKENS):
        alone = ops(one(LENGTH + index, batch))
        ours = made[index * len(alone) : (index + 1) * len(alone)]
        for mine, theirs in zip(ours, alone, strict=True):
            assert mine.name == f"token.{index}.{theirs.name}"
            assert (mine.kind, mine.module, mine.nest) == (theirs.kind, theirs.module, theirs.nest)
            assert (mine.functions, mine.attributes) == (theirs.functions, theirs.attributes)
            for side, other in zip(mine.operands, theirs.operands, strict=True):
                assert (side.shape, side.bytes) == (other.shape, other.bytes)


def test_weights_stay_one_tensor_each() -> None:
    assert by_role(several(), "weight") == by_role(one(LENGTH), "weight")
    assert several().parameter_bytes == one(LENGTH).parameter_bytes


def test_the_caches_have_the_length_of_the_last_token() -> None:
    assert {cache.shape for cache in by_role(several(), "state")} == {(1, 2, LENGTH + 2, 8)}
    assert len(by_role(several(), "state")) == 2 * TINY.layers


def rows(name: str, *, written: bool) -> list[set[int]]:
    """Positions along the length of a cache that each token touches, from the views alone."""
    found = []
    for index in range(TOKENS):
        touched: set[int] = set()
        for op in of_token(index):
            for access in op.outputs if written else op.inputs:
                if access.tensor.name == name:
                    width = access.tensor.shape[3]
                    assert access.strides == (
                        (LENGTH + 2) * 2 * width,
                        (LENGTH + 2) * width,
                        width,
                        1,
                    )
                    first = access.offset // width
                    touched |= set(range(first, first + access.shape[2]))
        found.append(touched)
    return found


def test_each_token_appends_the_next_row_and_reads_all_rows_so_far() -> None:
    for tensor in by_role(several(), "state"):
        assert rows(tensor.name, written=True) == [{9}, {10}, {11}]
        assert rows(tensor.name, written=False) == [set(range(n)) for n in (10, 11, 12)]


def test_each_token_takes_its_own_row_of_the_rotary_tables() -> None:
    assert {table.shape for table in by_role(several(), "constant")} == {(TOKENS, 8)}
    for index in range(TOKENS):
        offsets = {
            access.offset
            for op in of_token(index)
            for access in op.inputs
            if access.tensor.role == "constant"
        }
        assert offsets == {index * 8}


def test_a_token_is_the_likeliest_by_the_scores_before_it() -> None:
    choices = [op for op in ops(several()) if op.kind == "reduce"]
    assert [op.name for op in choices] == ["token.1.argmax", "token.2.argmax"]
    for index, op in enumerate(choices, start=1):
        assert op.functions == ("argmax",)
        assert op.inputs[0].tensor.name == f"token.{index - 1}.head.linear"
        lookup = of_token(index)[1]
        assert lookup.kind == "gather"
        assert lookup.inputs[1].tensor == op.outputs[0].tensor


def test_the_choice_is_the_operator_that_a_capture_of_argmax_gives() -> None:
    class Choice(torch.nn.Module):  # type: ignore[misc]  # torch is untyped
        def forward(self, scores: torch.Tensor) -> torch.Tensor:
            return scores.argmax(-1)

    (theirs,) = ops(captured(lambda: (Choice(), (torch.empty(1, 1, 50).bfloat16(),))))
    ours = of_token(1)[0]
    assert (ours.kind, ours.functions, ours.attributes) == (
        theirs.kind,
        theirs.functions,
        theirs.attributes,
    )
    assert [(a.shape, a.tensor.dtype) for a in ours.operands] == [
        (a.shape, a.tensor.dtype) for a in theirs.operands
    ]


def test_only_the_first_token_is_an_input_and_all_scores_are_outputs() -> None:
    assert [tensor.name for tensor in by_role(several(), "input")] == ["tokens"]
    assert [tensor.name for tensor in by_role(several(), "output")] == [
        f"token.{index}.head.linear" for index in range(TOKENS)
    ]


def test_one_token_is_the_trace_under_other_names() -> None:
    alone = decode_tokens(one(LENGTH), 1)
    assert [op.content for op in ops(alone)] == [op.content for op in ops(one(LENGTH))]
    assert alone.macs == one(LENGTH).macs


def test_the_trace_says_how_it_was_made() -> None:
    assert several().notes[-1] == "3 tokens by greedy choice, context from 10 to 12"


def test_a_trace_file_gives_back_all_tokens(tmp_path: Path) -> None:
    save_trace(several(), tmp_path / "tokens.json.gz")
    assert load_trace(tmp_path / "tokens.json.gz") == several()


def test_repeating_a_token_does_not_import_torch() -> None:
    code = "import sys, codesign.zoo.llama_tokens; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("tokens", [0, -1])
def test_no_token_is_refused(tokens: int) -> None:
    with pytest.raises(ModelError, match=f"must be at least 1, got {tokens}"):
        decode_tokens(one(LENGTH), tokens)


def test_a_trace_without_caches_is_refused() -> None:
    trace = captured(prefill, 1, 4, TINY)
    with pytest.raises(ModelError, match=r"its state must be caches .* llama_3_1_8b_decode"):
        decode_tokens(trace, 2)


def test_a_context_of_one_token_has_no_cache_to_grow() -> None:
    with pytest.raises(ModelError, match="takes a context of at least 2 tokens"):
        decode_tokens(one(1), 2)


def test_a_loop_is_refused() -> None:
    trace = one(LENGTH)
    with pytest.raises(ModelError, match="it holds 'again', which is no operator"):
        decode_tokens(trace.replace(items=(Region("again", 2, trace.items),)), 2)


def test_a_cache_that_is_read_in_part_is_refused() -> None:
    trace = one(LENGTH)
    attention = next(op for op in ops(trace) if op.kind == "attention")
    query, key, *rest = attention.inputs
    short = replace(key, shape=(*key.shape[:2], key.shape[2] - 1, key.shape[3]))
    changed = replace(attention, inputs=(query, short, *rest))
    items = tuple(changed if op is attention else op for op in ops(trace))
    with pytest.raises(ModelError, match=r"must read the cache 'caches.0.0' whole or write its"):
        decode_tokens(trace.replace(items=items), 2)


@pytest.mark.parametrize(
    ("role", "message"),
    [
        ("output", "one token and give one tensor of scores"),
        ("input", "one token and give one tensor of scores"),
    ],
)
def test_a_trace_with_two_inputs_or_outputs_is_refused(role: str, message: str) -> None:
    trace = one(LENGTH)
    extra = replace(by_role(trace, role)[0], name="extra")
    with pytest.raises(ModelError, match=message):
        decode_tokens(trace.replace(tensors=(*trace.tensors, extra)), 2)


def test_a_constant_that_is_no_row_of_a_table_is_refused() -> None:
    trace = one(LENGTH)
    mask = replace(by_role(trace, "constant")[0], name="mask", shape=(4, 4))
    with pytest.raises(ModelError, match="constants must be one row of a table by position"):
        decode_tokens(trace.replace(tensors=(*trace.tensors, mask)), 2)
