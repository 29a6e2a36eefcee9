"""The roofline: every operator has a place or is named."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from report_case import generated
from strategies import machines, traces

from codesign import simulate
from codesign.hardware.spec import Hardware
from codesign.report.roof import find_roofline
from codesign.report.saved import Saved, read_saved
from codesign.workload.record import Trace

pytest_plugins = ["report_fixtures"]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(traces(), machines())
def test_no_operator_is_above_its_roofs(
    tmp_path_factory: pytest.TempPathFactory, trace: Trace, hardware: Hardware
) -> None:
    folder = tmp_path_factory.mktemp("roofs")
    simulate(trace, hardware).save(folder)
    found = find_roofline(read_saved(folder))
    roof, slope = max(found.roofs.values(), default=math.inf), sum(found.slopes.values())
    for point in found.points:
        assert point.macs_per_s <= min(roof, slope * point.intensity) * (1 + 1e-9)


def test_every_operator_is_a_point_or_is_counted(saved: Saved) -> None:
    found = find_roofline(saved)
    names = set(saved.operators["name"])
    placed = [point.name for point in (*found.points, *found.on_chip)]
    assert sorted([*placed, *found.without_macs, *found.without_time]) == sorted(names)
    assert found.without_macs
    assert found.without_time == ()


def test_the_place_of_a_point_is_its_macs_bytes_and_time(tmp_path: Path) -> None:
    found = find_roofline(read_saved(generated(tmp_path, 3, runs=2)))
    assert [point.intensity for point in found.points] == [5000 / 1500] * 3
    assert [point.macs_per_s for point in found.points] == [5e9] * 3
    assert (found.roofs, found.slopes) == ({"npu": 1e11}, {"dram": 1e10})


def test_without_components_the_memory_off_the_chip_is_found_by_its_bytes(tmp_path: Path) -> None:
    folder = generated(tmp_path, 3)
    known = find_roofline(read_saved(folder)).points
    (folder / "components.json").unlink()
    found = find_roofline(read_saved(folder))
    assert (found.points, found.roofs, found.slopes) == (known, {}, {})
