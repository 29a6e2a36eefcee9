"""The kind ``gpu``: its replay is its closed form, and its slots and bytes have causes."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from codesign_plugins.gpu.kernel import memory_s
from gpu_runs import PRESET, PRESETS, STREAMS, chain, closed_form_s, gpu, of, run
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign import Hardware, Op, load_hardware
from codesign.calibration import budget_of
from codesign.errors import HardwareError, MappingError
from codesign.hardware.plan import Budget
from codesign.testing import (
    check_engine,
    convolution,
    elementwise,
    gather,
    matmul,
    reduce,
    softmax,
)

GRID = [(m, k, n) for m in (1, 96, 2048) for k in (64, 4096) for n in (130, 8192)]
ANY = {"fp16*int4": 0.0}


@pytest.fixture(scope="module")
def machine() -> Hardware:
    return load_hardware(PRESET)


def test_it_keeps_every_promise_of_an_engine() -> None:
    check_engine(gpu())
    check_engine(gpu(t0=4e-6, compute_efficiency=0.7, memory_efficiency=0.6))


@pytest.mark.parametrize("sizes", GRID, ids=str)
def test_the_replay_of_a_product_takes_the_closed_form(
    machine: Hardware, sizes: tuple[int, int, int]
) -> None:
    op = matmul(*sizes, dtype="fp16")
    assert run(machine, op).latency_s == pytest.approx(closed_form_s(machine, op), rel=0.01)


@pytest.mark.parametrize("op", STREAMS, ids=lambda op: op.name)
def test_the_replay_of_everything_else_takes_the_closed_form(machine: Hardware, op: Op) -> None:
    assert run(machine, op).latency_s == pytest.approx(closed_form_s(machine, op), rel=0.01)


OPERATORS = st.one_of(
    st.builds(
        lambda m, k, n: matmul(m, k, n, dtype="fp16"),
        st.integers(1, 3000),
        st.integers(8, 4096),
        st.integers(1, 8192),
    ),
    st.builds(
        lambda m, n, what: what(m, n),
        st.integers(1, 4000),
        st.integers(1, 4000),
        st.sampled_from(
            [
                lambda m, n: elementwise((m, n), ("add",), inputs=2, dtype="fp16"),
                lambda m, n: softmax(m, n, dtype="fp16"),
                lambda m, n: reduce(m, n, dtype="fp16"),
            ]
        ),
    ),
)
FEW = 16
"""Cycles that a replay may take beyond 1 %: tiles take whole cycles and move whole bursts."""


@settings(max_examples=25, deadline=None)
@given(op=OPERATORS)
@pytest.mark.parametrize("bare", [False, True], ids=["as it is", "no start, at the peak"])
@pytest.mark.parametrize("preset", PRESETS)
def test_the_replay_takes_the_closed_form_within_a_hundredth_and_a_few_cycles(
    preset: str, bare: bool, op: Op
) -> None:
    machine = load_hardware(preset)
    if bare:
        machine = machine.with_all({"gpu.t0": 0.0, "gpu.memory_efficiency": 1.0})
    wanted = closed_form_s(machine, op)
    few = FEW / of(machine).clock
    assert run(machine, op).latency_s == pytest.approx(wanted, abs=0.01 * wanted + few)


@pytest.mark.parametrize(
    "op",
    [
        matmul(1, 64, 8192, dtype="fp16"),
        reduce(1000, 3000, dtype="fp16"),
        elementwise((3000, 1000), dtype="fp16"),
    ],
    ids=lambda op: op.name,
)
@pytest.mark.parametrize("preset", ["h100", "mi300x"])
def test_uneven_cycles_of_short_kernels_do_not_add_up(preset: str, op: Op) -> None:
    """Tiles with a cycle more than others move as much more, or the memory would wait."""
    machine = load_hardware(preset)
    assert run(machine, op).latency_s == pytest.approx(closed_form_s(machine, op), rel=0.011)


@settings(max_examples=20)
@given(m=st.integers(1, 4096), k=st.integers(16, 4096), n=st.integers(1, 4096))
def test_any_product_takes_the_closed_form(m: int, k: int, n: int) -> None:
    machine, op = load_hardware(PRESET), matmul(m, k, n, dtype="fp16")
    assert run(machine, op).latency_s == pytest.approx(closed_form_s(machine, op), rel=0.01)


def test_operators_one_after_the_other_take_the_sum(machine: Hardware) -> None:
    ops = chain([matmul(256, 1024, 4096, dtype="fp16"), *STREAMS])
    alone = sum(closed_form_s(machine, op) for op in ops)
    assert run(machine, *ops).latency_s == pytest.approx(alone, rel=0.01)


def test_a_faster_memory_makes_a_thin_product_faster(machine: Hardware) -> None:
    op = matmul(1, 8192, 8192, dtype="fp16")
    start = of(machine).t0
    before = run(machine, op).latency_s - start
    after = run(machine.with_("hbm.bandwidth", "4078 GB/s"), op).latency_s - start
    assert after == pytest.approx(before / 2, rel=0.01)


def test_bytes_count_at_their_true_bits() -> None:
    budget, engine = Budget(1 << 26, 1e9, 1e9), gpu(macs={"fp16*int4": 1.0}, mac_energy=ANY)
    op = matmul(8, 1024, 1024, dtype="fp16", weight_dtype="int4")
    assert engine.kernel(op, budget).memory_s == pytest.approx(
        (2 * 8 * 1024 + 1024 * 1024 // 2 + 2 * 8 * 1024) / 1e9
    )


def test_each_kind_reaches_its_own_share_of_the_bandwidth() -> None:
    budget = Budget(1 << 26, 1e9, 2e9)
    engine = gpu(memory_efficiency=0.8, kind_efficiency={"softmax": 0.5})
    soft, plain = softmax(64, 64, dtype="fp16"), elementwise((64, 64), dtype="fp16")
    once = 2 * 64 * 64 * (1 / 1e9 + 1 / 2e9)
    assert engine.kernel(soft, budget).work_s == pytest.approx(once / 0.5)
    assert engine.kernel(plain, budget).work_s == pytest.approx(once / 0.8)


def test_single_rows_of_a_table_cost_whole_bursts() -> None:
    op = gather(1000, 10, 20, dtype="int8")  # rows of 20 bytes
    narrow, wide = (Budget(1 << 20, 1e9, 1e9, burst_bytes=burst) for burst in (1, 32))
    assert memory_s(op, narrow, 1.0) == pytest.approx((10 * 20 + 10 * 4 + 10 * 20) / 1e9)
    assert memory_s(op, wide, 1.0) == pytest.approx((10 * 32 + 10 * 4 + 10 * 20) / 1e9)


def test_a_pair_of_formats_without_a_rate_is_refused_in_one_line(machine: Hardware) -> None:
    op = matmul(8, 8, 8, dtype="int4", weight_dtype="int8")
    reason = of(machine).supports(op)
    assert reason is not None
    assert reason.startswith("no MAC rate for int4*int8; has bf16*bf16, fp16*fp16")
    with pytest.raises(MappingError, match=r"no MAC rate for int4\*int8") as caught:
        run(machine, op)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "entries"),
    [
        ("macs", {"fp16*fp16": 1.0, "int8*int8": 1.0}),
        ("mac_energy", {"fp16*fp16": 1e-12, "fp16": 1e-12}),
    ],
)
def test_a_rate_without_an_energy_is_refused(table: str, entries: dict[str, float]) -> None:
    with pytest.raises(HardwareError, match=rf"gpu.{table}\[.*\] must name two formats"):
        gpu(**{table: entries}).check()


def test_products_of_fp32_are_exact_unless_tf32_is_allowed(machine: Hardware) -> None:
    """At 19.5 TFLOPS, as torch multiplies matrices by default; TF32 has eight times the rate."""
    op = matmul(8192, 8192, 8192, dtype="fp32")
    for is_allowed, peak, formats in ((False, 19.5e12, "fp32*fp32"), (True, 156e12, "tf32*tf32")):
        result = run(machine.with_("gpu.allow_tf32", is_allowed), op, dtype="native")
        assert 0.7 * peak < 2 * op.macs / result.latency_s <= peak
        (plan,) = [one.plan for one, _ in result.placement.assignments()]
        assert plan
        assert ("", f"mac {formats}", op.macs) in plan.actions


def test_tf32_changes_no_other_format() -> None:
    rates = {"fp16*fp16": 8.0, "fp32*fp32": 1.0, "tf32*tf32": 4.0}
    energies = dict.fromkeys(rates, 1e-12)
    exact, rounded = (gpu(macs=rates, mac_energy=energies, allow_tf32=a) for a in (False, True))
    budget = Budget(1 << 26, 1e15, 1e15)
    for dtype, gain in (("fp16", 1), ("fp32", 4)):
        op = matmul(256, 512, 256, dtype=dtype)
        first, second = (engine.kernel(op, budget).compute_s for engine in (exact, rounded))
        assert first / second == pytest.approx(gain, rel=1e-4)
        assert rounded.plan(op, budget).slots


def test_tf32_without_a_rate_for_it_is_refused() -> None:
    with pytest.raises(HardwareError, match=r"gpu.allow_tf32 needs a rate for 'tf32\*tf32'"):
        gpu(allow_tf32=True).check()


@pytest.mark.parametrize("sizes", GRID, ids=str)
def test_slots_are_all_units_in_all_cycles(machine: Hardware, sizes: tuple[int, int, int]) -> None:
    engine, op = of(machine), matmul(*sizes, dtype="fp16")
    plan = engine.plan(op, budget_of(machine, engine))
    slots = dict(plan.slots)
    assert slots["effective"] == math.prod(sizes)
    per_cycle = engine.units * engine.macs["fp16*fp16"]
    assert sum(slots.values()) == pytest.approx(plan.cycles * per_cycle, abs=2 * per_cycle)
    assert min(slots.values()) > 0


def test_wasted_slots_have_the_causes_that_a_reader_expects() -> None:
    def shares(m: int, k: int, n: int, **fields: Any) -> Counter[str]:
        plan = gpu(**fields).plan(
            matmul(m, k, n, dtype="fp16"), Budget(1 << 26, 2e12, 2e12, port_bytes_per_s=7e12)
        )
        return Counter(dict(plan.slots))

    full = shares(256 * 12, 65536, 128 * 9)
    # one wave of all units at the peak: the memory alone is a little slower than nothing
    assert full["effective"] / full.total() > 0.99
    assert shares(1, 4096, 4096)["memory"] > 0
    assert shares(300, 4096, 300)["edge of tiles"] > 0
    assert shares(256, 8192, 256)["last wave"] > 0
    assert shares(64, 64, 64, t0=1e-5)["start"] > 0.9 * shares(64, 64, 64, t0=1e-5).total()
    slow = shares(256 * 12, 65536, 128 * 9, compute_efficiency=0.5)
    assert slow["efficiency"] == pytest.approx(slow["effective"], rel=0.01)


def test_every_mac_is_charged_once(machine: Hardware) -> None:
    engine, op = of(machine), matmul(7, 64, 33, dtype="fp16")
    counts = {
        a: n for part, a, n in engine.plan(op, budget_of(machine, engine)).actions if not part
    }
    assert counts == {"mac fp16*fp16": 7 * 64 * 33}
    biased = matmul(7, 64, 33, bias=True, dtype="fp16")
    plan = engine.plan(biased, budget_of(machine, engine))
    assert ("", "element", 7 * 33) in plan.actions


def test_the_shared_cache_is_read_once_for_every_tile() -> None:
    op = matmul(512, 1000, 512, dtype="fp16")
    plan = gpu().plan(op, Budget(1 << 26, 1e12, 1e12))
    reads = {action: n for part, action, n in plan.actions if part == "buffer"}
    rows, columns = map(int, plan.note.split(" of ")[1].split(",")[0].split(" x "))
    tiles = math.ceil(512 / rows) * math.ceil(512 / columns)
    assert reads["read"] == tiles * (rows + columns) * 2 * 1000
    assert reads["write"] == 512 * 512 * 2


def test_a_convolution_is_the_product_that_it_is() -> None:
    op = convolution(64, 128, 30, 3, dtype="fp16")
    _, m, k, n = op.gemm
    budget = Budget(1 << 26, 1e15, 1e15)
    product = gpu().kernel(matmul(m, k, n, dtype="fp16"), budget)
    assert gpu().kernel(op, budget).compute_s == pytest.approx(product.compute_s)
