"""A bus: a rate, one or two channels, a set-up time, an energy per byte."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest
from codesign_plugins.link import Bus


def bus(**fields: Any) -> Bus:
    return Bus(name="bus", connects=("dram", "sram"), **fields)


def test_the_rate_is_whole_bytes_a_second() -> None:
    assert bus(bandwidth=100e9 / 3).bytes_per_s == 33_333_333_333


@pytest.mark.parametrize(("duplex", "separate"), [("half", False), ("full", True)])
def test_full_duplex_has_a_channel_each_way(duplex: str, separate: bool) -> None:
    assert bus(duplex=duplex).separate is separate


def test_every_byte_carried_costs_its_energy() -> None:
    assert bus(energy=4e-12).energy_j("move", 25) == pytest.approx(1e-10)


def test_a_plain_bus_takes_no_energy_and_32_ns_to_set_up() -> None:
    assert (bus().setup_s, bus().energy_j("move", 1)) == (32e-9, 0.0)


def test_the_set_up_is_the_field() -> None:
    assert bus(setup=32e-9).setup_s == 32e-9


def test_another_duplex_is_refused() -> None:
    with pytest.raises(pydantic.ValidationError, match="half"):
        pydantic.TypeAdapter(Bus).validate_python({"connects": ["a", "b"], "duplex": "both"})
