"""The fit: it finds constants that are there, draws fairly, and says how wrong it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured import FP16, TRUTH, machine, products, sizes, streams, synthetic
from numpy.typing import NDArray

from codesign.calibration import (
    BANDS,
    Calibratable,
    Constant,
    Measurements,
    Point,
    budget_of,
    calibrate,
    errors_by_band,
    errors_by_work,
    fit_constants,
    stratified,
    tabulate,
)
from codesign.workload.dtype import DType

Array = NDArray[np.float64]


def line(measured: Array, at: Array) -> tuple[Callable[[dict[str, float]], Array], Array]:
    return (lambda values: values["start"] + values["slope"] * at), measured


@settings(max_examples=15)
@given(start=st.floats(0.1, 5), slope=st.floats(0.1, 10))
def test_constants_that_are_there_are_found(start: float, slope: float) -> None:
    at = np.linspace(0.1, 20, 40)
    predict, measured = line(start + slope * at, at)
    constants = {"start": Constant(0.0, 6.0), "slope": Constant(0.0, 12.0)}
    found = fit_constants(predict, constants, measured)
    assert np.abs(predict(found) / measured - 1).mean() < 0.01


def test_a_constant_never_leaves_its_range() -> None:
    at = np.linspace(1, 20, 40)
    predict, measured = line(9 + 20 * at, at)
    constants = {"start": Constant(0.0, 1.0), "slope": Constant(0.0, 2.0)}
    assert fit_constants(predict, constants, measured) == {"start": 1.0, "slope": 2.0}


def test_constants_beyond_the_grid_are_found_too() -> None:
    at = np.arange(1.0, 41.0)
    names = [f"slope{number}" for number in range(6)]
    truth = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    part = (at.astype(int)) % 6

    def predict(values: dict[str, float]) -> Array:
        found: Array = np.array([values[name] for name in names])[part] * at
        return found

    measured = truth[part] * at
    found = fit_constants(predict, dict.fromkeys(names, Constant(0.5, 10.0)), measured)
    assert [found[name] for name in names] == pytest.approx(truth.tolist(), rel=0.01)


def test_a_ridge_is_followed_to_its_end() -> None:
    """Two constants that nearly make up for each other: a search along the axes stands still."""
    at = np.linspace(10, 11, 60)
    predict, measured = line(0.3 + 1.7 * at, at)
    constants = {"start": Constant(0.0, 20.0), "slope": Constant(0.0, 3.0)}
    assert fit_constants(predict, constants, measured) == pytest.approx(
        {"start": 0.3, "slope": 1.7}, rel=1e-3
    )


def test_one_outlier_does_not_bend_the_fit() -> None:
    at = np.linspace(1, 20, 41)
    clean = 1 + 2 * at
    measured = clean.copy()
    measured[7] *= 50
    predict, _ = line(measured, at)
    constants = {"start": Constant(0.0, 5.0), "slope": Constant(0.0, 5.0)}
    assert predict(fit_constants(predict, constants, measured)) == pytest.approx(clean, rel=0.02)


def test_a_fit_has_four_digits() -> None:
    at = np.linspace(1, 20, 41)
    predict, measured = line(np.pi + np.e * at, at)
    constants = {"start": Constant(0.0, 5.0), "slope": Constant(0.0, 5.0)}
    for value in fit_constants(predict, constants, measured).values():
        assert float(f"{value:.4g}") == value


def test_the_constants_of_a_device_are_found_in_its_times() -> None:
    found = calibrate(synthetic(200), machine()).fit
    assert found.constants == pytest.approx(TRUTH, rel=0.02)
    assert found.fit_errors[0].mean < 0.005
    assert found.held_back_errors[0].mean < 0.005


def test_one_time_that_is_too_short_does_not_shorten_the_start() -> None:
    table = synthetic(60)
    shapes = [(int(m), int(k), int(n)) for m, k, n in zip(table.m, table.k, table.n, strict=True)]
    times = np.where(table.seconds == table.seconds.min(), table.seconds / 2, table.seconds)
    assert times.min() < TRUTH["t0"]
    found = calibrate(products(shapes, times.tolist()), machine()).fit
    assert found.constants == pytest.approx(TRUTH, rel=0.02)


def test_noise_is_what_a_fit_cannot_take_away() -> None:
    found = calibrate(synthetic(400, noise=0.1), machine()).fit
    assert found.constants == pytest.approx(TRUTH, rel=0.15)
    for errors in (found.fit_errors[0], found.held_back_errors[0]):
        assert 0.05 < errors.mean < 0.12
        assert abs(errors.bias) < 0.04


def test_times_of_the_host_tell_the_launch_and_keep_the_start() -> None:
    truth = {"launch_overhead": 2e-5, "compute_efficiency": 0.9, "memory_efficiency": 0.8}
    found = calibrate(synthetic(200, truth, "host"), machine()).fit
    assert found.constants == pytest.approx(truth, rel=0.03)


def test_constants_of_the_device_are_wrong_for_times_of_the_host() -> None:
    """Fitted to kernel times and asked for host times, a launch of 25 us is missing."""
    truth = {**TRUTH, "launch_overhead": 25e-6}
    kernel = calibrate(synthetic(200), machine())
    host = synthetic(200, truth, "host")
    (engine,) = kernel.hardware.engines
    assert isinstance(engine, Calibratable)
    wrong = engine.predict_s(host, budget_of(kernel.hardware, engine))
    assert errors_by_band(wrong, host.seconds, host.rows)[0].bias < -0.15


def test_the_same_points_and_seed_give_the_same_fit() -> None:
    one, again = (calibrate(synthetic(60, noise=0.1), machine(), seed=3).fit for _ in range(2))
    assert one.constants == again.constants
    assert one.fitted.digest == again.fitted.digest
    other = calibrate(synthetic(60, noise=0.1), machine(), seed=4).fit
    assert other.fitted.digest != one.fitted.digest


def different(count: int, dtype: str = "fp16") -> Measurements:
    number = (DType.parse(dtype),) * 2
    points = [Point("contraction", (m, 64, 64), number, 1e-3) for m in range(1, count + 1)]
    return tabulate(points, "kernel", ())


def joined(*tables: Sequence[Point]) -> Measurements:
    return tabulate([point for points in tables for point in points], "kernel", ())


def drawn(table: Measurements, seed: int = 0) -> Counter[str]:
    return Counter(table.where(stratified(table, seed)).work.tolist())


@pytest.mark.parametrize(
    ("points", "taken"), [(20, 16), (50, 40), (400, 320), (491, 400), (2000, 400)]
)
def test_at_most_four_hundred_points_are_drawn_and_a_fifth_is_held_back(
    points: int, taken: int
) -> None:
    chosen = stratified(different(points), 0)
    assert abs(len(chosen) - taken) <= 1
    assert len(chosen) <= 400
    assert len(set(chosen.tolist())) == len(chosen)
    assert chosen.tolist() == sorted(chosen.tolist())


def test_every_band_of_rows_gives_its_share() -> None:
    table = different(2000)
    rows = table.rows[stratified(table, 0)]
    for _, low, high in BANDS[1:]:
        mine = ((table.rows > low) & (table.rows <= high)).mean()
        assert ((rows > low) & (rows <= high)).mean() == pytest.approx(mine, abs=0.005)


def test_a_kind_of_few_operators_gives_four_fifths_of_them() -> None:
    """1,500 products leave room for five softmax, of which one is held back."""
    points = [Point("contraction", (m, 64, 64), (FP16, FP16), 1e-3) for m in range(1, 1501)]
    table = joined(points, streams(count=5))
    assert drawn(table) == {"contraction fp16*fp16": 396, "softmax fp16": 4}


def test_kinds_and_formats_of_many_operators_give_the_same_number() -> None:
    softmax, copies = streams(count=900), streams("move", count=300)
    table = joined(softmax, streams(dtype="fp32", count=600), copies)
    assert drawn(table) == {"softmax fp16": 133, "softmax fp32": 133, "move fp16": 133}


def test_repeats_of_an_operator_are_drawn_or_held_back_together() -> None:
    """Else the error of the points that were held back is that of points that were seen."""
    table = joined(streams(count=40) * 5)
    chosen = stratified(table, 0)
    kept = set(table.first[chosen].tolist())
    assert len(kept) == 32
    assert len(chosen) == 160
    assert kept.isdisjoint(np.delete(table.first, chosen).tolist())


def test_of_two_operators_one_is_held_back() -> None:
    assert len(stratified(joined(streams(count=2)), 0)) == 1
    assert len(stratified(joined(streams(count=1)), 0)) == 1


def test_errors_are_by_rows_and_have_a_sign() -> None:
    measured, rows = np.ones(6), np.array([1.0, 64, 65, 512, 513, 9999])
    predicted = np.array([1.2, 0.8, 1.05, 1.05, 0.5, 0.5])
    found = {one.band: one for one in errors_by_band(predicted, measured, rows)}
    assert found["rows <= 64"].mean == pytest.approx(0.2)
    assert found["rows <= 64"].bias == pytest.approx(0.0)
    assert found["rows <= 64"].within == 0
    assert found["64 < rows <= 512"].within == 1
    assert found["rows > 512"].bias == pytest.approx(-0.5)
    assert found["all"].points == 6


def test_errors_of_several_kinds_are_told_apart() -> None:
    table = joined(streams(count=4), streams("move", count=6))
    predicted = np.where(table.kind == "move", 1.5, 0.9) * table.seconds
    found = {(one.work, one.band): one for one in errors_by_work(predicted, table)}
    assert found["", "all"].points == 10
    assert found["move fp16", "all"].mean == pytest.approx(0.5)
    assert found["softmax fp16", "all"].bias == pytest.approx(-0.1)
    assert {work for work, _ in found} == {"", "move fp16", "softmax fp16"}


def test_errors_of_one_kind_are_told_once() -> None:
    table = joined(streams(count=4))
    assert {one.work for one in errors_by_work(table.seconds, table)} == {""}
    assert errors_by_work(np.zeros(0), table.where(np.zeros(0, np.int64))) == ()


def test_bands_without_points_are_left_out() -> None:
    found = errors_by_band(np.ones(2), np.ones(2), np.array([600.0, 700.0]))
    assert [one.band for one in found] == ["all", "rows > 512"]


def test_rows_of_all_products_of_a_batch_count() -> None:
    table = products([(8, 16, 64, 64)], [1e-3])
    assert table.rows.tolist() == [128.0]
    assert len(sizes(3)) == 3
