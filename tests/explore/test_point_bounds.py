"""Bounds of points are never above a replay (law 3), and leave the front as it is."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from study_parts import study, tiny

from codesign.explore.bounds import Bounder, Bounds
from codesign.explore.executors import Serial
from codesign.explore.forms import Forms
from codesign.explore.grid import Grid
from codesign.explore.session import Session
from codesign.explore.study import Study
from codesign.hardware.spec import list_hardware
from codesign.models import resolve_model
from codesign.testing.operators import elementwise, matmul, softmax
from codesign.workload.record import Carry, Op, Region, Trace

BOUNDED = ("latency_s", "energy_j", "dynamic_energy_j", "leakage_energy_j", "background_energy_j")
FORMATS = ("int8", "bf16", "fp16")
TIGHT = 0.9


def chain(*ops: Op) -> Trace:
    return Trace("chain", ops, tuple(a.tensor for op in ops for a in op.operands))


def recurrent(width: int, steps: int) -> Trace:
    """A weight that every step reads, and a state."""
    op = matmul(1, width, width)
    region = Region("steps", steps, (op,), (Carry(op.inputs[0].tensor, op.outputs[0].tensor),))
    return Trace("recurrent", (region,), tuple(access.tensor for access in op.operands))


def bounds_of(made: Study, folder: Path) -> tuple[Grid, Bounds]:
    with Session(made, folder, Serial(), resume=True) as session:
        grid = Grid.of(made.space)
        bounder = Bounder(made, grid)
        return grid, bounder.bounds(Forms.of(session, grid, bounder.read))


def shares(made: Study, folder: Path) -> dict[str, list[float]]:
    """Bounds as shares of what the replay of every point comes to."""
    grid, bounds = bounds_of(made, folder)
    found = made.run(folder, resume=True, exhaustive=True)
    assert not found.failed, found.failed[0]["message"]
    assert [row["index"] for row in found.done] == grid.indexes.tolist()
    return {
        name: [
            bound / row[name] if row[name] else float(bound > 0)
            for bound, row in zip(bounds.figures[name], found.done, strict=True)
        ]
        for name in (*BOUNDED, "offchip_bytes")
    }


@pytest.mark.parametrize("residency", ["region", "greedy"])
@pytest.mark.parametrize("preset", [preset.name for preset in list_hardware()])
def test_no_bound_is_above_a_replay_on_any_preset(
    preset: str, residency: str, tmp_path: Path
) -> None:
    ran = 0
    for dtype in FORMATS:
        models = {
            "product": chain(matmul(33, 70, 45, dtype=dtype)),
            "map": chain(elementwise((40, 50), dtype=dtype)),
            "softmax": chain(softmax(9, 33, dtype=dtype)),
        }
        if dtype == "int8":
            models["recurrent"] = recurrent(96, 5)
        for name, trace in models.items():
            folder = tmp_path / f"{name}-{dtype}"
            made = Study(
                model=trace,
                hardware=preset,
                schedule_space={"residency": [residency]},
                objectives=[*BOUNDED, "offchip_bytes"],
            )
            grid, bounds = bounds_of(made, folder)
            found = made.run(folder, resume=True, exhaustive=True)
            for row in found.done:  # what no engine of the preset takes fails
                ran += 1
                for figure in (*BOUNDED, "offchip_bytes"):
                    assert bounds.figures[figure][0] <= row[figure], (name, figure)
            assert len(grid) == 1
    assert ran


@pytest.mark.parametrize("model", ["lstm_lm", "resnet18"])
def test_on_a_network_they_are_close(model: str, tmp_path: Path) -> None:
    made = Study(
        model=resolve_model(model),
        hardware="edge-npu",
        hardware_space={"sram.size": ["256 KiB", "1 MiB"]},
        schedule_space={"residency": ["region", "greedy"]},
        objectives=[*BOUNDED, "offchip_bytes"],
    )
    found = shares(made, tmp_path)
    assert all(share <= 1 for column in found.values() for share in column)
    assert max(found["offchip_bytes"]) > TIGHT
    assert max(found["energy_j"]) > 0.85


def test_a_set_that_does_not_fit_is_read_at_every_step(tmp_path: Path) -> None:
    """96 x 96 B do not fit into 8 KiB, and do into 1 MiB: then they are read once."""
    made = study(
        model=recurrent(96, 10),
        model_space={},
        hardware_space={"sram.size": ["8 KiB", "1 MiB"]},
    )
    _, bounds = bounds_of(made, tmp_path)
    moved = bounds.figures["offchip_bytes"]
    assert moved[0] == pytest.approx(10 * (96 * 96 + 2 * 96))
    assert 96 * 96 <= moved[1] / (1 - 1e-9) < 2 * 96 * 96


def test_faster_parts_never_raise_a_bound(tmp_path: Path) -> None:
    rates = [f"{n} GB/s" for n in (1, 2, 5, 9)]
    made = study(
        model_space={"width": [256]},
        hardware_space={"dram.bandwidth": rates, "npu.rows": [8, 16, 64]},
    )
    grid, bounds = bounds_of(made, tmp_path)
    latency = bounds.figures["latency_s"].reshape(4, 3)
    assert len(grid) == 12
    assert np.all(np.diff(latency, axis=0) <= 0)
    assert np.all(np.diff(latency, axis=1) <= 0)


def test_a_combination_that_breaks_a_rule_has_no_bound(tmp_path: Path) -> None:
    waits = {"dram.power_down_after": ["1 us", "5 us"], "dram.self_refresh_after": ["2 us", "9 us"]}
    made = study(hardware="edge-npu-lpddr5", hardware_space=waits)
    grid, bounds = bounds_of(made, tmp_path / "a")
    points = [grid.point(n) for n in range(len(grid))]
    broken = [[point[path] for path in waits] == ["5 us", "2 us"] for point in points]
    assert sum(broken) == 2
    assert np.array_equal(np.isinf(bounds.figures["latency_s"]), broken)
    assert len(made.run(tmp_path / "b").failed) == 2


def test_a_limit_on_a_result_prunes_what_cannot_keep_to_it(tmp_path: Path) -> None:
    made = study(model_space={"width": [16, 4096]}, constraints=["latency_s <= 2e-6"])
    found = made.run(tmp_path / "a")
    whole = made.run(tmp_path / "b", exhaustive=True)
    assert found.pruned >= 6
    assert all(row["width"] == 16 for row in found.table())
    assert found.pareto() == whole.pareto()


def random_study(seed: int, least: int) -> Study:
    """A grid over model, hardware, bits and residency of at least so many points."""
    rng = random.Random(seed)
    some = rng.sample
    many = 6 if least > 1000 else 3
    objectives: list[Any] = ["energy_j", "latency_s"]
    if seed % 3 == 1:
        objectives.append("params")
    if seed % 3 == 2:
        objectives.append(("max:accuracy", lambda width, rows: width / (width + rows)))
    rates = [f"{n} GB/s" for n in sorted(some(range(1, 40), many))]
    sizes = [f"{n} KiB" for n in sorted(some(range(2, 64), many - 2))]
    made = Study(
        model=tiny,
        hardware="edge-npu",
        objectives=objectives,
        model_space={
            "width": sorted(some(range(16, 400), 2 * many)),
            "rows": sorted(some(range(1, 9), 3)),
        },
        hardware_space={
            "dram.bandwidth": rates,
            "sram.size": sizes,
            "npu.rows": sorted(some([4, 8, 16, 32, 64], 3)),
        },
        schedule_space={"residency": ["region", rng.choice(["none", "greedy"])]},
        constraints=["npu.rows * rows < 500"] if seed % 2 else [],
    )
    assert len(Grid.of(made.space)) >= least
    return made


@pytest.mark.parametrize(
    ("seed", "least"),
    [
        *((n, 200) for n in range(3)),
        *(pytest.param(n, 2000, marks=pytest.mark.nightly) for n in range(20)),
    ],
)
def test_the_front_is_that_of_the_exhaustive_sweep(seed: int, least: int, tmp_path: Path) -> None:
    made = random_study(seed, least)
    found = made.run(tmp_path / "a")
    whole = made.run(tmp_path / "b", exhaustive=True)
    assert len(whole.done) == whole.points == found.points
    assert found.pareto() == whole.pareto()
    assert len(found.done) + found.pruned == found.points
    assert found.pruned > 0.02 * found.points  # 5 % and more on these grids
