"""The DSP: a rate for every sort of work and format, and nothing without an entry."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from codesign_plugins.dsp import Dsp
from hypothesis import given
from hypothesis import strategies as st
from keyword_networks import shift, temporal_filter, tensor

from codesign.errors import HardwareError, MappingError
from codesign.hardware.plan import Budget, TilePlan
from codesign.testing import convolution, elementwise, gather, matmul, move, normalize, softmax
from codesign.testing.operators import whole
from codesign.workload.record import Access, Op

AMPLE = Budget(1 << 24, 1e12, 1e12)
INT8 = {"linear": 8, "convolution": 4, "depthwise": 1, "temporal_filter": 0.5, "attention": 2}
TABLES: dict[str, Any] = {
    "macs_per_cycle": {f"{word} int8*int8": rate for word, rate in INT8.items()},
    "mac_energy": {"int8*int8": 3e-13},
    "elements_per_cycle": {
        "elementwise int8": 2.0,
        "gelu int8": 0.5,
        "softmax int8": 0.25,
        "normalize int8": 0.2,
        "reduce int8": 4.0,
        "gather int8": 1.0,
        "sort int8": 0.5,
    },
    "bytes_per_cycle": {"move int8": 8.0, "state_shift int8": 4.0, "ring_buffer int8": 2.0},
}
STATE = tensor("state", (16, 10), "state")
COLUMN = whole("new", (16, 1))
FILTERED = whole("filtered", (16,))


def core(**fields: Any) -> Dsp:
    return Dsp(**{"name": "dsp", "buffer": "ram", **TABLES, **fields})


def plan(op: Op, budget: Budget = AMPLE, **fields: Any) -> TilePlan:
    found: TilePlan = core(**fields).plan(op, budget)
    return found


def actions(found: TilePlan) -> Counter[tuple[str, str]]:
    return Counter({(component, action): n for component, action, n in found.actions})


def scores() -> Op:
    """A product of two activations, as attention has."""
    first, second = whole("q", (12, 16)), whole("k", (16, 20))
    product = matmul(12, 16, 20)
    return Op("qk", "contraction", (first, second), product.outputs, product.nest)


PRODUCTS = {
    "linear": matmul(3, 40, 50),
    "convolution": convolution(6, 10, 9, 3, padding=1),
    "depthwise": convolution(12, 12, 8, 3, padding=1, groups=12),
    "temporal_filter": temporal_filter("time", STATE, FILTERED),
    "attention": scores(),
}


@pytest.mark.parametrize("word", PRODUCTS)
def test_a_contraction_takes_its_macs_at_the_rate_of_its_sort(word: str) -> None:
    op = PRODUCTS[word]
    assert op.macs > 0
    assert plan(op).cycles == math.ceil(op.macs / INT8[word])


@pytest.mark.parametrize("word", PRODUCTS)
def test_no_other_rate_moves_it(word: str) -> None:
    others = {key: rate * 3 for key, rate in TABLES["macs_per_cycle"].items()}
    others[f"{word} int8*int8"] = INT8[word]
    assert plan(PRODUCTS[word], macs_per_cycle=others).cycles == plan(PRODUCTS[word]).cycles


@given(st.integers(1, 400), st.floats(0.1, 40), st.integers(0, 500), st.integers(1, 9))
def test_an_operator_costs_its_work_and_one_call_however_it_is_cut(
    elements: int, rate: float, overhead: int, pieces: int
) -> None:
    table = {"elementwise int8": rate}
    budget = Budget(max(4, 4 * elements // pieces), 1e12, 1e12)
    found = plan(elementwise((elements,)), budget, elements_per_cycle=table, call_overhead=overhead)
    least = elements / rate
    assert overhead + least - 1e-3 <= found.cycles <= overhead + least + found.tiles


def test_a_function_has_its_own_rate_or_that_of_its_kind() -> None:
    assert plan(elementwise((80,), ("gelu",))).cycles == 160
    assert plan(elementwise((80,), ("relu",))).cycles == 40
    assert plan(elementwise((80,), ("relu", "gelu", "add"))).cycles == 40 + 160 + 40


def test_functions_behind_a_contraction_take_their_time_on_every_result() -> None:
    bare, biased = matmul(4, 32, 20), matmul(4, 32, 20, bias=True)
    assert plan(biased).cycles == plan(bare).cycles + 4 * 20 // 2
    assert actions(plan(biased))["", "element"] == 80
    assert actions(plan(bare))["", "element"] == 0


def test_what_is_fused_with_a_softmax_is_elementwise() -> None:
    op = softmax(6, 40)
    fused = Op(op.name, op.kind, op.inputs, op.outputs, None, ("mul", "softmax"), op.attributes)
    assert plan(op).cycles == 240 * 4
    assert plan(fused).cycles == 240 * 4 + 240 // 2


def test_normalisation_and_gathering_have_rates_of_their_own() -> None:
    assert plan(normalize(20, 96)).cycles == 20 * 96 * 5
    assert plan(gather(500, 40, 32)).cycles == 40 * 32


def test_a_sort_takes_a_logarithm_of_the_row_more() -> None:
    op = Op("t", "sort", (whole("x", (4, 256)),), (whole("y", (4, 256)),))
    assert plan(op).cycles == 4 * 256 * 2 * 8


def test_moves_shifts_and_rings_count_the_bytes_that_they_write() -> None:
    slot = Access(STATE, (16, 1), (10, 1))
    ring = Op("ring", "move", (COLUMN,), (slot,), functions=("move",))
    assert plan(move((16, 10))).cycles == 160 // 8
    assert plan(shift("shift", COLUMN, STATE)).cycles == 160 // 4
    assert plan(ring).cycles == 16 // 2
    assert actions(plan(ring))["", "byte"] == 16


def test_energy_counts_macs_elements_bytes_and_every_cycle() -> None:
    found = actions(plan(PRODUCTS["linear"], call_overhead=7))
    assert found["", "mac int8*int8"] == 3 * 40 * 50
    assert found["", "cycle"] == 7 + 3 * 40 * 50 // 8
    prices = core(element_energy=2e-12, byte_energy=3e-12, cycle_energy=4e-12)
    assert [prices.energy_j(name, 2) for name in ("mac int8*int8", "element", "byte", "cycle")] == (
        pytest.approx([6e-13, 4e-12, 6e-12, 8e-12])
    )


def test_registers_save_reads_of_the_buffer() -> None:
    op, resident = matmul(4, 32, 20), Budget(1 << 20, 1e9, 1e9, resident=(True,) * 3)
    wide = actions(plan(op, resident, block_rows=4, block_cols=20))["buffer", "read"]
    narrow = actions(plan(op, resident, block_rows=1, block_cols=1))["buffer", "read"]
    assert wide == 4 * 32 + 32 * 20
    assert narrow == 20 * 4 * 32 + 4 * 32 * 20


def test_a_tile_is_never_faster_than_the_port_of_its_buffer() -> None:
    op = matmul(1, 64, 80)
    slow = Budget(1 << 20, 1e12, 1e12, port_bytes_per_s=6e8)
    bytes_touched = 64 * 80 + 64 * 20 + 80
    found = plan(op, slow, clock=6e8)
    assert found.cycles == bytes_touched
    assert dict(found.slots)["buffer port"] == (bytes_touched - 640) * 8


def test_slots_say_what_the_best_kernel_would_have_issued() -> None:
    op = PRODUCTS["temporal_filter"]
    found = dict(plan(op, call_overhead=5).slots)
    assert found == {"effective": 160, "call": 40, "kernel": 320 * 8 - 160}
    assert sum(found.values()) == (320 + 5) * 8


@pytest.mark.parametrize(
    ("op", "entry"),
    [
        (matmul(4, 4, 4, dtype="int4"), "'linear int4*int4' to macs_per_cycle"),
        (
            matmul(4, 4, 4, weight_dtype="int4", bias=True),
            "'linear int8*int4' to macs_per_cycle",
        ),
        (elementwise((8,), ("gelu",), dtype="fp32"), "'gelu fp32' or 'elementwise fp32' to elem"),
        (softmax(2, 8, dtype="bf16"), "'softmax bf16' to elements_per_cycle"),
        (move((8,), dtype="int16"), "'move int16' to bytes_per_cycle"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_missing_entry_is_refused_and_named(op: Op, entry: str) -> None:
    answer = core().supports(op)
    assert answer is not None
    assert answer.startswith(f"has no rate for it; add {entry}")


def test_every_missing_entry_is_named_once() -> None:
    op = matmul(4, 4, 4, dtype="fp32", bias=True)
    assert core().supports(op) == (
        "has no rate for it; add 'linear fp32*fp32' to macs_per_cycle, "
        "and 'add fp32' or 'elementwise fp32' to elements_per_cycle"
    )
    twice = elementwise((8,), ("relu", "relu"), dtype="fp32")
    assert str(core().supports(twice)).count("relu") == 1


def test_an_entry_makes_it_taken() -> None:
    op = matmul(4, 4, 4, dtype="int4")
    table = {**TABLES["macs_per_cycle"], "linear int4*int4": 16.0}
    energies = {**TABLES["mac_energy"], "int4*int4": 1e-13}
    assert core(macs_per_cycle=table, mac_energy=energies).supports(op) is None


def test_an_attention_is_left_to_its_parts() -> None:
    inputs = tuple(whole(name, (1, 1, 4, 4)) for name in "qkv")
    op = Op("a", "attention", inputs, (whole("y", (1, 1, 4, 4)),))
    assert core().supports(op) == "takes no attention whole, but its parts"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"macs_per_cycle": {"liner int8*int8": 8}}, r"no such work; did you mean 'linear'"),
        ({"bytes_per_cycle": {"ring int8": 8}}, r"bytes_per_cycle\['ring int8'\]: no such work"),
        ({"macs_per_cycle": {"linear int8": 8}}, r"as in 'linear int8\*int8'; correct it"),
        ({"elements_per_cycle": {"softmax": 8}}, r"as in 'softmax int8'; correct it"),
        ({"elements_per_cycle": {"softmax int-8": 8}}, r"as in 'softmax int8'; correct it"),
        ({"mac_energy": {}}, r"dsp.mac_energy must have every pair .* none for 'int8\*int8'; add"),
    ],
    ids=str,
)
def test_an_entry_that_means_nothing_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(HardwareError, match=message):
        core(**fields).check()


def test_the_tables_of_the_tests_are_in_order() -> None:
    core().check()


def test_a_tile_that_fits_nowhere_is_a_mapping_error() -> None:
    with pytest.raises(MappingError, match="enlarge the buffer"):
        plan(matmul(4, 4, 4), Budget(3, 1e9, 1e9))


@given(st.sampled_from(sorted(INT8)), st.floats(0.1, 32), st.floats(1, 8))
def test_a_faster_kernel_never_takes_longer(word: str, rate: float, gain: float) -> None:
    op = PRODUCTS[word]
    where = Budget(1 << 20, 1e9, 1e9, resident=(True,) * len(op.operands))
    slow, fast = (
        plan(op, where, macs_per_cycle={f"{word} int8*int8": each}).cycles
        for each in (rate, rate * gain)
    )
    assert fast <= slow


@given(st.sampled_from(sorted(INT8)), st.integers(1, 64))
def test_all_rates_together_scale_the_cycles(word: str, factor: int) -> None:
    op = PRODUCTS[word]
    where = Budget(1 << 20, 1e9, 1e9, resident=(True,) * len(op.operands))
    table = {key: rate / factor for key, rate in TABLES["macs_per_cycle"].items()}
    found = plan(op, where, macs_per_cycle=table)
    assert found.cycles == math.ceil(op.macs * factor / INT8[word])
