"""What the points do not tell is left as it was, and what they cannot be is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from measured import FP16, TRUTH, engine, machine, products, streams, synthetic, truly
from numpy.typing import NDArray

from codesign.calibration import Calibration, Constant, Point, calibrate, tabulate
from codesign.calibration.told import least_told
from codesign.errors import CalibrationError

Array = NDArray[np.float64]
THIN = [
    Point("contraction", (m, k, n), (FP16, FP16), 1e-3)
    for m in (1, 2, 4, 8)
    for k in (4096, 8192)
    for n in (1024, 4096, 8192, 16384)
]
"""Products that are all bound by the memory."""


def fitted(points: list[Point], **truth: float) -> Calibration:
    return calibrate(truly(points, {**TRUTH, **truth}), machine())


def test_points_bound_by_the_memory_do_not_tell_the_share_of_the_units() -> None:
    found = fitted(THIN)
    assert found.fit.untold == ("compute_efficiency",)
    assert found.fit.constants == pytest.approx(
        {"t0": TRUTH["t0"], "memory_efficiency": TRUTH["memory_efficiency"]}, rel=0.02
    )
    assert "compute_efficiency" not in found.changes
    (after,) = found.hardware.engines
    assert getattr(after, "compute_efficiency", None) == 1.0
    assert "not told by them: compute_efficiency" in getattr(after, "calibration", "")


def test_points_bound_by_the_units_do_not_tell_the_share_of_the_memory_or_the_start() -> None:
    """A start of 5 us is a part in thousands of such kernels."""
    large = [
        Point("contraction", (4096 * m, 8192 + 64 * k, 8192), (FP16, FP16), 1e-3)
        for m in (1, 2, 3, 4)
        for k in range(8)
    ]
    found = calibrate(truly(large, TRUTH, noise=0.1), machine())
    assert set(found.fit.untold) == {"t0", "memory_efficiency"}
    assert found.fit.constants["compute_efficiency"] == pytest.approx(0.7, rel=0.05)


def test_two_constants_that_one_number_decides_are_not_both_told() -> None:
    """Operators of the same bytes take one time: it splits into start and share in any way."""
    shapes = [Point("softmax", (2**a * 3, 2 ** (20 - a)), (FP16,), 1e-3) for a in range(20)]
    shapes += [Point("softmax", (2**a, 3, 2 ** (20 - a)), (FP16,), 1e-3) for a in range(1, 20)]
    found = fitted(shapes)
    assert len(found.fit.untold) == 1
    assert len(found.fit.constants) == 1
    assert found.fit.fit_errors[0].mean < 0.01


def test_all_is_told_where_operators_differ() -> None:
    for table in (synthetic(30), synthetic(60, noise=0.1), synthetic(400, noise=0.3)):
        assert calibrate(table, machine()).fit.untold == ()


def clear(noise: float, lever: float) -> str | None:
    """Whether a slope is told by points that hang on it so much, with such noise."""
    random = np.random.default_rng(0)
    at = np.linspace(0, lever, 50)

    def predict(values: Mapping[str, float]) -> Array:
        return np.asarray(1.0 + values["slope"] * at)

    measured = predict({"slope": 1.0}) * np.exp(random.normal(0, noise, 50))
    return least_told(predict, {"slope": Constant(0.0, 4.0)}, {"slope": 1.0}, measured)


def test_what_is_told_hangs_on_the_noise_and_on_the_lever() -> None:
    assert clear(0.01, 1.0) is None
    assert clear(0.3, 1.0) is None
    assert clear(3.0, 1.0) == "slope"
    assert clear(0.01, 0.1) is None
    assert clear(0.3, 0.1) == "slope"
    assert clear(0.0, 1e-3) == "slope"


def test_a_constant_at_its_limit_is_named() -> None:
    fast = synthetic(60)
    faster = products(
        [(int(m), int(k), int(n)) for m, k, n in zip(fast.m, fast.k, fast.n, strict=True)],
        (fast.seconds * 0.6).tolist(),
    )
    found = calibrate(faster, machine())
    assert "compute_efficiency" in found.fit.at_limit
    assert found.fit.constants["compute_efficiency"] == 1.0
    (after,) = found.hardware.engines
    assert "at its limit: " in getattr(after, "calibration", "")
    assert calibrate(fast, machine()).fit.at_limit == ()


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_a_latency_in_the_wrong_unit_is_refused(factor: float) -> None:
    table = synthetic(60)
    shapes = [(int(m), int(k), int(n)) for m, k, n in zip(table.m, table.k, table.n, strict=True)]
    wrong = products(shapes, (table.seconds * factor).tolist())
    with pytest.raises(CalibrationError, match=r"miss contraction fp16\*fp16 by \d+% in the mean"):
        calibrate(wrong, machine())


def test_a_kind_that_is_far_off_is_refused_though_others_are_not() -> None:
    """Softmax 40 times slower than this device could be: one mean over all would hide it."""
    points = [*THIN, *streams(count=6)]
    table = truly(points, {**TRUTH, "kind_efficiency.softmax": 0.6})
    times = np.where(table.kind == "softmax", table.seconds * 40, table.seconds).tolist()
    timed = [replace(point, seconds=time) for point, time in zip(points, times, strict=True)]
    with pytest.raises(CalibrationError, match=r"miss softmax fp16 by 8.%.*check the unit of the"):
        calibrate(tabulate(timed, "kernel", ()), machine())


def test_too_few_operators_are_refused_however_they_come() -> None:
    with pytest.raises(CalibrationError, match="the measurements: a fit needs at least 20 differ"):
        calibrate(products([(64, 64, 64)] * 40, [1e-5] * 40), machine())


def test_an_engine_says_how_a_constant_is_called() -> None:
    found = engine(machine()).constants_of(synthetic(30))
    assert {name: one.unit for name, one in found.items()} == {
        "t0": "s",
        "compute_efficiency": "",
        "memory_efficiency": "",
    }
