"""DRAM, first version: a calibrated share of the peak, said aloud, and one energy per byte."""

from __future__ import annotations

import pydantic
import pytest
from codesign_plugins.flat_dram import FlatDram

from codesign.hardware.component import Descriptor

STREAM = Descriptor(4096, 16, 4096, "read")


def memory(**fields: float) -> FlatDram:
    return FlatDram(name="dram", device="LPDDR4X", size=1 << 30, bandwidth=17.064e9, **fields)


def test_streams_reach_the_calibrated_share_of_the_peak() -> None:
    assert memory(efficiency=0.75).service([STREAM]).bytes_per_s == round(17.064e9 * 0.75)
    assert memory(efficiency=1.0).service([STREAM]).bytes_per_s == 17_064_000_000


def test_without_bursts_the_pattern_does_not_matter() -> None:
    scattered = Descriptor(32, 4096, 1 << 16, "write")
    assert memory().service([STREAM, scattered]) == memory().service([STREAM])


def test_results_that_rest_on_it_say_how_wrong_it_is() -> None:
    assert "37 %" in FlatDram.expected_error


def test_reading_and_writing_cost_the_same() -> None:
    part = memory(energy=3e-11)
    assert part.energies_j() == {"read": 3e-11, "write": 3e-11}
    assert part.energy_j("read", 64) == pytest.approx(64 * 3e-11)


def test_it_is_off_chip() -> None:
    assert memory().off_chip is True


@pytest.mark.parametrize("efficiency", [0, 1.01, -0.5])
def test_a_share_of_the_peak_lies_in_0_to_1(efficiency: float) -> None:
    checked = pydantic.TypeAdapter(FlatDram)
    with pytest.raises(pydantic.ValidationError, match="efficiency"):
        checked.validate_python(
            {"device": "x", "size": 1024, "bandwidth": "1 GB/s", "efficiency": efficiency}
        )
