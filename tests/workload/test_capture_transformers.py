"""Hugging Face models from a configuration, without any download."""

from __future__ import annotations

import pytest
import torch
from torch_case import captured, meta, on_meta, ops

transformers = pytest.importorskip("transformers")


def test_gpt2_is_covered_and_ties_its_embedding() -> None:
    config = transformers.GPT2Config(
        n_layer=2, n_embd=64, n_head=4, vocab_size=100, n_positions=64, use_cache=False
    )
    model = on_meta(lambda: transformers.GPT2LMHeadModel(config))
    found = captured(model, meta(2, 16, dtype=torch.long))
    assert found.coverage.share == 1.0
    assert found.parameters == sum(p.numel() for p in model.parameters())
    assert found.macs == 2 * (2 * 16 * 12 * 64 * 64 + 2 * 2 * 16 * 16 * 64) + 2 * 16 * 64 * 100
    assert not ops(found, "move"), "splitting and joining heads is free"


def test_llama_is_covered_and_reads_its_rotary_tables_as_constants() -> None:
    config = transformers.LlamaConfig(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=100,
        use_cache=False,
    )
    found = captured(
        on_meta(lambda: transformers.LlamaForCausalLM(config)), meta(2, 16, dtype=torch.long)
    )
    assert found.coverage.share == 1.0
    assert len(ops(found, "attention")) == 2
    assert not [op for op in ops(found) if set(op.functions) & {"cos", "sin"}]
    projections = 2 * 16 * 64 * (64 + 32 + 32 + 64 + 3 * 128)
    assert found.macs == 2 * (projections + 2 * 2 * 16 * 16 * 64) + 2 * 16 * 64 * 100
