"""Engines that skip zeros pass the kit, as any third party's would."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from codesign_plugins.sparse_array import DualSideSparse, SparseArray

from codesign.testing import check_engine, convolution, elementwise, matmul
from codesign.workload.record import Op
from codesign.workload.sparsity import Sparsity

SMALL = (
    matmul(1, 1, 1),
    matmul(5, 24, 9),
    matmul(48, 64, 33, bias=True),
    matmul(7, 13, 5, batch=3),
    convolution(4, 8, 12, 3, stride=2, padding=1),
    convolution(8, 16, 6, 3, groups=4),
    elementwise((16, 40)),
)
ARRAYS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "both sides": {"rows": 4, "cols": 8, "activation": "skip", "sync": 16, "accumulator": 512},
    "gates": {"rows": 4, "cols": 8, "activation": "gate", "weight": "gate", "gate_at": "store"},
    "two a cycle": {"rows": 3, "cols": 5, "macs_per_lane": {"int8*int8": 2.0}, "tile_overhead": 5},
    "half a cycle": {"macs_per_lane": {"int8*int8": 0.5}, "balance": "steal", "balance_group": 4},
}
CORES: dict[str, dict[str, Any]] = {
    "defaults": {},
    "three with few sums": {"cores": 3, "accumulator": 5000},
    "small tiles": {"tile_rows": 8, "tile_cols": 4, "lane_rows": 4, "lane_cols": 4, "cores": 2},
}


def pruned(op: Op) -> Op:
    """The same with zeros in both factors."""
    inputs = list(op.inputs)
    for factor, said in enumerate(("0.5", "block 2x1 0.4")):
        tensor = inputs[factor].tensor
        zeros = Sparsity.parse(said).on(tensor.shape, tensor.name)
        inputs[factor] = replace(inputs[factor], tensor=replace(tensor, sparsity=zeros))
    return replace(op, name=f"pruned {op.name}", inputs=tuple(inputs))


PRUNED = tuple(pruned(op) for op in SMALL[1:5])


@pytest.mark.parametrize("fields", ARRAYS.values(), ids=ARRAYS)
def test_arrays_of_lanes_keep_the_promises_of_an_engine(fields: dict[str, Any]) -> None:
    array = SparseArray(**{"name": "lanes", "buffer": "sram"} | fields)
    array.check()
    check_engine(array, (*SMALL, *PRUNED))


@pytest.mark.parametrize("fields", CORES.values(), ids=CORES)
def test_dual_side_cores_keep_the_promises_of_an_engine(fields: dict[str, Any]) -> None:
    core = DualSideSparse(**{"name": "core", "buffer": "sram"} | fields)
    core.check()
    check_engine(core, (*SMALL, *PRUNED))
