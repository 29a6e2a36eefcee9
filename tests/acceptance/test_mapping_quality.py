"""Mappings on ZigZag's hardware: its energy or less, its traffic or less, never below a port."""

from __future__ import annotations

from pathlib import Path

import pytest
from codesign_plugins.validate_mapping import FILE, Mapped, compare, rows

from codesign import load_hardware, simulate
from codesign.mapping.residency import Policy

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "references"
PORT_BYTES_PER_CYCLE = 8


def operators() -> list[Mapped]:
    """All recorded operators where the file is, a few typed ones elsewhere."""
    return list(rows(DATA if (DATA / FILE).is_file() else None))


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, tuple[float, float]]]:
    return {
        mapped.name: {case.quantity: (case.ours, case.theirs) for case in compare(mapped)}
        for mapped in operators()
    }


def test_energy_is_at_most_zigzags_in_the_mean_and_within_two_percent_everywhere(
    found: dict[str, dict[str, tuple[float, float]]],
) -> None:
    ratios = [ours / theirs for ours, theirs in (one["energy"] for one in found.values())]
    assert sum(ratios) / len(ratios) <= 1
    assert max(ratios) <= 1.02


def test_traffic_is_at_most_zigzags_and_no_time_is_below_the_port(
    found: dict[str, dict[str, tuple[float, float]]],
) -> None:
    for one in found.values():
        moved, theirs = one["off-chip traffic"]
        assert moved <= theirs
        assert one["cycles"][0] >= moved / PORT_BYTES_PER_CYCLE


@pytest.mark.parametrize("policy", ["region", "greedy"])
def test_a_whole_network_keeps_what_fits_and_so_takes_less_than_layer_by_layer(
    policy: Policy,
) -> None:
    """ZigZag 3.9.1 maps ResNet-18 layer by layer for 1.8604e9 pJ (own run)."""
    result = simulate("resnet18", "tpu-like", residency=policy)
    alone = simulate("resnet18", "tpu-like", residency="none").energy_j
    assert result.energy_j <= alone * (1 + 1e-9)
    if policy == "greedy":
        assert result.energy_j < 1.8604e-3
    assert load_hardware("tpu-like").digest == result.hardware_digest
