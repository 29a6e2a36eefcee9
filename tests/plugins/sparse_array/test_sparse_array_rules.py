"""The array that skips zeros: its port, its sums, its goals, and the fields it refuses."""

from __future__ import annotations

import re
from typing import Any

import pytest
from codesign_plugins.sparse_array import SparseArray
from zeros_case import ROOM, core, lanes, slots, zeros

from codesign import Objective
from codesign.errors import HardwareError, MappingError
from codesign.hardware.plan import Budget, Store
from codesign.hardware.spec import load_hardware
from codesign.testing import convolution, elementwise, matmul


def test_the_port_of_the_buffer_holds_lanes_up() -> None:
    op = zeros(matmul(64, 640, 256), None, "0.3")
    plan = lanes().plan(op, Budget(1 << 30, 1e18, 1e18, port_bytes_per_s=1e9))
    read = sum(n for part, action, n in plan.actions if (part, action) == ("buffer", "read"))
    assert plan.cycles == pytest.approx(read + 64 * 256, rel=1e-3)
    assert slots(plan)["buffer port"] > 0.5 * sum(slots(plan).values())


def test_sums_of_a_part_of_the_reduction_need_the_accumulator() -> None:
    op, few = matmul(64, 4096, 64), Budget(1 << 12, 1e9, 1e9)
    for accumulator in (16, 1 << 14):
        plan = lanes(rows=2, cols=2, accumulator=accumulator).plan(op, few)
        sizes = re.findall(r"\d+", plan.note)
        _, m, k, n = (int(size) for size in sizes)
        assert (k == 4096) or m * n * 4 <= accumulator
    with pytest.raises(MappingError, match="enlarge"):
        lanes(rows=2, cols=2, accumulator=3).plan(op, few)


def test_an_objective_of_energy_counts_what_the_lanes_do() -> None:
    stores = (Store("buffer", 1 << 16, 1e-12, 1e-12), Store("home", 1 << 30, 2e-11, 2e-11))
    budget = Budget(1 << 16, 1e9, 1e9, stores=stores)
    cheap = lanes().plan(
        zeros(matmul(64, 640, 256), None, "0.3"),
        Budget(1 << 16, 1e9, 1e9, stores=stores, objective=Objective.parse("energy")),
    )
    quick = lanes().plan(zeros(matmul(64, 640, 256), None, "0.3"), budget)
    assert sum(cheap.loaded.values()) <= sum(quick.loaded.values())


def test_convolutions_and_groups_are_taken() -> None:
    for op in (convolution(8, 16, 12, 3, padding=1), convolution(12, 12, 8, 3, groups=12)):
        plan = lanes(rows=4, cols=4, activation="skip").plan(zeros(op, "0.5", "0.4"), ROOM)
        assert slots(plan)["effective"] == round(0.2 * op.macs)


def test_what_is_not_a_product_or_has_no_rate_is_refused() -> None:
    assert lanes().supports(elementwise((4, 4))) == "takes contractions only, not elementwise"
    refused = lanes().supports(matmul(4, 4, 4, dtype="fp16"))
    assert refused == "no MAC rate or energy for fp16*fp16; has int8*int8"
    assert core().supports(matmul(4, 4, 4)) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"balance_group": 4}, "lanes.balance_group: .*balance sort or steal"),
        (
            {"balance": "sort", "weight": "gate", "activation": "skip"},
            "lanes.balance: 'sort' orders weights that are skipped, and weight is 'gate'",
        ),
        (
            {"sync": 1024, "balance": "steal", "balance_group": 8},
            "sync x balance_group must be at most 4096, got 1024 x 8",
        ),
        (
            {"macs_per_lane": {"int8": 1.0}},
            r"lanes.macs_per_lane\['int8'\] must name two formats",
        ),
        ({"mac_energy": {"int4*int4": 1e-13}}, "that the other table of this engine has too"),
    ],
)
def test_fields_that_contradict_each_other_are_one_line(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(HardwareError, match=message) as raised:
        SparseArray(**{"name": "lanes", "buffer": "buffer"} | fields).check()
    assert "\n" not in str(raised.value)


def test_an_unknown_feature_is_one_line_with_its_place() -> None:
    with pytest.raises(HardwareError, match=r"pe\.weight") as raised:
        load_hardware("eyeriss-v2-pe").with_("pe.weight", "jump")
    assert "\n" not in str(raised.value)
