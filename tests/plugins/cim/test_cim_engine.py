"""The engine: what it takes, brings, stages and charges."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from codesign_plugins.cim import codesign_components
from hypothesis import given, settings
from hypothesis import strategies as st
from macros import CLOCK, KINDS, beside, contractions, engines, machine, macros, one

import codesign
from codesign.plugins import registry
from codesign.testing import check_engine, check_fields, elementwise, matmul
from codesign.testing.operators import whole
from codesign.workload.record import Op, Trace

FEW = settings(max_examples=25, deadline=None, derandomize=True)
OFTEN = settings(max_examples=60, deadline=None, derandomize=True)


def test_all_kinds_are_registered() -> None:
    found = registry().components()
    assert {type(macros(kind)) for kind in KINDS} == set(codesign_components())
    for kind in codesign_components():
        assert found[kind.kind] is kind
        check_fields(kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("double_buffer", [False, True])
def test_every_kind_keeps_the_promises_of_an_engine(kind: str, double_buffer: bool) -> None:
    small = {"rows": 16, "columns": 8, "macros": 3, "sets": 2}
    check_engine(macros(kind, double_buffer=double_buffer, **small))


# -- what it takes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("op", "reason"),
    [
        (elementwise((8,)), "takes contractions only, not elementwise"),
        (matmul(4, 4, 4, dtype="fp16"), "takes whole numbers of at most 8 bit, not fp16"),
        (matmul(4, 4, 4, dtype="bf16"), "takes whole numbers of at most 8 bit, not bf16"),
        (matmul(4, 4, 4, dtype="int16"), "takes whole numbers of at most 8 bit, not int16"),
        (matmul(4, 4, 4, weight_dtype="bf16"), "takes whole numbers of at most 8 bit"),
        (matmul(4, 4, 4, weight_dtype="int32"), "takes whole numbers of at most 8 bit, not int32"),
    ],
    ids=lambda value: value.name if isinstance(value, Op) else None,
)
def test_it_says_what_it_does_not_take(kind: str, op: Op, reason: str) -> None:
    assert reason in (macros(kind).supports(op) or "")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int4", "int2"])
def test_narrow_whole_numbers_are_taken(kind: str, dtype: str) -> None:
    assert macros(kind).supports(matmul(4, 4, 4, dtype=dtype)) is None


def product_of_two_activations() -> Op:
    return next(op for op, _ in one(matmul(16, 16, 16), w="activation").ops())


@pytest.mark.parametrize("kind", KINDS)
def test_a_product_of_two_activations_is_taken_when_asked_for(kind: str) -> None:
    op = product_of_two_activations()
    assert "both factors are computed" in (macros(kind).supports(op) or "")
    assert "set rewrite_operand" in (macros(kind).supports(op) or "")
    assert macros(kind, rewrite_operand=True).supports(op) is None
    constant = next(op for op, _ in one(matmul(16, 16, 16), w="constant").ops())
    assert macros(kind).supports(constant) is None


def test_a_chip_known_by_its_energies_takes_only_their_formats() -> None:
    engine = macros(mac_energy={"int8*int8": 1e-13, "int4*int4": 3e-14})
    assert engine.supports(matmul(4, 4, 4)) is None
    assert engine.supports(matmul(4, 4, 4, dtype="int4")) is None
    refused = engine.supports(matmul(4, 4, 4, weight_dtype="int4"))
    assert refused == "no energy for int8*int4; mac_energy has int4*int4, int8*int8"


# -- what it stages --------------------------------------------------------------------------------


@OFTEN
@given(engines(), contractions())
def test_weights_go_to_the_cells_and_all_else_to_the_buffer(engine: Any, op: Op) -> None:
    stages = [engine.stage(op, n) for n in range(len(op.operands))]
    assert stages[1] == "macro.cells"
    assert set(stages) - {"macro.cells"} == {"sram"}
    assert engine.stages == ("macro.cells",)
    assert [part.name for part in engine.brings] == ["macro.cells"]


@OFTEN
@given(engines(), contractions())
def test_weights_that_stay_take_whole_tiles(engine: Any, op: Op) -> None:
    size = engine.stage_bytes(op, 1)
    assert size == engine.layout(op).count * engine.rows * engine.columns
    assert size >= op.inputs[1].tensor.bytes or engine.layout(op).pixels < op.gemm[1]
    assert engine.stage_bytes(op, 0) == op.inputs[0].tensor.bytes
    assert engine.stage_bytes(op, len(op.inputs)) == op.outputs[0].tensor.bytes


def test_what_is_computed_does_not_stay_in_the_cells() -> None:
    engine = macros(rewrite_operand=True)
    assert engine.stage_bytes(product_of_two_activations(), 1) is None
    assert engine.stage_bytes(matmul(4, 4, 4, dtype="fp32"), 1) is None


def test_narrow_weights_take_the_cells_of_wide_ones() -> None:
    engine = macros(rows=16, columns=16)
    for dtype in ("int8", "int4"):
        assert engine.stage_bytes(matmul(4, 16, 16, weight_dtype=dtype), 1) == 256
    assert macros(rows=16, columns=16, weight_bits=4).tile_bytes == 128


# -- the clock -------------------------------------------------------------------------------------


def test_the_clock_is_computed_unless_it_is_given() -> None:
    assert 1e9 / macros().clock_hz == pytest.approx(3.757, abs=1e-3)
    assert macros(clock=CLOCK).clock_hz == CLOCK
    assert macros("analog", clock=CLOCK).clock_hz == CLOCK
    slow, fast = macros(rows=1024), macros(rows=16)
    assert slow.clock_hz < fast.clock_hz


def test_a_given_clock_takes_the_place_of_the_computed_time() -> None:
    engine = macros("nvm", clock=CLOCK)
    assert engine.plan(matmul(4, 4, 4), _roomy()).clock_hz == CLOCK


def _roomy() -> Any:
    from codesign.hardware.plan import Budget

    return Budget(1 << 20, 1e9, 1e9)


# -- energy ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_energy_of_a_full_tile_is_that_of_the_physics(kind: str) -> None:
    engine = macros(kind, rows=64, columns=32)
    op = matmul(10, 64, 32)
    plan = engine.plan(op, _roomy())
    physics, prices = engine.physics, engine.energies_j()
    counts = physics.counts(64, 32, 8, 8)
    expected = 10 * sum(float(n) * float(physics.prices()[a]) for a, n in counts.items())
    own = {a: n for part, a, n in plan.actions if part == "" and a in counts}
    assert sum(n * prices[a] for a, n in own.items()) == pytest.approx(expected, rel=1e-9)
    assert set(own) == set(counts)


def test_a_chip_known_by_its_energies_is_charged_by_products() -> None:
    engine = macros(mac_energy={"int8*int8": 1e-13})
    plan = engine.plan(matmul(10, 100, 30), _roomy())
    inside = {action: n for part, action, n in plan.actions if part == ""}
    assert inside["mac int8*int8"] == 10 * 100 * 30
    assert set(inside) == {"mac int8*int8", "requantisation"}
    assert engine.energies_j()["mac int8*int8"] == 1e-13


@FEW
@given(engines(), contractions())
def test_energy_is_the_sum_of_all_components_and_of_all_actions(engine: Any, op: Op) -> None:
    hardware = machine(engine, sram=1 << 20)
    found = codesign.simulate(one(op), hardware, residency="none")
    assert found.energy_j == pytest.approx(sum(found.energy_by_component_j.values()), rel=1e-12)
    ((placed, _),) = found.placement.assignments()
    assert placed.plan is not None
    own = sum(n * engine.energies_j()[a] for part, a, n in placed.plan.actions if part == "")
    assert found.energy_by_component_j["macro"] == pytest.approx(own, rel=1e-9)
    filled = sum(n for part, _, n in placed.plan.actions if part == "macro.cells")
    written = (placed.plan.loaded[1] + filled) * engine.cells.write_energy
    assert found.energy_by_component_j["macro.cells"] == pytest.approx(written, rel=1e-9)


# -- time ------------------------------------------------------------------------------------------


@FEW
@given(engines(), contractions(), st.integers(1, 5))
def test_more_macros_on_an_uncontended_link_are_never_slower(
    engine: Any, op: Op, more: int
) -> None:
    times = []
    for count in (engine.macros, engine.macros + more):
        hardware = machine(dataclasses.replace(engine, macros=count), bandwidth=1e14, sram=1 << 20)
        times.append(codesign.simulate(one(op), hardware, residency="none").latency_s)
    # what is written beyond the time of its bytes is rounded up to a macro cycle in each round
    rounding = engine.layout(op).count / engine.clock_hz
    assert times[1] <= times[0] * (1 + 1e-9) + rounding


@FEW
@given(engines(), contractions())
def test_time_is_at_least_passes_times_clock_times_products(engine: Any, op: Op) -> None:
    found = codesign.simulate(one(op), machine(engine, sram=1 << 20), residency="none")
    layout = engine.layout(op)
    products = layout.pixels * -(-layout.count // engine.macros)
    least = products * int(engine.physics.passes(8)) / engine.clock_hz
    assert found.latency_s >= least * (1 - 1e-9)
    assert found.lower_bound_s <= found.latency_s <= found.serial_bound_s


@FEW
@given(engines(), st.integers(1, 200), st.integers(1, 200))
def test_spare_cells_make_a_vector_product_no_slower(engine: Any, k: int, n: int) -> None:
    op = matmul(1, k, n)
    times = {}
    for spare in (False, True):
        chosen = dataclasses.replace(engine, double_buffer=spare)
        times[spare] = codesign.simulate(
            one(op), machine(chosen, port=True, sram=1 << 20), residency="none"
        ).latency_s
    assert times[True] <= times[False] * (1 + 1e-9)


def test_double_buffering_hides_the_weights_that_come_while_others_compute() -> None:
    # four tiles of 16 x 16; 256 B at 2 B/ns take 128 ns, 8 rows x 8 passes at 4 ns take 256 ns
    def took(*, spare: bool) -> float:
        engine = macros(rows=16, columns=16, clock=CLOCK, double_buffer=spare, write_width=10**6)
        hardware = machine(engine, port=True, bandwidth=2e9)
        op = matmul(8, 16, 64)
        return codesign.simulate(one(op), hardware, residency="none").latency_s * 1e9

    ends = 8 * 16 / 2 + 8 * 16 / 2  # the inputs come before, the last results leave after
    assert took(spare=False) == pytest.approx(4 * (128 + 256) + ends)
    assert took(spare=True) == pytest.approx(128 + 4 * 256 + ends)


def test_macros_on_one_link_share_it_and_macros_on_two_do_not() -> None:
    engines = [macros(name=name, clock=CLOCK, write_width=10**6) for name in ("a", "b")]
    x = matmul(1, 512, 128).inputs[0]
    ops = []
    for name in ("a", "b"):
        op = matmul(1, 512, 128)
        inputs = (x, whole(f"{name}.w", (512, 128), "weight"))
        outputs = (whole(f"{name}.y", (1, 128), "output"),)
        ops.append(dataclasses.replace(op, name=name, inputs=inputs, outputs=outputs))
    tensors = {access.tensor.name: access.tensor for op in ops for access in op.operands}
    trace = Trace("two", tuple(ops), tuple(tensors.values()))
    asked = codesign.Engines(rules={"a": "a", "b": "b"})
    took = {}
    for links in (1, 2):
        hardware = beside(*engines, links=links)
        took[links] = codesign.simulate(trace, hardware, residency="none", engines=asked).latency_s
    loads = 512 * 128 / 2e9
    assert took[1] >= 2 * loads
    assert took[2] <= 1.05 * loads


def test_the_write_port_may_be_narrower_than_the_link() -> None:
    narrow = macros(rows=16, columns=16, clock=CLOCK, write_width=8)  # 1 B in 4 ns
    hardware = machine(narrow, port=True, bandwidth=1e14)
    found = codesign.simulate(one(matmul(1, 16, 16)), hardware, residency="none")
    assert found.latency_s * 1e9 == pytest.approx(256 * 4 + 8 * 4, rel=1e-3)
