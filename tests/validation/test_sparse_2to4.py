"""The family ``sparse-2to4``: every sign right, never a flat factor of two, little fitted."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from codesign_plugins.gpu import SparseTensorCore
from codesign_plugins.gpu import validate_sparse as family
from codesign_plugins.gpu.ranks import rank_correlation
from numpy.typing import NDArray

from codesign import load_hardware
from codesign.calibration import Constant, fit_constants, with_constants
from codesign.errors import ValidationError
from codesign.testing import matmul
from codesign.validation import Case, NotRun

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "references"
needs_pairs = pytest.mark.skipif(
    not (DATA / family.FILE).exists(), reason="the measurements are not here"
)
Array = NDArray[np.float64]
GAIN = "dense time over sparse time"
FITTED_CONSTANTS = {
    "A100": ("sparse_efficiency", "sparse_overhead"),
    "MI300X": ("compute_efficiency", "memory_efficiency", "sparse_efficiency"),
}
SHARE = Constant(0.05, 1.0)
RANGES = {"sparse_overhead": Constant(0.0, 2e-4)}


@cache
def cases(data: Path | None = DATA) -> tuple[Case, ...]:
    found = [one for row in family.rows(data) for one in family.compare(row)]
    return tuple(one for one in found if isinstance(one, Case))


def of(quantity: str, device: str = "") -> list[Case]:
    return [one for one in cases() if one.quantity == quantity and one.name.startswith(device)]


def pairs(device: str) -> list[family.Pair]:
    found = [row for row in family.rows(DATA) if isinstance(row, family.Pair)]
    return [row for row in found if row.device == device]


@needs_pairs
def test_every_clean_pair_is_on_the_right_side_of_dense() -> None:
    found = of(GAIN)
    assert len(found) == 14
    assert [one.ours > 1 for one in found] == [one.theirs > 1 for one in found]
    assert [one.theirs < 1 for one in found].count(True) == 1


@needs_pairs
@pytest.mark.parametrize("device", family.PRESETS)
def test_the_gain_is_within_fifteen_per_cent_in_the_mean(device: str) -> None:
    for chosen in ([True, False], [False]):
        errors = [abs(one.error) for one in of(GAIN, device) if one.calibrated in chosen]
        assert np.mean(errors) < 0.15


@needs_pairs
def test_times_of_sparse_products_are_within_fifteen_per_cent_in_the_mean() -> None:
    errors = [abs(one.error) for one in of("time, 2:4 weights")]
    assert len(errors) == 12
    assert np.mean(errors) < 0.15


@needs_pairs
def test_the_gain_is_never_a_flat_two() -> None:
    gains = [one.ours for one in of(GAIN)]
    assert max(gains) < 1.5
    assert len({round(gain, 2) for gain in gains}) > 6


@needs_pairs
def test_the_order_of_the_gains_is_printed_and_is_met_in_part_only() -> None:
    """Ranks of times would come from the MACs; of the gains these are the honest figures."""
    found = {one.name: one for one in of("rank correlation of the gains")}
    assert {name: round(one.ours, 2) for name, one in found.items()} == {
        "A100, 6 pairs": 0.66,
        "MI300X, 8 pairs": 0.53,
    }
    assert all(one.theirs == 1 and one.calibrated for one in found.values())
    assert "ours are 5 gains; 4 pairs are fitted" in found["MI300X, 8 pairs"].note


@needs_pairs
def test_the_order_of_the_times_says_nothing() -> None:
    """MACs alone rank the times as well: that is why the gains are ranked."""
    for device in family.PRESETS:
        found = [row for row in pairs(device) if row.dense_us and not row.is_training]
        macs = [float(np.prod(row.sizes)) for row in found]
        assert rank_correlation(macs, [row.sparse_us for row in found]) > 0.9


def test_gains_that_rank_against_theirs_are_not_called_an_error() -> None:
    up, down, last = (
        family.Pair(device="A100", sizes=(m, 4096, 4096), dense_us=dense, sparse_us=1.0)
        for m, dense in ((1, 3.0), (64, 2.0), (4096, 1.0))
    )
    (left,) = family.compare(family.Gains(device="A100", pairs=(up, down, last)))
    assert isinstance(left, NotRun)
    assert "ranks of the gains are against theirs: -1.00" in left.reason


@needs_pairs
def test_the_dense_time_of_a_report_counts_where_its_sparse_kernel_was_at_fault() -> None:
    (row,) = [row for row in pairs("A100") if row.sizes[0] == 16384]
    assert (row.dense_us, row.sparse_us) == (29099, 18173.7)


@needs_pairs
def test_a_product_with_one_row_is_left_to_the_dense_kernel() -> None:
    (case,) = [one for one in of(GAIN) if one.name == "A100 1x4096x4096"]
    assert case.theirs == pytest.approx(0.112, abs=0.001)
    assert case.note == "the engine takes the dense kernel"
    engine, budget = family.device_of("A100")
    assert "runs dense" in engine.kernel(family.product(1, 4096, 4096), budget).note


@needs_pairs
def test_at_most_three_constants_of_a_device_are_fitted_and_to_few_points() -> None:
    for device, constants in FITTED_CONSTANTS.items():
        points = [row for row in pairs(device) if row.is_fitted]
        assert len(constants) <= 3
        assert len(points) == len(family.FITTED[device]) == 4
        assert len(pairs(device)) > 5


def fitted(device: str, engine: SparseTensorCore) -> tuple[Array, Array]:
    """What is fitted of a device, ours and measured: both times, or the gain.

    The dense kernel of the A100 is fitted elsewhere, to other measurements under other clocks, so
    of its sparse kernel the gain counts; where rows are filled up the time counts.
    """
    _, budget = family.device_of(device)
    ours, theirs = [], []
    for row in pairs(device):
        if not row.is_fitted:
            continue
        m, k, n = row.sizes
        kernels = (
            engine.kernel(matmul(m, k, n, dtype="fp16"), budget),
            engine.sparse_kernel(family.product(m, k, n), budget),
        )
        dense, sparse = ((engine.t0 + kernel.work_s) * 1e6 for kernel in kernels)
        assert row.dense_us
        if "compute_efficiency" in FITTED_CONSTANTS[device]:
            ours += [dense, sparse]
            theirs += [row.dense_us, row.sparse_us]
        else:
            is_time = m < engine.min_rows
            ours.append(sparse if is_time else dense / sparse)
            theirs.append(row.sparse_us if is_time else row.dense_us / row.sparse_us)
    return np.array(ours), np.array(theirs)


@needs_pairs
@pytest.mark.parametrize("device", family.PRESETS)
def test_the_preset_has_the_constants_that_fit_these_points_best(device: str) -> None:
    engine, _ = family.device_of(device)
    constants = {name: RANGES.get(name, SHARE) for name in FITTED_CONSTANTS[device]}
    best = fit_constants(
        lambda values: fitted(device, with_constants(engine, values))[0],
        constants,
        fitted(device, engine)[1],
    )
    for name, value in best.items():
        assert getattr(engine, name) == pytest.approx(value, rel=2e-3)
        assert engine.calibrated_constants[name] == getattr(engine, name)


@needs_pairs
def test_presets_say_how_far_their_sparse_constants_are_off() -> None:
    """The figures of the sentence are those of the comparison."""
    for device, quantity, words in (
        (
            "A100",
            GAIN,
            "mean error of the gain {0} on these (bias {1}), {2} (bias {3}) on 2 others",
        ),
        ("MI300X", GAIN, "of the gain {0} (bias {1}) and {2} (bias {3})"),
        ("MI300X", "time, dense weights", "of dense times {0} on these (bias {1}), {2} (bias {3})"),
        ("MI300X", "time, 2:4 weights", "of 2:4 times {0} (bias {1}) and {2} (bias {3})"),
    ):
        figures = []
        for is_fitted in (True, False):
            errors = [c.error for c in of(quantity, device) if c.calibrated is is_fitted]
            figures += [f"{np.mean(np.abs(errors)):.1%}", f"{np.mean(errors):+.1%}"]
        assert words.format(*figures) in family.device_of(device)[0].calibration


@needs_pairs
def test_ranges_of_sparse_products_are_those_of_the_points() -> None:
    for device in family.PRESETS:
        engine, _ = family.device_of(device)
        ops = [family.product(*row.sizes) for row in pairs(device) if row.is_fitted]
        assert [engine.beyond(op) for op in ops] == [""] * 4
        work = engine.work(ops[0])
        assert work == "2:4 contraction fp16*fp16"
        for place, name in enumerate("mkn"):
            sizes = [row.sizes[place] for row in pairs(device) if row.is_fitted]
            assert engine.calibrated_range[f"{work} {name}"] == (min(sizes), max(sizes))


@needs_pairs
def test_faulty_software_is_listed_with_its_reason() -> None:
    left = [row for row in family.rows(DATA) if isinstance(row, NotRun)]
    assert len(left) == 11
    assert len([row for row in left if "unfinished kernel" in row.reason]) == 10
    assert len([row for row in left if "wrong tool chain" in row.reason]) == 1
    assert list(family.compare(left[0])) == [left[0]]


@needs_pairs
def test_a_training_step_keeps_one_product_dense() -> None:
    (row, _) = [row for row in pairs("A100") if row.is_training]
    m, k, n = row.sizes
    alone = [
        family.predicted_us(
            family.Pair(device="A100", sizes=sizes, dense_us=None, sparse_us=1.0), is_sparse=sparse
        )
        for sizes, sparse in (((m, k, n), True), ((m, n, k), True), ((n, m, k), False))
    ]
    assert family.predicted_us(row, is_sparse=True) == pytest.approx(sum(alone))


def test_typed_pairs_need_no_file() -> None:
    found = [one for one in cases(None) if one.quantity == GAIN]
    assert len(found) == 3
    assert [one.ours > 1 for one in found] == [one.theirs > 1 for one in found]


def test_weights_are_packed_to_nine_sixteenths() -> None:
    weight = family.product(64, 4096, 4096).inputs[1].tensor
    assert weight.bytes / weight.plain_bytes == 0.5625


def test_an_unknown_device_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / family.FILE
    path.parent.mkdir()
    head, *rows = family.TYPED.splitlines()
    path.write_text("\n".join([head, rows[0].replace("A100-80GB", "T4"), ""]))
    with pytest.raises(ValidationError, match="hardware must be A100 or MI300X, with sizes"):
        family.rows(tmp_path)


@pytest.mark.parametrize("preset", ["a100-80gb", "a40", "h100", "mi300x"])
def test_every_such_preset_has_a_sparse_core(preset: str) -> None:
    (engine,) = load_hardware(preset).engines
    assert isinstance(engine, SparseTensorCore)
    assert (engine.kept, engine.group) == (2, 4)
