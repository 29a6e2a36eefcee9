"""Fused attentions: what they read, the blocks they work on, and heads that share keys."""

from __future__ import annotations

import math

import pytest
from codesign_plugins.gpu.kernel import attention
from gpu_runs import PRESET, closed_form_s, fused, gpu, of, run

from codesign import Hardware, load_hardware
from codesign.calibration import budget_of
from codesign.hardware.plan import Budget

WIDE = Budget(1 << 26, 1e15, 1e15)


@pytest.fixture(scope="module")
def machine() -> Hardware:
    return load_hardware(PRESET)


def test_an_attention_reads_keys_and_values_of_their_own_heads_only(machine: Hardware) -> None:
    plain = run(machine, fused(1, 4096, heads=32)).offchip_bytes
    shared = run(machine, fused(1, 4096, heads=32, shared=8)).offchip_bytes
    assert sum(shared.values()) * 7 < sum(plain.values())


def test_an_attention_never_writes_its_scores(machine: Hardware) -> None:
    op = fused(2048, 2048)
    assert sum(run(machine, op).offchip_bytes.values()) == sum(a.bytes for a in op.operands)
    assert run(machine, op).latency_s == pytest.approx(closed_form_s(machine, op), rel=0.01)


def test_a_causal_attention_does_half_of_the_work_and_a_diagonal() -> None:
    engine, budget = gpu(units=1), Budget(1 << 26, 1e15, 1e15)
    full, half = (engine.kernel(fused(4096, 4096, causal=c), budget) for c in (False, True))
    assert half.compute_s / full.compute_s == pytest.approx((4096 + 128) / (2 * 4096))
    assert full.macs == fused(4096, 4096).macs
    assert half.macs / full.macs == pytest.approx((4096 + 1) / (2 * 4096))


@pytest.mark.parametrize(("queries", "keys"), [(1, 5), (5, 1), (130, 130), (100, 300), (300, 100)])
def test_pairs_and_blocks_of_a_causal_attention_are_those_one_by_one(
    queries: int, keys: int
) -> None:
    op = fused(queries, keys, heads=1, causal=True)
    engine = gpu()
    budget = Budget(1 << 26, 1e15, 1e15)
    found = attention(op, budget, engine.device(op, budget), engine.constants())
    seen = [(q, k) for q in range(queries) for k in range(keys) if k <= q]
    assert found.macs == len(seen) * (64 + 64)
    rows = min(128, -(-queries // 16) * 16)
    blocks = {(q // rows, k // 128) for q, k in seen}
    waves = math.ceil(len(blocks) / engine.units) * engine.units
    peak = engine.units * 1024 * engine.clock
    assert found.compute_s == pytest.approx(waves * rows * 128 * 128 / peak)


def test_one_query_is_not_charged_for_a_block_of_128(machine: Hardware) -> None:
    kernel = of(machine).kernel(fused(1, 8192, heads=32), budget_of(machine, of(machine)))
    assert kernel.compute_s < kernel.memory_s


def test_an_attention_has_a_share_of_the_peak_of_its_own() -> None:
    budget, op = Budget(1 << 26, 1e15, 1e15), fused(4096, 4096)
    same = gpu(compute_efficiency=0.5).kernel(op, budget)
    own = gpu(compute_efficiency=0.5, attention_efficiency=0.25).kernel(op, budget)
    assert own.compute_s == pytest.approx(2 * same.compute_s)


@pytest.mark.parametrize("queries", [1, 16])
def test_heads_that_share_keys_read_them_once(queries: int) -> None:
    """As FlashAttention-2 lays the query heads of one key head side by side."""
    plain, shared = (gpu().kernel(fused(queries, 8192, 64, n), WIDE) for n in (1, 8))
    own = 64 * queries * 64 * 2
    assert (plain.reads - own) == 8 * (shared.reads - own)
    assert shared.macs == plain.macs


def test_heads_side_by_side_fill_up_fewer_rows() -> None:
    """One query of 8 heads is filled up to 16 rows, not to 8 times 16."""
    plain, shared = (gpu(units=1).kernel(fused(1, 8192, 64, n), WIDE) for n in (1, 8))
    assert plain.compute_s == pytest.approx(8 * shared.compute_s)


def test_heads_whose_queries_fill_a_block_each_read_the_keys_for_themselves() -> None:
    plain, shared = (gpu().kernel(fused(128, 1024, 64, n), WIDE) for n in (1, 8))
    assert plain.reads == shared.reads
    assert plain.compute_s == shared.compute_s


@pytest.mark.parametrize("keys", [5, 128, 129, 1000])
def test_a_last_block_reads_no_keys_that_are_not_there(keys: int) -> None:
    found = gpu().kernel(fused(1, keys, heads=1), WIDE)
    assert found.reads == 2 * 64 * (1 + 2 * keys)


@pytest.mark.parametrize(("shared", "causal"), [(1, False), (1, True), (8, False), (8, True)])
def test_slots_of_an_attention_fill_its_time(shared: int, causal: bool) -> None:
    engine, budget = gpu(compute_efficiency=0.7), Budget(1 << 26, 1e12, 1e12, port_bytes_per_s=2e12)
    found = engine.kernel(fused(16, 4096, 64, shared, causal=causal), budget)
    per_s = engine.units * 1024 * engine.clock
    assert found.macs + sum(found.spent.values()) == pytest.approx(found.compute_s * per_s)
