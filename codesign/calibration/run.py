"""``calibrate``: from measurements and a hardware to fitted constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TypeVar, cast

import numpy as np

from codesign.calibration.contract import Calibratable, Constant, Seconds
from codesign.calibration.errors_by_band import Errors, errors_by_work
from codesign.calibration.fit import Fit, Values, fit_constants, stratified
from codesign.calibration.measurements import Measurements, check_enough
from codesign.calibration.told import least_told
from codesign.errors import CalibrationError, did_you_mean
from codesign.hardware.component import Engine
from codesign.hardware.machine import Hardware
from codesign.hardware.plan import Budget
from codesign.mapping.paths import Paths

WORST = 0.5
"""Mean error of a kind and format above which a fit is refused: the points are something else."""

E = TypeVar("E")


@dataclass(frozen=True)
class Calibration:
    """Fitted constants of one engine of a hardware.

    Attributes:
        engine: name of the engine.
        fit: constants, points and errors.
        changes: values by field of the engine: the constants and what follows from the fit; tables
            are whole.
        hardware: the hardware with them.
    """

    engine: str
    fit: Fit
    changes: Mapping[str, object]
    hardware: Hardware


def calibrate(
    table: Measurements, hardware: Hardware, engine: str | None = None, *, seed: int = 0
) -> Calibration:
    """Fits the constants of an engine to measured operators.

    At most 400 points are fitted, drawn by kind, format and rows; the others are held back and
    predicted. Constants that the points do not tell stay as they are.

    Args:
        table: the measurements.
        hardware: where the engine stands; its rates are taken as they are.
        engine: its name; the only one that can be calibrated by default.
        seed: of the draw.

    Raises:
        CalibrationError: no such engine, one that cannot be calibrated, measurements of a protocol,
            kind or format that it does not stand for, too few different operators, or ones that
            no constants predict.
    """
    part = _engine(hardware, engine)
    able = cast(Calibratable, part)
    _check(able, part.name, table)
    chosen = stratified(table, seed)
    fitted, others = table.where(chosen), np.ones(len(table), bool)
    others[chosen] = False
    budget = budget_of(hardware, part)
    constants = able.constants_of(fitted)

    def errors(values: Values, points: Measurements) -> tuple[Errors, ...]:
        return errors_by_work(_with(able, values).predict_s(points, budget), points)

    found = best_constants(able, constants, fitted, budget)
    _check_errors(errors(found, fitted), fitted)
    found = _told_constants(able, constants, found, fitted, budget)
    fit_errors = errors(found, fitted)
    _check_errors(fit_errors, fitted)
    fit = Fit(
        found,
        constants,
        fitted,
        fit_errors,
        errors(found, table.where(others)),
        table.digest,
        seed,
    )
    changes = {**changed(part, found), **able.learned(fit)}
    paths = {f"{part.name}.{field}": value for field, value in changes.items()}
    return Calibration(part.name, fit, changes, hardware.with_all(paths))


def _told_constants(
    able: Calibratable,
    constants: Mapping[str, Constant],
    found: Values,
    table: Measurements,
    budget: Budget,
) -> Values:
    """The fitted values that the points tell: without the others they are fitted anew."""
    left = dict(constants)

    def predict(values: Values) -> Seconds:
        return _with(able, values).predict_s(table, budget)

    while weakest := least_told(predict, left, found, table.seconds):
        del left[weakest]
        if not left:
            raise CalibrationError(
                f"the points tell none of {', '.join(constants)}; measure operators that differ "
                "more in size"
            )
        found = best_constants(able, left, table, budget)
    return found


def best_constants(
    able: Calibratable, constants: Mapping[str, Constant], table: Measurements, budget: Budget
) -> Values:
    """Fits some constants of an engine to all points of a table.

    Args:
        able: the engine.
        constants: what is fitted.
        table: the points.
        budget: rates around the engine.
    """
    return fit_constants(
        lambda values: _with(able, values).predict_s(table, budget), constants, table.seconds
    )


def budget_of(hardware: Hardware, engine: Engine) -> Budget:
    """The rates between the home of an engine's operands, its buffer and itself."""
    home, buffer = hardware.home(engine.name).name, engine.buffer
    return Paths(hardware).budget(engine, {}, (home, home), 1, (buffer, buffer))


def with_constants(engine: E, values: Mapping[str, object]) -> E:
    """An engine with some fields changed; ``table.key`` changes an entry of a table."""
    return replace(engine, **changed(engine, values))  # type: ignore[type-var]  # a dataclass


def changed(engine: object, values: Mapping[str, object]) -> dict[str, object]:
    """Values by field, where ``table.key`` is an entry: a table is that of the engine with it.

    Raises:
        CalibrationError: no such field.
    """
    found: dict[str, object] = {}
    known = {field.name for field in fields(engine)}  # type: ignore[arg-type]  # a dataclass
    for path, value in values.items():
        field, _, key = path.partition(".")
        if field not in known:
            raise CalibrationError(f"no field {field!r} to fit{did_you_mean(field, known)}")
        before = found.get(field, getattr(engine, field))
        found[field] = {**before, key: value} if key and isinstance(before, Mapping) else value
    return found


def _with(able: Calibratable, values: Values) -> Calibratable:
    return with_constants(able, values)


def _engine(hardware: Hardware, name: str | None) -> Engine:
    able = [engine for engine in hardware.engines if isinstance(engine, Calibratable)]
    names = [engine.name for engine in able]
    if name is None and len(able) == 1:
        return able[0]
    if name is None:
        which = (
            f"name one of {', '.join(names)}" if able else "take a hardware with one of kind gpu"
        )
        raise CalibrationError(
            f"{hardware.name} must have one engine that can be calibrated, has {len(able)}; {which}"
        )
    for engine in able:
        if engine.name == name:
            return engine
    known = [engine.name for engine in hardware.engines]
    if name in known:
        kind = hardware.engine(name).kind
        raise CalibrationError(
            f"engine {name!r} of {hardware.name} is of kind {kind!r}, which has no constants to "
            "fit; take one such as kind 'gpu'"
        )
    raise CalibrationError(f"unknown engine {name[:60]!r}{did_you_mean(name[:60], known)}")


def _check(able: Calibratable, name: str, table: Measurements) -> None:
    if table.protocol not in able.protocols:
        hint = did_you_mean(table.protocol[:60], able.protocols)
        raise CalibrationError(f"protocol {table.protocol[:60]!r} is none of engine {name!r}{hint}")
    for kind, formats in dict.fromkeys(zip(table.kind, table.formats, strict=True)):
        reason = able.measures(str(kind), str(formats))
        if reason:
            raise CalibrationError(
                f"engine {name!r} predicts no {kind} of {formats}: {reason}; take its rows out"
            )
    check_enough(table, "the measurements")


def _check_errors(errors: tuple[Errors, ...], table: Measurements) -> None:
    """Refuses points that no constants come near to: an error this large is no calibration."""
    for one in errors:
        if one.band == "all" and one.mean > WORST:
            raise CalibrationError(
                f"the best constants miss {one.work or table.work[0]} by {one.mean:.0%} in the "
                f"mean, more than {WORST:.0%}; check the unit of the latency, the dims and dtypes, "
                "and whether this is the device"
            )
