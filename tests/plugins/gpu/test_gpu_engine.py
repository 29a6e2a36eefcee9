"""The kind ``gpu``: its replay is its closed form, and its slots and bytes have causes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from codesign_plugins.gpu import Gpu
from codesign_plugins.gpu.kernel import attention, memory_s
from hypothesis import given, settings
from hypothesis import strategies as st

import codesign
from codesign import Hardware, Op, Result, Tensor, Trace, load_hardware
from codesign.calibration import budget_of
from codesign.errors import HardwareError, MappingError
from codesign.hardware.plan import Budget
from codesign.result.ranges import Ranged, range_notes
from codesign.testing import (
    check_engine,
    convolution,
    elementwise,
    gather,
    matmul,
    move,
    normalize,
    reduce,
    softmax,
)
from codesign.testing.operators import whole

PRESET = "a100-80gb"
GRID = [(m, k, n) for m in (1, 96, 2048) for k in (64, 4096) for n in (130, 8192)]
STREAMS = (
    elementwise((10,), dtype="fp16"),
    elementwise((2048, 4096), ("gelu",), dtype="fp16"),
    softmax(512, 4096, dtype="fp16"),
    normalize(1024, 4096, dtype="fp16"),
    reduce(1000, 3000, dtype="fp16"),
    gather(32000, 64, 4096, dtype="fp16"),
    move((1000, 1000), dtype="fp16"),
)


@pytest.fixture(scope="module")
def machine() -> Hardware:
    return load_hardware(PRESET)


def gpu(**fields: Any) -> Gpu:
    return Gpu(name="gpu", buffer="l2", **fields)


def of(machine: Hardware) -> Gpu:
    (engine,) = machine.engines
    assert isinstance(engine, Gpu)
    return engine


def run(machine: Hardware, *ops: Op, **options: Any) -> Result:
    tensors: dict[str, Tensor] = {a.tensor.name: a.tensor for op in ops for a in op.operands}
    return codesign.simulate(Trace("alone", ops, tuple(tensors.values())), machine, **options)


def chain(ops: Sequence[Op]) -> list[Op]:
    """The operators with names and tensors of their own."""
    return [
        replace(
            op,
            name=f"{number} {op.name}",
            inputs=tuple(_named(access, number) for access in op.inputs),
            outputs=tuple(_named(access, number) for access in op.outputs),
        )
        for number, op in enumerate(ops)
    ]


def _named(access: Any, number: int) -> Any:
    return replace(access, tensor=replace(access.tensor, name=f"{access.tensor.name}{number}"))


def closed_form_s(machine: Hardware, op: Op) -> float:
    engine = of(machine)
    return float(engine.t0 + engine.kernel(op, budget_of(machine, engine)).work_s)


def fused(queries: int, keys: int, heads: int = 4, shared: int = 1, *, causal: bool = False) -> Op:
    """An attention of one sequence; ``shared`` query heads read one key head."""
    sizes = ((heads, queries), (heads // shared, keys), (heads // shared, keys))
    inputs = tuple(
        whole(name, (1, count, length, 64), "input", "fp16")
        for name, (count, length) in zip("qkv", sizes, strict=True)
    )
    output = whole("y", (1, heads, queries, 64), "output", "fp16")
    facts = (("causal", causal), ("gqa", shared > 1))
    return Op("attention", "attention", inputs, (output,), attributes=facts)


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


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_the_replay_takes_the_closed_form_without_a_start_and_at_the_peak(
    machine: Hardware, share: float
) -> None:
    bare = machine.with_all({"gpu.t0": 0.0, "gpu.memory_efficiency": share})
    for op in (matmul(64, 4096, 4096, dtype="fp16"), matmul(4096, 4096, 4096, dtype="fp16")):
        assert run(bare, op).latency_s == pytest.approx(closed_form_s(bare, op), rel=0.01)


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


ANY = {"fp16*int4": 0.0}


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


def test_what_lies_in_the_cache_costs_the_memory_nothing() -> None:
    op = matmul(64, 64, 64, dtype="fp16")
    whole_op = gpu().kernel(op, Budget(1 << 20, 1e9, 1e9)).memory_s
    there = gpu().kernel(op, Budget(1 << 20, 1e9, 1e9, resident=(False, True, False)))
    assert there.memory_s == pytest.approx(whole_op * 2 / 3)


def test_what_stays_in_the_cache_is_up_to_the_residency_of_the_run(machine: Hardware) -> None:
    first, second = chain([elementwise((512, 512), dtype="fp16"), softmax(512, 512, dtype="fp16")])
    (written,) = first.outputs
    between = replace(written, tensor=replace(written.tensor, role="activation"))
    first, second = replace(first, outputs=(between,)), replace(second, inputs=(between,))
    kept, fetched = (run(machine, first, second, residency=policy) for policy in ("greedy", "none"))
    assert sum(fetched.offchip_bytes.values()) == 4 * 512 * 512 * 2
    assert sum(kept.offchip_bytes.values()) == 2 * 512 * 512 * 2
    assert kept.latency_s < fetched.latency_s


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


def test_launches_count_only_where_the_host_waits(machine: Hardware) -> None:
    op = matmul(64, 64, 64, dtype="fp16")
    kernel = run(machine, op).latency_s
    host = run(machine.with_("gpu.protocol", "host"), op).latency_s
    assert host - kernel == pytest.approx(of(machine).launch_overhead, rel=1e-3)


def test_a_network_of_tiny_kernels_takes_its_launches(machine: Hardware) -> None:
    queued = machine.with_("gpu.protocol", "queue")
    ops = chain([elementwise((16,), dtype="fp16")] * 20)
    launches = 20 * of(machine).launch_overhead
    assert run(queued, *ops).latency_s == pytest.approx(launches, rel=1e-3)


def test_a_network_of_large_kernels_hides_its_launches(machine: Hardware) -> None:
    queued = machine.with_("gpu.protocol", "queue")
    ops = chain([elementwise((4096, 4096), dtype="fp16")] * 5)
    assert run(queued, *ops).latency_s == pytest.approx(run(machine, *ops).latency_s, rel=1e-6)


def test_an_uncalibrated_device_says_so() -> None:
    assert "uncalibrated, e = 1" in gpu().notes[1]
    assert "fit no measurement" in gpu(memory_efficiency=0.5).notes[1]
    assert gpu(calibration="fitted somewhere").notes[1] == "gpu: fitted somewhere"
    assert any("e = 1" in note for note in run(load_hardware("h100"), STREAMS[0]).assumptions)


def test_a_result_repeats_how_well_the_device_was_fitted(machine: Hardware) -> None:
    notes = run(machine, STREAMS[0]).assumptions
    assert any("constants fitted to kernel times: mean error 7.2%" in note for note in notes)


@pytest.mark.parametrize(
    ("op", "reason"),
    [
        (matmul(64, 4096, 4096, dtype="fp16"), ""),
        (matmul(64, 4096, 4096, dtype="int8"), "no contraction int8*int8 was measured"),
        (matmul(8192, 4096, 4096, dtype="fp16"), "m above 4,096"),
        (matmul(64, 4096, 64, dtype="fp16"), "bytes below 4,415,488"),
        (matmul(64, 16384, 4096, dtype="fp16"), "k above 11,008"),
        (softmax(64, 64, dtype="fp16"), "no softmax was measured"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_an_operator_outside_of_the_fit_is_named(machine: Hardware, op: Op, reason: str) -> None:
    engine = of(machine)
    assert engine.beyond(op) == reason
    note = engine.plan(op, budget_of(machine, engine)).note
    assert ("outside of what it was fitted on" in note) == bool(reason)
    assert note.endswith(reason)


def test_a_device_that_was_not_fitted_flags_nothing() -> None:
    assert gpu().beyond(softmax(64, 64)) == ""


def test_a_result_can_say_which_share_of_its_time_lies_outside(machine: Hardware) -> None:
    inside = matmul(64, 4096, 4096, dtype="fp16")
    assert isinstance(of(machine), Ranged)
    assert range_notes(run(machine, inside).placement, machine) == ()
    ops = chain([inside, softmax(4096, 4096, dtype="fp16")])
    result = run(machine, *ops)
    (note,) = range_notes(result.placement, machine)
    times = [closed_form_s(machine, op) for op in ops]
    assert f"{times[1] / sum(times):.1%} of its time" in note
    assert note.endswith("no softmax was measured")


def test_a_note_names_the_longest_reasons_and_counts_the_others(machine: Hardware) -> None:
    ops = chain([*STREAMS[1:5], matmul(64, 4096, 64, dtype="fp16")])
    (note,) = range_notes(run(machine, *ops).placement, machine)
    assert "100.0% of its time" in note
    assert note.endswith("and 3 more")


def test_engines_that_know_no_range_are_left_out() -> None:
    edge = load_hardware("edge-npu")
    result = run(edge, matmul(8, 8, 8))
    assert range_notes(result.placement, edge) == ()
