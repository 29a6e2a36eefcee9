"""One decode token of Llama-3.1-8B on a small scratchpad: the size that must stay quick."""

from __future__ import annotations

from collections import Counter

import pytest

from codesign.models import resolve_model
from codesign.replay.result import Replay
from codesign.replay.run import replay
from codesign.result.result import Result, build_result
from codesign.simulation import simulate
from codesign.workload.dtype import DType
from codesign.workload.precision import with_precision
from codesign.workload.record import Trace
from codesign.zoo.llama_tokens import decode_tokens

LAYERS, KV_HEADS, WIDTH, CONTEXT = 32, 8, 128, 2048


@pytest.fixture(scope="module")
def trace() -> Trace:
    return resolve_model("llama_3_1_8b_decode", seq_len=CONTEXT)


@pytest.fixture(scope="module")
def result(trace: Trace) -> Result:
    return simulate(trace, "edge-npu", settings={"sram.size": "256 KiB"})


def test_the_parameters_are_those_published(trace: Trace) -> None:
    assert trace.parameters == 8_030_261_248
    assert trace.coverage.share == 1.0


def test_the_caches_are_state_and_hold_the_context(trace: Trace) -> None:
    caches = [tensor for tensor in trace.tensors if tensor.role == "state"]
    assert len(caches) == 2 * LAYERS
    assert {tensor.elements % (KV_HEADS * WIDTH) for tensor in caches} == {0}


def test_a_token_writes_one_row_of_each_cache(trace: Trace) -> None:
    written = [a for op, _ in trace.ops() for a in op.outputs if a.tensor.role == "state"]
    assert {access.elements for access in written} == {KV_HEADS * WIDTH}
    assert len(written) == 2 * LAYERS


@pytest.fixture(scope="module")
def plain(result: Result) -> Replay:
    """The same token with every event handled."""
    return replay(result.placement, result.machine, exact_events=True)


def test_a_tile_costs_at_most_three_events(result: Result, plain: Replay) -> None:
    assert result.tiles > 100_000
    assert plain.events <= 3 * result.tiles


def test_a_token_stays_within_its_budget_of_events(result: Result) -> None:
    assert result.fabric_events <= 40_000


def test_no_figure_differs_where_every_event_is_handled(result: Result, plain: Replay) -> None:
    assert plain.events > 10 * result.fabric_events
    for name in ("makespan", "lower", "serial", "busy", "moved", "totals", "spans"):
        assert getattr(result.replay, name) == getattr(plain, name)
    again = build_result(result.placement, result.machine, plain)
    assert again.digest == result.digest
    assert again.energy_by_component_j == result.energy_by_component_j


def test_further_tokens_cost_few_further_events(
    trace: Trace, result: Result, plain: Replay
) -> None:
    """Only what reads the longer cache is new in each."""
    tokens = with_precision(decode_tokens(trace, 4), DType.parse("int8"))
    longer = simulate(tokens, result.machine, dtype="native")
    assert longer.fabric_events - result.fabric_events < 3 * plain.events / 50
    assert longer.latency_s > 3.9 * result.latency_s


def test_every_weight_but_the_embedding_table_is_fetched_once(trace: Trace, result: Result) -> None:
    table = next(t for t in trace.tensors if t.name == "tokens.weight")
    rows = table.shape[1]
    assert result.offchip_bytes["weight"] == trace.parameters - table.elements + rows


def test_the_token_takes_as_long_as_its_bytes_at_the_least(result: Result) -> None:
    moved = sum(result.offchip_bytes.values())
    rate = result.machine.home("npu").service(()).bytes_per_s
    assert moved / rate <= result.latency_s < 1.1 * moved / rate
    assert result.lower_bound_s <= result.latency_s <= result.serial_bound_s


def test_equal_layers_are_planned_alike(result: Result) -> None:
    plans = Counter(id(a.plan) for a, _ in result.placement.assignments() if a.op.kind != "gather")
    assert len(plans) < 40
    assert max(plans.values()) >= LAYERS
