"""When the time of a weight on the path is one of loading it again."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign import Residency, load_hardware, simulate
from codesign.models import resolve_model
from codesign.result.result import Result

TWO_LEVELS = """
name: two
description: a shared memory before a small buffer
precision: int8
components:
  npu: {kind: systolic, buffer: buf, rows: 16, cols: 16}
  lanes: {kind: vector, buffer: buf, lanes: 16}
  buf: {kind: sram, size: 32 KiB}
  shared: {kind: sram, size: 4 MiB}
  near: {kind: link, connects: [shared, buf], bandwidth: 16 GB/s}
  bus: {kind: link, connects: [dram, shared], bandwidth: 6 GB/s, setup: 50 ns}
  dram: {kind: flat_dram, device: LPDDR4, size: 1 GiB, bandwidth: 6.4 GB/s}
"""


def run(folder: Path, **residency: object) -> Result:
    path = folder / "two.yaml"
    path.write_text(TWO_LEVELS)
    trace = resolve_model("cell_lstm", steps=8)
    return simulate(trace, load_hardware(str(path)), residency=Residency(**residency))  # type: ignore[arg-type]


def plain_weights(result: Result) -> int:
    tensors = result.placement.trace.tensors
    return sum(one.plain_bytes for one in tensors if one.role == "weight")


def test_weights_that_come_on_chip_once_are_not_reloaded(tmp_path: Path) -> None:
    """Every step loads them anew, but from the shared memory of the chip."""
    result = run(tmp_path, policy="pinned", pins=("*@shared",))
    loaded = sum(
        size * times
        for one, times in result.placement.assignments()
        for operand, size in (one.plan.loaded.items() if one.plan else ())
        if one.op.operands[operand].tensor.role == "weight"
    )
    assert result.offchip_bytes["weight"] <= 1.01 * plain_weights(result) < loaded / 4
    why = result.why()
    assert "weight reload" not in why.by("cause")
    assert [one for one in why.parts if one.role == "weight" and one.component in ("bus", "dram")]


def test_weights_that_come_off_chip_in_every_step_are_reloaded(tmp_path: Path) -> None:
    result = run(tmp_path, policy="region", pins=())
    if result.offchip_bytes["weight"] <= 2 * plain_weights(result):
        pytest.fail("the weights fit; the test needs a smaller buffer")
    assert result.why().by("cause")["weight reload"] > 0
