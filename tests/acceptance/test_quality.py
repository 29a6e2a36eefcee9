"""Quality in the loop: accuracy that is trained and energy that is simulated, on one front."""

from __future__ import annotations

import importlib
import runpy
import sys
from dataclasses import fields
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
import torch

from codesign import load_hardware

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
if str(EXAMPLES) not in sys.path:
    sys.path.append(str(EXAMPLES))

network: Any = importlib.import_module("quality.network")
train: Any = importlib.import_module("quality.train")
study: Any = importlib.import_module("quality.measure")
compare: Any = importlib.import_module("quality.compare")

needs_digits = pytest.mark.skipif(
    find_spec("sklearn") is None,
    reason="the digits come with scikit-learn: pip install scikit-learn",
)
CELLS, WIDTH, BITS, BUFFERS = ("GRU", "LiGRU"), 16, (8, 2), ("8 KiB", "16 KiB")
CHOICES = study.Choices(CELLS, (WIDTH,), BITS, BUFFERS)
RECIPE = train.Recipe(seeds=2, epochs=5, batch=64)
GOALS = ("energy_j", "latency_s", "accuracy")


@pytest.fixture(scope="module")
def found() -> Any:
    return study.measure_all(CHOICES, RECIPE, least=0)


def rows(found: Any, **values: Any) -> list[Any]:
    return [row for row in found.rows if all(row[name] == one for name, one in values.items())]


def wins(one: Any, other: Any) -> bool:
    pairs = [(one[name], other[name]) for name in GOALS[:2]]
    pairs.append((other["accuracy"], one["accuracy"]))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


@needs_digits
def test_every_point_is_replayed_with_the_accuracy_of_its_networks(found: Any) -> None:
    assert len(found.rows) == 2 * 1 * 2 * 2
    for row in found.rows:
        assert row["accuracy"] == mean(found.scores_of(row).validation)


@needs_digits
@pytest.mark.parametrize("cell", CELLS)
def test_networks_learn_and_eight_bits_cost_less_than_a_point(found: Any, cell: str) -> None:
    as_trained = mean(found.scores[cell, WIDTH, None].validation)
    assert as_trained > 0.7  # guessing gets a tenth
    assert abs(mean(found.scores[cell, WIDTH, 8].validation) - as_trained) <= 0.01


@needs_digits
@pytest.mark.parametrize("cell", CELLS)
def test_two_bits_cost_much_accuracy_on_images_of_both_kinds(found: Any, cell: str) -> None:
    few, many = found.scores[cell, WIDTH, 2], found.scores[cell, WIDTH, 8]
    assert mean(few.validation) < mean(many.validation) - 0.1
    assert mean(few.test) < mean(many.test) - 0.1


@needs_digits
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("buffer", BUFFERS)
def test_energy_and_traffic_fall_with_bits(found: Any, cell: str, buffer: str) -> None:
    few, many = (
        rows(found, cell=cell, weight_bits=bits, **{"sram.size": buffer})[0] for bits in (2, 8)
    )
    assert few["energy_j"] < many["energy_j"]
    assert few["offchip_bytes"] < many["offchip_bytes"]


@needs_digits
def test_a_buffer_that_holds_more_than_the_weights_costs_energy(found: Any) -> None:
    for cell in CELLS:
        for bits in BITS:
            energies = [row["energy_j"] for row in rows(found, cell=cell, weight_bits=bits)]
            assert energies == sorted(energies)
            assert energies[0] < energies[1]


@needs_digits
def test_the_front_is_what_no_row_beats(found: Any) -> None:
    beaten = [row for row in found.rows if any(wins(other, row) for other in found.rows)]
    assert beaten
    assert [row for row in found.rows if row not in beaten] == sorted(
        found.front, key=lambda row: row["index"]
    )


@needs_digits
def test_bounds_first_find_the_same_front(found: Any, tmp_path: Path) -> None:
    swept = study.study_of(CHOICES, RECIPE, 0).run(tmp_path / "pruned")
    assert tuple(swept.pareto()) == found.front


@needs_digits
def test_what_is_not_accurate_enough_is_not_replayed(found: Any, tmp_path: Path) -> None:
    least = mean(row["accuracy"] for row in found.rows)
    swept = study.study_of(CHOICES, RECIPE, least).run(tmp_path / "kept", exhaustive=True)
    kept = [row for row in found.rows if row["accuracy"] >= least]
    assert swept.left_out == len(found.rows) - len(kept) > 0
    assert [row["index"] for row in swept.done] == [row["index"] for row in kept]


@needs_digits
def test_training_again_gives_the_same_weights_to_the_bit() -> None:
    recipe = train.Recipe(seeds=1, epochs=2)
    first = train.trained("GRU", 8, recipe)
    torch.manual_seed(12345)
    again = train.trained.__wrapped__("GRU", 8, recipe)
    assert all(torch.equal(first[name], again[name]) for name in first)


@needs_digits
def test_a_change_in_the_last_digit_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So another processor, whose sums are rounded otherwise, comes to the same accuracies."""
    recipe = train.Recipe(seeds=1)
    usual, initial = train.trained("LSTM", 8, recipe), train._initial

    def changed(*given: Any) -> Any:
        return {
            name: ((1 + 4e-15) * tensor.detach()).requires_grad_()
            for name, tensor in initial(*given).items()
        }

    monkeypatch.setattr(train, "_initial", changed)
    other = train.trained.__wrapped__("LSTM", 8, recipe)
    assert any(not torch.equal(usual[name], other[name]) for name in usual)
    for name in usual:
        torch.testing.assert_close(other[name], usual[name], rtol=0, atol=1e-9)


@needs_digits
def test_networks_side_by_side_do_not_know_of_each_other() -> None:
    alone = train.trained("GRU", 8, train.Recipe(seeds=1, epochs=2))
    beside = train.trained("GRU", 8, train.Recipe(seeds=3, epochs=2))
    for name in alone:
        torch.testing.assert_close(beside[name][0], alone[name][0], rtol=1e-6, atol=1e-9)
        assert not torch.equal(beside[name][0], beside[name][1])


@needs_digits
def test_no_image_is_in_two_parts_and_test_images_are_those_of_all_seeds() -> None:
    parts = train._parts(3)
    count = len(train._data()[1])
    for seed in range(3):
        assert sorted(torch.cat([part[seed] for part in parts]).tolist()) == list(range(count))
        assert torch.equal(parts[0][seed], parts[0][0])
    assert set(parts[2][0].tolist()) != set(parts[2][1].tolist())
    assert [part.shape[1] for part in parts] == [360, 1797 - 720, 360]


@needs_digits
def test_rows_of_an_image_are_what_the_network_reads_step_by_step() -> None:
    from sklearn.datasets import load_digits  # type: ignore[import-untyped,unused-ignore]

    images, labels = train._data()
    shown = load_digits()
    assert torch.equal(images * 16, torch.from_numpy(shown.images))
    assert labels.tolist() == shown.target.tolist()


@pytest.mark.parametrize("bits", [8, 6, 4, 3, 2])
def test_rounding_leaves_whole_multiples_of_a_scale_and_keeps_the_largest(bits: int) -> None:
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(3, 10, 16, generator=generator, dtype=torch.float64)
    weights[0, 0] = 0
    kept = torch.randn(3, 4, dtype=torch.float64)
    rounded = train.quantised({"out.weight": weights, "out.bias": kept}, bits)
    assert torch.equal(rounded["out.bias"], kept)
    scales = weights.abs().amax(-1, keepdim=True) / (2 ** (bits - 1) - 1)
    error = (rounded["out.weight"] - weights).abs()
    assert bool((error <= 0.51 * scales).all())  # half a step, and half precision of the scale
    for row in rounded["out.weight"].flatten(0, 1):
        assert len(row.unique()) <= 2**bits - 1
    assert not rounded["out.weight"][0, 0].any()


@pytest.mark.parametrize("cell", list(network.CELLS))
def test_what_is_captured_computes_what_is_trained(cell: str) -> None:
    torch.manual_seed(0)
    one = network.Network(cell, 12)
    rows_of = torch.rand(network.STEPS, 1, network.PIXELS)
    with torch.no_grad():
        torch.testing.assert_close(network.Deployed(one)(rows_of), one(rows_of))


@pytest.mark.parametrize("bits", [8, 3])
def test_matrices_are_stored_in_their_bits_and_a_scale_a_row(bits: int) -> None:
    """A GRU has three gates; each row of a matrix has a scale of 16 bits."""
    trace = network.model("GRU", 24, bits)
    stored = {t.name.rpartition("cell.")[2]: t.bytes for t in trace.tensors if t.role == "weight"}
    shapes = {"input.weight": (72, 8), "recurrent.weight": (72, 24), "out.weight": (10, 24)}
    for name, (outputs, inputs) in shapes.items():
        assert stored[name] == (outputs * inputs * bits + outputs * 16 + 7) // 8
    assert trace.macs == 8 * (72 * 8 + 72 * 24) + 10 * 24


def test_the_hardware_is_the_preset_but_for_its_buffer_and_few_bits() -> None:
    preset, ours = load_hardware("edge-npu"), load_hardware(study.HARDWARE)
    assert list(preset.components) == list(ours.components)
    differs = {
        (name, field)
        for name, part in preset.components.items()
        for field in (one.name for one in fields(part))
        if getattr(part, field) != getattr(ours.components[name], field)
    }
    assert {field for name, field in differs if name == "npu"} == {"macs_per_cell", "mac_energy"}
    assert {name for name, _ in differs} == {"npu", "sram"}
    theirs: Any = preset.components["npu"]
    npu: Any = ours.components["npu"]
    assert {*npu.mac_energy.values()} == {theirs.mac_energy["int8*int8"]}


def test_a_start_fits_one_buffer_and_not_the_other() -> None:
    """20.4 kB of weights: only what does not fit gains from a larger buffer, or from parts."""
    start = compare.START.values()
    results = [study.kept_in_part(*start, buffer) for buffer in ("8 KiB", "16 KiB", "32 KiB")]
    assert all(a["energy_j"] > b["energy_j"] for a, b in pairwise(results))
    assert network.model(*start).parameter_bytes > 16 * 1024


def made(cell: str, width: int, bits: int, buffer: str, energy: float, accuracy: float) -> Any:
    point = {"cell": cell, "width": width, "weight_bits": bits, "sram.size": buffer}
    return {**point, "energy_j": energy, "latency_s": energy, "accuracy": accuracy}


def invented() -> Any:
    """A start of 90 %, one row that is cheap and bad, one that is cheap and good."""
    start = [made("LSTM", 64, 8, buffer, 10.0, 0.9) for buffer in ("16 KiB", "32 KiB")]
    bad, good = made("SRU", 64, 8, "16 KiB", 1.0, 0.8), made("LSTM", 64, 4, "16 KiB", 5.0, 0.895)
    scores = {
        (cell, width, bits): train.Scores((0.2, 0.2), (0.1, 0.1))
        for cell in network.CELLS
        for width in (16, 32, 48, 64)
        for bits in (8, 6, 4, 3, 2)
    }
    scores["LSTM", 64, 8] = train.Scores((0.88, 0.92), (0.9, 0.9))
    scores["SRU", 64, 8] = train.Scores((0.8, 0.8), (0.8, 0.8))
    scores["LSTM", 64, 4] = train.Scores((0.87, 0.92), (0.7, 0.7))
    return study.Found((*start, bad, good), (bad, good, start[0]), scores)


def test_changes_are_compared_seed_by_seed_and_test_images_choose_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = invented()
    monkeypatch.setattr(compare, "kept_in_part", lambda **point: found.front[-1])
    given = {change.name: change for change in compare.changes(found, "16 KiB")}
    assert given["SRU"].energy == given["SRU"].latency == 10
    assert given["SRU"].points == pytest.approx((-8, -12))
    assert given["4 bits"].points == pytest.approx((-1, 0))
    assert given["2 bits"].row is None
    assert given["twice the buffer"].energy == given["parts stay"].energy == 1
    # 4 bits are far worse on the test images, which must not matter here
    assert [change.name for change in compare.ranked(found, "16 KiB")] == ["4 bits"]
    assert compare.cheapest(found, "16 KiB")["weight_bits"] == 4


def test_the_front_is_told_in_steps_that_are_more_than_noise() -> None:
    assert [row["accuracy"] for row in compare.steps(invented())] == [0.8, 0.895]


def test_without_scikit_learn_the_example_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(SystemExit, match="pip install scikit-learn"):
        runpy.run_path(str(EXAMPLES / "quality_digits.py"), run_name="__main__")
