"""Unit strings: exact factors, one dimension a field, and no number that is not one."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from codesign.errors import CodesignError, UnitError
from codesign.units import (
    PS_PER_S,
    Bytes,
    BytesPerCycle,
    BytesPerSecond,
    Count,
    Hertz,
    Joules,
    JoulesPerByte,
    Natural,
    Seconds,
    Watts,
    cycles_to_ticks,
    parse_quantity,
    ticks,
)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("2 MiB", "B", 2 * 2**20),
        ("2 MB", "B", 2e6),
        ("64KiB", "B", 65536),
        ("8 bit", "B", 1),
        ("16 Kibit", "B", 2048),
        ("25.6 GB/s", "B/s", 25.6e9),
        ("1 GiB/s", "B/s", 2**30),
        ("8 Gbit/s", "B/s", 1e9),
        ("8 Gb/s", "B/s", 1e9),
        ("940 MHz", "Hz", 940e6),
        ("1e9", "Hz", 1e9),
        ("1_000", "1", 1000),
        ("10 ns", "s", 1e-8),
        ("5 us", "s", 5e-6),
        ("5 µs", "s", 5e-6),
        ("5 μs", "s", 5e-6),
        ("0.3 pJ", "J", 0.3e-12),
        (".5 fJ", "J", 0.5e-15),
        ("8 pJ/bit", "J/B", 64e-12),
        ("1.829 pJ/B", "J/B", 1.829e-12),
        ("3 mW", "W", 3e-3),
        ("0.9 V", "V", 0.9),
        ("32 B/cycle", "B/cycle", 32),
        ("256 bit/cycle", "B/cycle", 32),
        ("32 cycles", "cycle", 32),
        (" 7 ", "1", 7),
        (-3, "1", -3),
        (2.5, "W", 2.5),
    ],
)
def test_a_quantity_is_read_in_si(text: object, unit: str, value: float) -> None:
    assert parse_quantity(text, unit) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("3 kg", "Hz"),
        ("3 GHz", "s"),
        ("3 MB", "B/s"),
        ("3 KiHz", "Hz"),
        ("3 KiJ", "J"),
        ("3 B/s", "B"),
        ("3 xB", "B"),
        ("3 GG B", "B"),
        ("3 items", "1"),
        ("3 J", "J/B"),
        # a prefix of a square counts twice, which the table cannot say
        ("2 mm2", "m2"),
        ("2 mm", "m"),
    ],
)
def test_a_unit_of_another_dimension_is_refused(text: str, unit: str) -> None:
    with pytest.raises(UnitError, match=r"expected a unit of .*; write for example"):
        parse_quantity(text, unit)


@pytest.mark.parametrize(
    "value", ["", "fast", "GHz", "1..2", "--1", "1e", "0x10", "1 2", True, None, [1], {}, "9" * 80]
)
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(UnitError):
        parse_quantity(value, "Hz")


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, "1e999", "1e308 GHz", 10**400])
def test_only_finite_numbers_are_numbers(value: object) -> None:
    with pytest.raises(UnitError, match="expected a finite number in Hz"):
        parse_quantity(value, "Hz")


@given(st.one_of(st.text(max_size=70), st.floats(), st.integers(), st.binary(), st.none()))
def test_any_input_is_a_finite_number_or_a_unit_error(value: object) -> None:
    try:
        found = parse_quantity(value, "B/s")
    except CodesignError as error:
        found = float("\n" in str(error))
    assert math.isfinite(found)


@given(st.integers(0, 2**53))
def test_whole_numbers_of_bytes_are_exact(number: int) -> None:
    reader: TypeAdapter[int] = TypeAdapter(Bytes)
    if number:
        assert reader.validate_python(number) == number
        assert reader.validate_python(f"{number} B") == number


@given(st.integers(0, 10**6))
def test_counts_are_taken_up_to_a_million(number: int) -> None:
    assert TypeAdapter(Natural).validate_python(number) == number


@pytest.mark.parametrize(
    ("kind", "value"),
    [(Count, "1e26"), (Natural, 10**6 + 1), (Bytes, "2 EB"), (Seconds, "2 s"), (Joules, "1e308")],
)
def test_a_value_beyond_any_hardware_is_refused(kind: Any, value: object) -> None:
    with pytest.raises((ValidationError, UnitError)):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Count, "1", "0"),
        (Natural, "0", "-1"),
        (Bytes, "1 B", "0 B"),
        (Bytes, "1 KiB", "1.5 B"),
        (Hertz, "1 Hz", "0.4 Hz"),
        (BytesPerSecond, "1 B/s", "0 B/s"),
        (Seconds, "0 s", "-1 ns"),
        (Joules, "0 J", "-1 pJ"),
        (JoulesPerByte, "0 J/B", "-1 pJ/B"),
        (Watts, "0 W", "-1 mW"),
        (BytesPerCycle, "1 bit/cycle", "0 B/cycle"),
    ],
)
def test_a_field_type_has_a_range(kind: Any, good: str, bad: str) -> None:
    reader: TypeAdapter[float] = TypeAdapter(kind)
    assert reader.validate_python(good) == parse_quantity(good, kind.__metadata__[-1].symbol)
    with pytest.raises(ValidationError):
        reader.validate_python(bad)


@given(st.integers(0, 10**15))
def test_whole_picoseconds_are_kept(number: int) -> None:
    assert ticks(number / PS_PER_S) == number


@given(st.floats(0, 1e3, allow_nan=False))
def test_times_are_rounded_up_by_less_than_a_tick_and_some_slack(seconds: float) -> None:
    exact = Fraction(seconds) * PS_PER_S
    slack = max(Fraction(1), exact) / 10**12
    assert exact - slack <= ticks(seconds) < exact + 1 + slack


def test_rounding_noise_does_not_cost_a_tick() -> None:
    assert 5 * 0.1e-9 * PS_PER_S > 500
    assert ticks(5 * 0.1e-9) == 500


@given(st.integers(0, 10**9), st.integers(2, 998))
def test_up_to_a_millisecond_a_real_part_of_a_tick_is_rounded_up(whole: int, part: int) -> None:
    assert ticks((whole + part / 1000) / PS_PER_S) == whole + 1


def test_a_time_from_half_a_second_on_goes_to_the_nearest_tick() -> None:
    assert ticks(0.7 + 0.3e-12) == 7 * 10**11
    assert ticks(0.7 + 0.7e-12) == 7 * 10**11 + 1


@given(cycles=st.integers(0, 10**12), hertz=st.integers(1, 10**11))
def test_cycles_round_up_once(cycles: int, hertz: int) -> None:
    found = cycles_to_ticks(cycles, float(hertz))
    assert found - 1 < Fraction(cycles * PS_PER_S, hertz) <= found


@given(parts=st.lists(st.integers(0, 10**6), max_size=5), hertz=st.integers(1, 10**10))
def test_parts_of_a_time_never_sum_to_less_than_the_whole(parts: list[int], hertz: int) -> None:
    whole = cycles_to_ticks(sum(parts), hertz)
    assert whole <= sum(cycles_to_ticks(part, hertz) for part in parts) <= whole + len(parts)


def test_the_slowest_clock_allowed_still_has_a_period() -> None:
    slowest = TypeAdapter(Hertz).validate_python("1 Hz")
    assert cycles_to_ticks(1, slowest) == PS_PER_S
