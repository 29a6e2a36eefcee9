"""Peak figures say what they count, and count no other thing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from codesign_plugins.cim.figures import peak
from codesign_plugins.cim.sram_analog import AnalogSram
from codesign_plugins.cim.sram_digital import DigitalSram

from codesign.errors import HardwareError

ANALOG = AnalogSram(input_bits=2)


def test_throughput_is_operations_of_all_macros_over_the_time_of_a_product() -> None:
    found = peak(DigitalSram(), 8, 8, macros=4)
    assert math.isclose(float(found.ops_per_s), 2 * 4 * 128 * 128 / (8 * 3.75708e-9))
    assert math.isclose(float(found.joules_per_mac), 267.0215625e-15)
    assert math.isclose(float(found.ops_per_joule), 2 / 267.0215625e-15)


def test_one_operation_per_mac_halves_both_and_not_the_energy() -> None:
    one, two = (peak(DigitalSram(), 8, 8, ops_per_mac=ops) for ops in (1, 2))
    assert one.ops_per_s * 2 == two.ops_per_s
    assert one.ops_per_joule * 2 == two.ops_per_joule
    assert one.joules_per_mac == two.joules_per_mac


def test_narrower_activations_are_faster_and_more_efficient() -> None:
    wide, narrow = peak(DigitalSram(), 8, 8), peak(DigitalSram(), 4, 8)
    assert math.isclose(float(narrow.ops_per_s), 2 * float(wide.ops_per_s))
    assert math.isclose(float(narrow.ops_per_joule), 2 * float(wide.ops_per_joule))


def test_the_boundary_names_what_is_counted_and_the_operations_of_a_mac() -> None:
    assert (
        peak(DigitalSram(), 8, 8).boundary == "product + adder + accumulator; 2 operations per MAC"
    )
    some = peak(ANALOG, 8, 8, actions=["bit line", "adc"], ops_per_mac=1)
    assert some.boundary == "bit line + adc; 1 operation per MAC"


def test_parts_of_the_energy_sum_to_all_of_it() -> None:
    whole = peak(ANALOG, 8, 8)
    parts = [peak(ANALOG, 8, 8, actions=[action]).joules_per_mac for action in whole.actions]
    assert len(parts) == 6
    assert math.isclose(sum(map(float, parts)), float(whole.joules_per_mac))


def test_throughput_does_not_depend_on_what_the_energy_counts() -> None:
    assert peak(ANALOG, 8, 8, actions=["adc"]).ops_per_s == peak(ANALOG, 8, 8).ops_per_s


def test_many_macros_give_arrays() -> None:
    found = peak(DigitalSram(rows=np.array([32, 128])), 8, 8)
    assert found.ops_per_s.shape == (2,)
    alone = peak(DigitalSram(rows=32), 8, 8)
    assert math.isclose(found.ops_per_joule[0], float(alone.ops_per_joule))


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("add", "unknown action 'add'; did you mean 'adder'? known: accumulator, adder, product"),
        ("products", "unknown action 'products'; did you mean 'product'?"),
        ("adc", "unknown action 'adc'"),
    ],
)
def test_an_action_that_the_macro_does_not_do_is_one_line(action: str, message: str) -> None:
    with pytest.raises(HardwareError) as caught:
        peak(DigitalSram(), 8, 8, actions=[action])
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
