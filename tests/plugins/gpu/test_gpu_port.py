"""The law of the port: nothing that goes through the shared cache is faster than its port."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gpu_runs import PRESET, PRESETS, STREAMS, closed_form_s, fused, gpu, joined, of, run
from hypothesis import given
from hypothesis import strategies as st

from codesign import Hardware, Op, Sparsity, load_hardware
from codesign.calibration import budget_of
from codesign.hardware.plan import Budget
from codesign.testing import elementwise, every_operator, matmul, softmax

PORT = 7219.2e9


@pytest.fixture(scope="module")
def machine() -> Hardware:
    return load_hardware(PRESET)


def biased(m: int, k: int, n: int) -> Op:
    return matmul(m, k, n, bias=True, dtype="fp16")


def sparse(m: int, k: int, n: int) -> Op:
    op = matmul(m, k, n, dtype="fp16")
    weight = op.inputs[1]
    tensor = replace(weight.tensor, sparsity=Sparsity.parse("2:4 axis 0"))
    return replace(op, inputs=(op.inputs[0], replace(weight, tensor=tensor)))


OPERATORS = st.one_of(
    st.sampled_from([*STREAMS, *every_operator("fp16")]),
    st.builds(
        lambda m, k, n, make: make(m, k, n),
        st.integers(1, 5000),
        st.integers(4, 5000),
        st.integers(1, 5000),
        st.sampled_from([biased, sparse]),
    ),
    st.builds(
        lambda queries, keys, shared, causal: fused(queries, keys, 64, shared, causal=causal),
        st.integers(1, 300),
        st.integers(1, 9000),
        st.sampled_from([1, 8, 64]),
        st.booleans(),
    ),
)


@given(op=OPERATORS, resident=st.lists(st.booleans(), min_size=6, max_size=6))
@pytest.mark.parametrize("peak", [False, True], ids=["fitted", "at the peak"])
@pytest.mark.parametrize("preset", PRESETS)
def test_bytes_over_time_never_exceed_the_port(
    preset: str, peak: bool, op: Op, resident: list[bool]
) -> None:
    """Whatever lies in the cache already."""
    machine = load_hardware(preset)
    engine = of(machine)
    if peak:
        engine = replace(engine, t0=0.0, compute_efficiency=1.0, memory_efficiency=1.0)
    if engine.supports(op):
        return
    budget = replace(budget_of(machine, engine), resident=tuple(resident[: len(op.operands)]))
    kernel, plan = engine.kernel(op, budget), engine.plan(op, budget)
    assert kernel.reads + kernel.writes <= kernel.work_s * budget.port_bytes_per_s * (1 + 1e-9)
    moved = sum(count for part, _, count in plan.actions if part == "buffer")
    assert moved <= plan.cycles / plan.clock_hz * budget.port_bytes_per_s * (1 + 1e-9)


def test_a_chain_that_stays_in_the_cache_takes_its_port(machine: Hardware) -> None:
    """Two of four operators of 4 MB move nothing from home: each takes 8 MB through the port."""
    bare = machine.with_("gpu.t0", 0.0)
    ops = joined([elementwise((2048, 1024), dtype="fp16")] * 4)
    result = run(bare, *ops, residency="greedy")
    size = 2 * 2048 * 1024
    assert sum(result.offchip_bytes.values()) == 2 * size
    ends = size / (2039e9 * 0.77)
    assert result.latency_s == pytest.approx(2 * ends + 2 * (2 * size / PORT), rel=0.02)


@pytest.mark.parametrize("shared", [1, 8])
def test_a_decode_out_of_the_cache_takes_its_port(shared: int) -> None:
    op = fused(1, 8192, 64, shared)
    budget = Budget(1 << 30, 2e12, 2e12, resident=(True,) * 4, port_bytes_per_s=PORT)
    kernel = gpu().kernel(op, budget)
    assert kernel.memory_s == 0
    assert kernel.work_s >= sum(access.bytes for access in op.operands) / PORT


def test_what_lies_in_the_cache_costs_the_memory_nothing_and_the_port_all_the_same() -> None:
    op = matmul(64, 64, 64, dtype="fp16")
    home = Budget(1 << 20, 1e9, 1e9, port_bytes_per_s=2e9)
    whole, part, none = (
        gpu().kernel(op, replace(home, resident=resident))
        for resident in ((), (False, True, False), (True, True, True))
    )
    assert part.memory_s == pytest.approx(whole.memory_s * 2 / 3)
    assert none.memory_s == 0
    assert whole.compute_s == part.compute_s == none.work_s
    assert none.work_s >= 3 * 64 * 64 * 2 / 2e9


def test_a_product_that_waits_for_the_port_says_so_in_its_slots() -> None:
    """So short a sum writes more than it reads, and no step of a tile knows of that."""
    engine, op = gpu(), matmul(4096, 16, 4096, dtype="fp16")
    budget = Budget(1 << 26, 1e15, 1e15, port_bytes_per_s=2e12)
    kernel = engine.kernel(op, budget)
    assert kernel.work_s == pytest.approx((kernel.reads + kernel.writes) / 2e12)
    wide = engine.kernel(op, replace(budget, port_bytes_per_s=1e15))
    assert kernel.spent["shared cache"] > wide.spent["shared cache"]
    per_s = engine.units * 1024 * engine.clock
    for found in (kernel, wide):
        assert found.macs + sum(found.spent.values()) == pytest.approx(found.compute_s * per_s)


def test_partial_sums_go_through_the_cache() -> None:
    op = matmul(64, 8192, 64, dtype="fp16")
    kernel = gpu().kernel(op, Budget(1 << 26, 1e12, 1e12, port_bytes_per_s=7e12))
    (split,) = [n for n in (2, 4, 8) if f"split {n} ways" in kernel.note]
    sums = split * 64 * 64 * 4
    assert kernel.writes == 64 * 64 * 2 + sums
    assert kernel.reads == (64 + 64) * 8192 * 2 + sums


def test_what_is_fused_behind_a_product_is_read_too() -> None:
    plain, biased = (matmul(256, 512, 256, bias=b, dtype="fp16") for b in (False, True))
    budget = Budget(1 << 26, 1e12, 1e12)
    reads = [gpu().kernel(op, budget).reads for op in (plain, biased)]
    assert reads[1] - reads[0] == biased.inputs[2].bytes


def test_an_operator_from_home_is_as_fast_as_the_memory(machine: Hardware) -> None:
    """The port is the faster of both there: it changes nothing."""
    op = softmax(4096, 4096, dtype="fp16")
    moved = 2 * 2 * 4096 * 4096
    wanted = of(machine).t0 + moved / (2039e9 * 0.55)
    assert closed_form_s(machine, op) == pytest.approx(wanted, rel=1e-6)


def test_what_stays_in_the_cache_is_up_to_the_residency_of_the_run(machine: Hardware) -> None:
    ops = joined([elementwise((512, 512), dtype="fp16"), softmax(512, 512, dtype="fp16")])
    kept, fetched = (run(machine, *ops, residency=policy) for policy in ("greedy", "none"))
    assert sum(fetched.offchip_bytes.values()) == 4 * 512 * 512 * 2
    assert sum(kept.offchip_bytes.values()) == 2 * 512 * 512 * 2
    assert kept.latency_s < fetched.latency_s
