"""A bus: a rate, one or two channels, a set-up time, an energy per byte."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest
from codesign_plugins.link import Bus

from codesign.errors import HardwareError


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


def test_a_bus_decodes_nothing_unless_it_is_told_to() -> None:
    assert dict(bus().decoders) == {}
    assert list(bus().energies_j()) == ["move"]


def test_each_codec_has_a_rate_and_an_energy() -> None:
    found = bus(decode_rate={"rle4": 2e9}, decode_energy={"rle4": 1e-13})
    found.check()
    assert dict(found.decoders) == {"rle4": 2e9}
    assert found.energy_j("decode rle4", 10) == pytest.approx(1e-12)


@pytest.mark.parametrize(
    "fields",
    [
        {"decode_rate": {"rle4": 2e9}},
        {"decode_energy": {"rle4": 1e-13}},
        {"decode_rate": {"rle4": 0.0}, "decode_energy": {"rle4": 1e-13}},
    ],
)
def test_a_codec_with_one_of_them_only_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(HardwareError, match="codec 'rle4' needs a rate above 0 in decode_rate"):
        bus(**fields).check()
