"""Clocks, currents and energies of device files: how they are read and rounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import UnitError
from codesign.hardware.dram_values import (
    MOST_CLOCKS,
    amperes,
    clocks,
    joules_per_bit,
    picoseconds,
    volts,
)

TCK = st.integers(100, 5000)
TIME = st.integers(0, 10**7)


@given(tck=TCK, time=TIME)
def test_a_shortest_time_is_rounded_up_to_whole_clocks(tck: int, time: int) -> None:
    count = clocks(f"{time} ps", tck)
    assert (count - 1) * tck < time <= count * tck


@given(tck=TCK, time=TIME)
def test_a_longest_time_is_rounded_down_to_whole_clocks(tck: int, time: int) -> None:
    count = clocks(f"{time} ps", tck, is_limit=True)
    assert count * tck <= time < (count + 1) * tck


@given(tck=TCK, count=st.integers(1, 10**5))
def test_a_time_of_whole_clocks_is_those_clocks_either_way(tck: int, count: int) -> None:
    text = f"{count * tck / 1000} ns"
    assert clocks(text, tck) == clocks(text, tck, is_limit=True) == count


@given(tck=TCK, time=TIME, count=st.integers(-1, MOST_CLOCKS))
def test_the_longest_of_a_list_holds(tck: int, time: int, count: int) -> None:
    assert clocks([f"{count} nCK", f"{time} ps"], tck) == max(count, clocks(f"{time} ps", tck))


@pytest.mark.parametrize("value", [22, "22", "22 nCK"])
def test_clocks_are_taken_as_they_are(value: object) -> None:
    assert clocks(value, 625) == clocks(value, 1250) == 22


@pytest.mark.parametrize("value", [-1, "-1", "-1 nCK"])
def test_a_timing_can_say_that_there_is_none(value: object) -> None:
    assert clocks(value, 625) == -1


@pytest.mark.parametrize("value", ["22nCK", "22 CK", "2 2", "1e3", "ns", "", None, 2.5, {}, [[4]]])
def test_what_is_neither_clocks_nor_a_time_is_refused(value: object) -> None:
    with pytest.raises(UnitError):
        clocks(value, 625)


def test_a_clock_is_whole_picoseconds() -> None:
    assert picoseconds("0.625 ns") == picoseconds("625 ps") == 625
    for value in ("312.5 ps", "0 ps", "-1 ns", "1.1 us", 625, None):
        with pytest.raises(UnitError):
            picoseconds(value)


def test_currents_voltages_and_energies_are_in_si_units() -> None:
    assert amperes("55 mA") == pytest.approx(0.055)
    assert amperes(0.055) == 0.055
    assert volts("1.1 V") == 1.1
    assert joules_per_bit("0.8 pJ/bit") == pytest.approx(0.8e-12)
    assert joules_per_bit("8 pJ/B") == pytest.approx(1e-12)
    assert joules_per_bit("0 pJ/bit") == 0


@pytest.mark.parametrize("value", ["55 mW", "1 V", "ampere", [1], True])
def test_a_current_is_in_amperes(value: object) -> None:
    with pytest.raises(UnitError, match="write for example '55 mA'"):
        amperes(value)


@pytest.mark.parametrize("value", ["-1 pJ/bit", "1 mJ/bit", "inf"])
def test_an_energy_that_no_bit_takes_is_refused(value: object) -> None:
    with pytest.raises(UnitError):
        joules_per_bit(value)
