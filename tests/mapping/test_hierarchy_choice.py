"""The choice of a mapping: as good as any other order, and equal to ZigZag's where that is best."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_hierarchy import OPS, array
from slow_tiling import LAW

from codesign.errors import MappingError
from codesign.hardware.objective import Objective
from codesign.mapping.hierarchy.batch import Batch
from codesign.mapping.hierarchy.choose import Rates, _problems, choose
from codesign.mapping.hierarchy.count import Counter
from codesign.mapping.hierarchy.orders import over_tiles, within
from codesign.mapping.hierarchy.spec import Array, Axis, Stage, Store
from codesign.mapping.hierarchy.walk import Walk
from codesign.testing import convolution, matmul
from codesign.workload.record import Op

RATES = Rates(1e9, 64e9, 64e9, 0.0, True)
OBJECTIVES = LATENCY, ENERGY, EDP = Objective(), Objective(0, 1), Objective(1, 1)

# tpu_like of zigzag-dse 3.9.1 (hardware files of KULeuven-MICAS/zigzag, MIT): 32 x 32 cells with
# 128 B of weights and one sum each, 2 MB for the rest, a DRAM of 64 bit a cycle; pJ as joules
_REGISTERS = Stage((1,), 1024, 0.095 / 8, 0.095 / 8, 8, cells=True)
_SRAM = Stage((0, 2), 1 << 24, 416.16 / 2048, 378.4 / 2048, 64)
TPU_LIKE = Array(
    (Axis("D1", 32, (2, 3)), Axis("D2", 32, (1,))),
    (Store("rf_2B", 2, 16, 0.021 / 16, 0.021 / 16, 16, ()),),
    (_SRAM, _REGISTERS),
    16,
    0.04,
    700 / 64,
    750 / 64,
)
# own runs of zigzag-dse 3.9.1, least energy: energy in pJ and bytes from and to DRAM
ZIGZAG = {
    "gemm 512": (matmul(512, 512, 512), 102428278.8, 786432),
    "gemm 64": (matmul(64, 64, 64), 1182425.6, 12288),
    "12 heads, 256 x 64": (matmul(256, 64, 256, 12), 122878648.3, 1179648),
    "LSTM gates": (matmul(1, 512, 1024), 46189863.7, 525824),
    "matrix times vector": (matmul(1, 4096, 4096), 1474186018.3, 16785408),
    "ResNet-18 layer1": (convolution(64, 64, 56, 3, 1, 1), 66996199.9, 438272),
    "ResNet-18 layer2, stride 2": (convolution(64, 128, 56, 3, 2, 1), 47270885.9, 374784),
    "ResNet-18 layer2": (convolution(128, 128, 28, 3, 1, 1), 57967469.3, 348160),
    "ResNet-18 layer3": (convolution(256, 256, 14, 3, 1, 1), 87358675.8, 690176),
    "ResNet-18 layer4": (convolution(512, 512, 7, 3, 1, 1), 238190980.2, 2409472),
}
SAME = [name for name in ZIGZAG if name not in ("ResNet-18 layer3", "ResNet-18 layer4")]


def tpu_like(op: Op) -> tuple[float, int]:
    """Picojoules and DRAM bytes of the least energy."""
    found = choose(op, TPU_LIKE, RATES, ENERGY)
    return found.energy_j, int(found.counted.homes.moved[found.row].sum()) // 8


@pytest.mark.parametrize("name", SAME)
def test_the_least_energy_is_zigzags_where_both_find_the_same_mapping(name: str) -> None:
    op, energy, moved = ZIGZAG[name]
    found = tpu_like(op)
    assert found[0] == pytest.approx(energy, rel=2e-5)
    assert found[1] == moved


@pytest.mark.parametrize("name", sorted(set(ZIGZAG) - set(SAME)))
def test_room_for_the_next_weights_costs_half_a_percent_at_most(name: str) -> None:
    """ZigZag fills the registers with one set of weights; here the next one comes meanwhile."""
    op, energy, moved = ZIGZAG[name]
    found = tpu_like(op)
    assert energy < found[0] < 1.005 * energy
    assert found[1] == moved


def test_packing_taps_beside_channels_beats_one_loop_along_an_axis() -> None:
    op = convolution(3, 64, 224, 7, 2, 3)  # 128,899,782.6 pJ and 1,229,312 cycles of ZigZag's
    found = choose(op, TPU_LIKE, RATES, ENERGY)
    assert found.energy_j < 0.95 * 128899782.6
    cycles = found.counted.homes  # the same bytes, all compulsory
    assert int(cycles.moved[found.row].sum()) // 8 == 150528 + 9408 + 802816


@settings(LAW, max_examples=25)
@given(OPS, st.sampled_from(OBJECTIVES))
def test_no_order_of_the_same_cuts_is_better(op: Op, objective: Objective) -> None:
    try:
        found = choose(op, array(), RATES, objective)
    except MappingError:
        return
    for problem in _problems(op, array(), frozenset()):
        batch = Batch((problem,))
        orders = within(batch, over_tiles(batch))
        counted = Counter(batch, Walk(orders)).run()
        energy = np.where(counted.fits, counted.energy_j, np.inf) + op.macs * array().mac_j
        if objective == ENERGY:
            # survivors are ranked by what leaves the chip, the larger part of the energy
            assert found.energy_j <= energy.min() * 1.05


@settings(LAW, max_examples=25)
@given(OPS)
def test_each_objective_is_best_at_its_own(op: Op) -> None:
    try:
        fast, frugal, both = (choose(op, array(), RATES, name) for name in OBJECTIVES)
    except MappingError:
        return
    assert fast.latency_s <= min(frugal.latency_s, both.latency_s) * (1 + 1e-9)
    assert frugal.energy_j <= min(fast.energy_j, both.energy_j) * (1 + 1e-9)
    product = both.energy_j * both.latency_s
    assert product <= min(x.energy_j * x.latency_s for x in (fast, frugal)) * (1 + 1e-9)


@settings(LAW, max_examples=25)
@given(OPS, st.sampled_from([1, 2, 8]))
def test_energy_is_no_less_than_that_of_what_must_move(op: Op, more: int) -> None:
    (stage,) = array().stages
    roomy = array(stages=(replace(stage, bits=stage.bits * more),))
    try:
        found = choose(op, roomy, RATES, ENERGY)
    except MappingError:
        return
    inputs = len(op.inputs)
    whole = [
        op.loops.footprint(n, op.loops.extents, op.operands[n].shape) for n in range(inputs + 1)
    ]
    least = 8 * sum(whole[:2]) * roomy.home_read_j + 8 * whole[inputs] * roomy.home_write_j
    assert found.energy_j >= least + op.macs * roomy.mac_j
    assert found.latency_s >= 8 * sum(whole) / 64e9 * (1 - 1e-9)
    cells = math.prod(axis.size for axis in roomy.axes)
    assert found.latency_s >= op.macs / cells / 1e9 * (1 - 1e-9)


def test_what_fits_nowhere_is_an_error() -> None:
    tiny = array(stages=(Stage((0, 1, 2), 8, 0.0, 0.0, 8),))
    with pytest.raises(MappingError, match="no tile fits the memories that it is granted"):
        choose(matmul(8, 64, 8), tiny, RATES, ENERGY)
