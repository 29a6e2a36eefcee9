"""The recurrent study: what a step fetches and computes by where its weights lie."""

from __future__ import annotations

import importlib
import math
import sys
from pathlib import Path
from typing import Any

import pytest
from shelf import SHELF

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
if str(EXAMPLES) not in sys.path:
    sys.path.append(str(EXAMPLES))

study: Any = importlib.import_module("recurrent_study.measure")
figure: Any = importlib.import_module("recurrent_study.figure")

pytestmark = pytest.mark.nightly  # replaying all sizes takes long for every change

SIDES = [side.name for side in study.SIDES]
CELLS, SRAM, LARGE, DRAM = SIDES
TILE = 128
PASSES = 4
"""Of 8-bit activations that enter two bits at a time."""
HELD = [hidden for hidden in study.SIZES if 8 * hidden**2 <= 2 << 20]
LOST = [hidden for hidden in study.SIZES if hidden not in HELD]


@pytest.fixture(scope="module")
def found() -> Any:
    return SHELF.get("recurrent study", study.measure_all)


def biases(hidden: int) -> int:
    """One bias per gate, which is fetched where nothing stays."""
    return 4 * hidden


def test_the_cells_are_filled_by_512_states_exactly() -> None:
    machine = study.CELLS.machine
    cells = machine.components["cim"].cells
    assert cells.size == study.weight_bytes(512) == 2 << 20
    assert HELD == [128, 256, 384, 512]
    assert LOST == [640, 768, 896, 1024]


@pytest.mark.parametrize("hidden", HELD)
def test_weights_that_fit_are_not_fetched_again(found: Any, hidden: int) -> None:
    for side in (CELLS, SRAM, LARGE):
        assert found[hidden, side].weight_bytes == 0


@pytest.mark.parametrize("hidden", study.SIZES)
def test_without_residency_every_step_fetches_both_matrices(found: Any, hidden: int) -> None:
    assert found[hidden, DRAM].weight_bytes == 8 * hidden**2 + biases(hidden)


@pytest.mark.parametrize("hidden", LOST)
def test_full_cells_fetch_what_does_not_fit_at_every_step(found: Any, hidden: int) -> None:
    """The cells keep one of two equal matrices where it fits, at 640, and none from 768 on."""
    matrix = 4 * hidden**2
    kept = matrix if matrix <= 2 << 20 else 0
    expected = 2 * matrix - kept
    assert expected <= found[hidden, CELLS].weight_bytes <= expected + biases(hidden)
    assert found[hidden, LARGE].weight_bytes == 0
    assert (kept > 0) == (hidden == 640)


@pytest.mark.parametrize("hidden", study.SIZES)
def test_macros_compute_for_tiles_times_passes_whether_weights_stay_or_not(
    found: Any, hidden: int
) -> None:
    clock = study.CELLS.machine.components["cim"].clock_hz
    tiles = math.ceil(hidden / TILE) * math.ceil(4 * hidden / TILE)
    cycles = 2 * math.ceil(tiles / 4) * PASSES
    assert found[hidden, CELLS].engine_s == pytest.approx(cycles / clock, rel=1e-3)


@pytest.mark.parametrize("hidden", study.SIZES)
def test_no_step_is_faster_than_the_bytes_that_it_fetches(found: Any, hidden: int) -> None:
    peak = 8.532e9
    for side in SIDES:
        one = found[hidden, side]
        assert one.latency_s >= one.weight_bytes / peak
        assert one.latency_s >= one.engine_s
        assert one.energy_j >= one.weight_bytes * 8 * 5.5e-12


@pytest.mark.parametrize("hidden", HELD)
def test_resident_cells_take_least_of_all(found: Any, hidden: int) -> None:
    cells = found[hidden, CELLS]
    for side in (SRAM, LARGE, DRAM):
        assert cells.latency_s < found[hidden, side].latency_s
        assert cells.energy_j < found[hidden, side].energy_j / 10
    assert found[hidden, SRAM].energy_j < found[hidden, DRAM].energy_j / 5


@pytest.mark.parametrize("hidden", LOST)
def test_reload_makes_the_cells_lose_to_an_sram_that_holds_the_weights(
    found: Any, hidden: int
) -> None:
    cells, large = found[hidden, CELLS], found[hidden, LARGE]
    assert cells.latency_s > large.latency_s
    assert cells.energy_j > 2 * large.energy_j
    assert cells.engine_s < 0.01 * cells.latency_s


@pytest.mark.parametrize("side", SIDES)
def test_a_wider_cell_never_takes_less(found: Any, side: str) -> None:
    ones = [found[hidden, side] for hidden in study.SIZES]
    assert [one.energy_j for one in ones] == sorted(one.energy_j for one in ones)
    assert [one.latency_s for one in ones] == sorted(one.latency_s for one in ones)


def test_a_step_does_not_depend_on_the_lengths_of_the_runs(
    found: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "STEPS", (16, 128))
    for (hidden, side), one in study.measure(256).items():
        assert one.weight_bytes == found[hidden, side].weight_bytes
        assert one.latency_s == pytest.approx(found[hidden, side].latency_s, rel=1e-3)
        assert one.energy_j == pytest.approx(found[hidden, side].energy_j, rel=1e-3)


def test_the_figure_is_drawn_from_every_case(found: Any, tmp_path: Path) -> None:
    path = figure.draw(found, tmp_path / "recurrent.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    without = {case: one for case, one in found.items() if case != (1024, DRAM)}
    with pytest.raises(KeyError, match="1024"):
        figure.draw(without, tmp_path / "less.png")
