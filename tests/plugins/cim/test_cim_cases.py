"""Reference cases of the peer, through the whole simulator (an own run of zigzag-dse 3.9.1)."""

from __future__ import annotations

from typing import Any

import pytest
from macros import clock_hz, machine, macros, one

import codesign
from codesign.hardware.spec import Hardware
from codesign.result.result import Result
from codesign.testing import convolution, matmul
from codesign.workload.record import Op

GOLDEN: dict[str, Any] = {"toggle": 1.0, "weight_bit_density": 1.0}
"""Data with all values largest, as the peer takes them."""


def narrow(**fields: Any) -> Hardware:
    """A digital macro of 128 x 128 whose weights come through 8 B a cycle."""
    engine = macros(**GOLDEN, **fields)
    return machine(engine, bandwidth=8 * engine.clock_hz, port=True)


def span_cycles(found: Result) -> float:
    """Macro cycles from the first load of the one operator that computes to its last compute."""
    clock = clock_hz(found.machine)
    spans = [s for s in found.replay.spans if s.assignment.plan and s.assignment.plan.cycles]
    (span,) = spans
    return (span.end - span.start) * 1e-12 * clock


def busy_cycles(found: Result) -> float:
    return found.latency_s * found.utilization["macro"] * clock_hz(found.machine)


LAYERS = {
    "3x3 64": (convolution(64, 64, 56, 3, padding=1), 150_528),
    "3x3 256": (convolution(256, 256, 14, 3, padding=1), 56_448),
    "1x1": (convolution(64, 384, 14, 1), 4_704),
    "depthwise": (convolution(384, 384, 14, 3, padding=1, groups=384), 602_112),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_busy_for_the_cycles_of_the_reference(layer: str) -> None:
    op, cycles = LAYERS[layer]
    hardware = narrow(row_split="loop_factors", pack="none")
    found = codesign.simulate(one(op), hardware, residency="none")
    # each tile ends on a whole picosecond of a cycle of 3,757.08
    assert busy_cycles(found) == pytest.approx(cycles, rel=1e-3)
    assert found.mac_slots["effective"] == op.macs


@pytest.mark.parametrize(("pack", "cycles"), [("group", 43_904), ("diagonal", 21_504)])
def test_packing_brings_back_what_a_depthwise_layer_wastes(pack: str, cycles: int) -> None:
    op, unpacked = LAYERS["depthwise"]
    found = codesign.simulate(one(op), narrow(pack=pack), residency="none")
    assert busy_cycles(found) == pytest.approx(cycles, rel=1e-3)
    assert unpacked / cycles > 13


def test_a_depthwise_layer_takes_128_times_its_pointwise_neighbour() -> None:
    (dw, most), (pw, least) = LAYERS["depthwise"], LAYERS["1x1"]
    assert most == 128 * least
    assert pw.macs > 7 * dw.macs


def kept(m: int, k: int, n: int, hardware: Hardware) -> Result:
    """A product whose inputs and results lie in the buffer: only weights move."""
    asked = codesign.Residency("pinned", pins=("x@sram", "y@sram"), across_runs=True)
    trace = one(matmul(m, k, n), x="state", y="activation")
    return codesign.simulate(trace, hardware, residency=asked)


@pytest.mark.parametrize(
    ("m", "k", "n", "cycles"),
    [(1, 512, 1000, 64_010), (32, 512, 1000, 72_498), (1, 512, 1024, 65_546)],
)
def test_weights_through_a_narrow_port_take_the_cycles_of_the_reference(
    m: int, k: int, n: int, cycles: int
) -> None:
    found = kept(m, k, n, narrow())
    assert span_cycles(found) == pytest.approx(cycles, rel=0.01)
    assert found.offchip_bytes["weight"] == k * n


@pytest.mark.parametrize(("m", "share"), [(1, 0.996), (32, 0.887)])
def test_almost_all_of_a_vector_product_is_loading(m: int, share: float) -> None:
    found = kept(m, 512, 1000, narrow())
    assert 1 - busy_cycles(found) / span_cycles(found) == pytest.approx(share, abs=0.002)


@pytest.mark.parametrize("double_buffer", [False, True])
def test_weights_and_products_follow_one_another_unless_there_are_spare_cells(
    double_buffer: bool,
) -> None:
    cycles = span_cycles(kept(32, 512, 1000, narrow(double_buffer=double_buffer)))
    loads, products = 64_000, 8_192
    if double_buffer:
        assert loads <= cycles <= 1.01 * loads
    else:
        assert cycles == pytest.approx(loads + products, rel=0.001)


def fj_per_mac(op: Op) -> float:
    hardware = narrow(row_split="loop_factors", pack="none")
    found = codesign.simulate(one(op), hardware, residency="none")
    engine = hardware.engine("macro")
    ((placed, _),) = found.placement.assignments()
    assert placed.plan is not None
    behind = ("partial sum", "requantisation", "function")
    own = [
        (action, n) for part, action, n in placed.plan.actions if not part and action not in behind
    ]
    return sum(n * engine.energies_j()[action] for action, n in own) / op.macs * 1e15


@pytest.mark.parametrize(
    ("layer", "fj"), [("3x3 64", 301), ("3x3 256", 267), ("1x1", 293), ("depthwise", 33_449)]
)
def test_macro_energy_of_a_layer_is_that_of_the_reference(layer: str, fj: float) -> None:
    assert fj_per_mac(LAYERS[layer][0]) == pytest.approx(fj, rel=0.005)
