"""Numbers for people: short, with the right prefix, and never rounded to another power."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.cli.quantities import LEAST_SHARE, count, quantity, share, size

SCALES = {prefix: power for power, prefix in enumerate("fpnµm_kMGTP", start=-5)}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "J", "0 J"),
        (0.00673048, "s", "6.730 ms"),
        (1.0, "s", "1 s"),
        (0.95067, "s", "950.7 ms"),
        (1.0714, "s", "1.071 s"),
        (53356732, "B", "53.36 MB"),
        (999, "B", "999 B"),
        (1000, "B", "1.000 kB"),
        (8, "B", "8 B"),
        (999.96e-3, "s", "1.000 s"),
        (999_960, "B", "1.000 MB"),
        (3.0e-13, "J", "300.0 fJ"),
        (4_089_184_256, "MAC", "4.089 GMAC"),
        (2.5e-19, "J", "0.0002500 fJ"),
        (3e21, "B", "3,000,000 PB"),
    ],
)
def test_quantities_read_well(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


@given(st.floats(1e-15, 9e17))
def test_a_printed_quantity_is_within_half_a_digit_of_the_value(value: float) -> None:
    number, prefix = re.fullmatch(r"([\d.,]+) ([fpnµmkMGTP]?)J", quantity(value, "J")).groups()  # type: ignore[union-attr]
    read = float(number.replace(",", "")) * 1000.0 ** SCALES[prefix or "_"]
    assert read == pytest.approx(value, rel=6e-4)


@given(st.floats(1e-14, 9e16))
def test_a_printed_quantity_lies_between_1_and_1000(value: float) -> None:
    assert 1 <= float(quantity(value, "J").split()[0]) < 1000


def test_shares_and_counts() -> None:
    assert share(1, 3) == "33.3 %"
    assert share(0, 0) == "0.0 %"
    assert share(5, 5) == "100.0 %"
    assert count(351174) == "351,174"


def test_the_least_share_is_the_first_that_is_told() -> None:
    assert share(0.9999 * LEAST_SHARE, 1.0) == "0.0 %"
    assert share(1.0001 * LEAST_SHARE, 1.0) == "0.1 %"


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (1000, "1,000 B"), (1536, "1,536 B"), (3 * 2**10, "3 KiB"), (2**42, "4 TiB")],
)
def test_sizes_stay_whole(number: int, text: str) -> None:
    assert size(number) == text


@given(st.integers(0, 2**60))
def test_a_size_says_every_byte(number: int) -> None:
    digits, prefix = size(number).split()
    power = ("B", "KiB", "MiB", "GiB", "TiB").index(prefix)
    assert int(digits.replace(",", "")) * 1024**power == number
