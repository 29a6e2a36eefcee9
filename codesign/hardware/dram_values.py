"""Values of a DRAM device file, from text to clocks, amperes, volts and joules per bit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeAlias

from codesign.errors import HardwareError, UnitError, did_you_mean
from codesign.hardware.refusals import Lines
from codesign.units import parse_quantity, ticks

Reader: TypeAlias = Callable[[object], object]
"""From a plain value of the file to that of the device; raises UnitError."""

Schema: TypeAlias = Mapping[str, tuple[Reader, bool]]
"""Keys of a section, each with its reader and whether it is required."""

MOST_CLOCKS = 10**9
"""Longest timing, and the largest of all whole numbers: the kernel counts clocks in 64 bits."""

_CLOCKS = re.compile(r"(-?[0-9]{1,18})( nCK)?")


def schema(cls: type[Any], readers: Mapping[str, Reader] | None = None) -> Schema:
    """The keys of a section that is a dataclass.

    Args:
        cls: each of its fields is a key; one without a default is required.
        readers: of fields that are more than a plain number or word.
    """
    return {
        field.name: (
            # the annotations are text, since those modules import them from the future
            (readers or {}).get(field.name) or _BY_TYPE.get(str(field.type), text),
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in fields(cls)
    }


def read_section(
    path: tuple[str, ...], values: object, keys: Schema, lines: Lines
) -> dict[str, Any]:
    """Reads the values of a section.

    Args:
        path: names of the section, and of the part of it.
        values: a plain map from key to value.
        keys: that it may have.
        lines: places in the file.

    Raises:
        HardwareError: it is no map, has an unknown key, lacks one, or has a value of another unit
            or type; one line with the place.
    """
    name = ".".join(path)
    if not isinstance(values, dict):
        rule = "must be a map from field to value; write '{field: value, ...}'"
        raise HardwareError(f"{lines.place(path)}{name} {rule}")
    for key in values:
        if key not in keys:
            hint = did_you_mean(key[:60], keys)
            place = lines.place((*path, key))
            raise HardwareError(f"{place}unknown field {key[:60]!r} in {name}{hint}")
    for key, (_, is_required) in keys.items():
        if is_required and key not in values:
            raise HardwareError(f"{lines.place(path)}{name} needs the field {key!r}; add it")
    return {key: _read(keys[key][0], value, (*path, key), lines) for key, value in values.items()}


def _read(reader: Reader, value: object, path: tuple[str, ...], lines: Lines) -> object:
    try:
        return reader(value)
    except UnitError as error:
        raise HardwareError(f"{lines.place(path)}{'.'.join(path)}: {error}") from error


def whole(value: object) -> int:
    """A plain whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnitError(f"expected a whole number, got {str(value)[:60]!r}; write for example '64'")
    if abs(value) > MOST_CLOCKS:
        raise UnitError(f"must be at most {MOST_CLOCKS:,}, got {value:,}; lower it")
    return value


def real(value: object) -> float:
    """A plain number."""
    return parse_quantity(value, "1")


def flag(value: object) -> bool:
    """``true`` or ``false``."""
    if not isinstance(value, bool):
        raise UnitError(f"expected true or false, got {str(value)[:60]!r}; write one of them")
    return value


def text(value: object) -> str:
    """A word or a line."""
    if not isinstance(value, str) or not value.isprintable():
        raise UnitError(f"expected a word, got {str(value)[:60]!r}; put it in quotes")
    return value


def picoseconds(value: object) -> int:
    """A time of whole picoseconds, ``"625 ps"``."""
    if not isinstance(value, str):
        raise UnitError(f"expected a time, got {str(value)[:60]!r}; write for example '625 ps'")
    seconds = parse_quantity(value, "s")
    if not 1e-12 <= seconds <= 1e-6 or abs(seconds * 1e12 - ticks(seconds)) > 1e-6:
        raise UnitError(f"must be whole picoseconds up to 1 us, got {value[:60]!r}; round it")
    return ticks(seconds)


def clocks(value: object, tck_ps: int, *, is_limit: bool = False) -> int:
    """A timing in clocks.

    Args:
        value: clocks as ``22`` or ``"22 nCK"``, a time as ``"13.75 ns"``, or a list of them, of
            which the longest holds: ``[4 nCK, 7.5 ns]`` is JEDEC's max(4 nCK, 7.5 ns).
        tck_ps: one clock.
        is_limit: the timing is the longest allowed, not the shortest: a time is rounded down to
            whole clocks instead of up.

    Raises:
        UnitError: neither clocks nor a time, or longer than ``MOST_CLOCKS``.
    """
    if isinstance(value, list):
        if not value or any(isinstance(item, list) for item in value):
            raise UnitError("expected clocks or times in the list; write for example [4 nCK, 5 ns]")
        return max(clocks(item, tck_ps, is_limit=is_limit) for item in value)
    count = _CLOCKS.fullmatch(str(value))
    if count:
        return whole(int(count[1]))
    if not isinstance(value, str):
        got = repr(str(value)[:60])
        raise UnitError(f"expected clocks or a time, got {got}; write for example '22' or '18 ns'")
    time_ps = ticks(parse_quantity(value, "s"))
    return whole(time_ps // tck_ps if is_limit else -(-time_ps // tck_ps))


def amperes(value: object) -> float:
    """A current, ``"55 mA"``."""
    return parse_quantity(value, "A")


def volts(value: object) -> float:
    """A voltage, ``"1.1 V"``."""
    return parse_quantity(value, "V")


def joules_per_bit(value: object) -> float:
    """An energy for each bit, ``"0.8 pJ/bit"``."""
    energy = parse_quantity(value, "J/B") / 8
    if not 0 <= energy <= 1e-6:
        raise UnitError(f"must be 0 to 1 uJ/bit, got {str(value)[:60]!r}; check the prefix")
    return energy


_BY_TYPE: dict[str, Reader] = {"int": whole, "float": real, "bool": flag}
