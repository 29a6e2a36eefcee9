"""A device with impossible values is refused in one line, before anything runs."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from memory_devices import DEVICE

from codesign.errors import HardwareError
from codesign.memory.device import Device
from codesign.memory.kernel import simulate
from codesign.memory.mapping import AddressMapping, Xor
from codesign.memory.streams import Stream, stream


def timed(**changes: int) -> Device:
    return replace(DEVICE, timings=replace(DEVICE.timings, **changes))


def organised(**changes: int) -> Device:
    return replace(DEVICE, organisation=replace(DEVICE.organisation, **changes))


def controlled(**changes: Any) -> Device:
    return replace(DEVICE, controller=replace(DEVICE.controller, **changes))


def refusal(device: Device) -> str:
    with pytest.raises(HardwareError) as caught:
        simulate(device, stream("seq_rd", 1, 64))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("test: ")
    assert "; " in message, "says no way out"
    return message


def test_a_good_device_passes() -> None:
    DEVICE.check()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tras": 20}, "timings.trcd_read must be <= tras, got 21 > 20 clocks"),
        ({"trc": 70}, "timings.trc must be >= tras + trp, got 70 < 51 + 20 clocks"),
        ({"tccd_l": 3}, "timings.tccd_s must be <= tccd_l"),
        ({"trrd_s": 10}, "timings.trrd_s must be <= trrd_l"),
        ({"tfaw": 4}, "timings.trrd_s must be <= tfaw"),
        ({"trefi": 300}, "timings.trfc must be <= trefi"),
        ({"cl": 0}, "timings.cl must be >= 1 clocks, got 0"),
        ({"trtp": -1}, "timings.trtp must be >= 0 clocks, got -1"),
        ({"trefi": 1 << 25}, "timings.trefi must be <= 16777216 clocks, got 33554432"),
        ({"tck_ps": 0}, "timings.tck_ps must be >= 1"),
    ],
)
def test_a_timing_that_no_device_has_is_refused(changes: dict[str, int], message: str) -> None:
    assert message in refusal(timed(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bank_groups": 3}, "organisation.bank_groups must be a power of two, got 3"),
        ({"channels": 0}, "organisation.channels must be a power of two, got 0"),
        ({"device_width": 128}, "organisation.device_width must be <= bus_width"),
        ({"burst_length": 256}, "organisation.burst_length must be <= columns"),
    ],
)
def test_an_organisation_that_no_memory_has_is_refused(
    changes: dict[str, int], message: str
) -> None:
    assert message in refusal(organised(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"style": "dramsim"}, "unknown controller.style 'dramsim'; did you mean 'dramsim3'?"),
        ({"row_policy": "close"}, "did you mean 'closed'?"),
        ({"refresh": "all"}, "unknown controller.refresh 'all'"),
        ({"read_entries": 0}, "controller.read_entries must be 1 to"),
        ({"write_low": 0.9}, "controller.write_low must be < write_high"),
    ],
)
def test_a_controller_without_meaning_is_refused(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(controlled(**changes))


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (AddressMapping.parse("ro ra ba bg"), "covers 0 of the 4 bits of field 'co'"),
        (AddressMapping.parse("ro ra ba bg co co:2"), "covers 4 of the 4 bits"),
        (AddressMapping.parse("ro ra bank bg co"), "unknown field 'bank'; did you mean 'ba'?"),
        (AddressMapping.parse("ro ra ba bg co:\u00b2"), "unknown field 'co:\u00b2'"),
        (AddressMapping.parse("ro ra ba bg co:" + "9" * 5000), "unknown field 'co:999"),
        (AddressMapping(("ro", "ba", "bg", "co"), (Xor("ba", "ba", 0),)), "cannot be undone"),
        (
            AddressMapping(("ro", "ba", "bg", "co"), (Xor("ba", "co", 4),)),
            "mapping XORs 'ba' with bits of 'co' from 4 on, but it has 4; lower the shift below",
        ),
    ],
)
def test_a_mapping_that_does_not_cover_the_address_is_refused(
    mapping: AddressMapping, message: str
) -> None:
    device = replace(DEVICE, mapping=mapping)
    if "4 of the 4" in message:
        device.check()
        return
    assert message in refusal(device)


def test_currents_that_fall_with_activity_are_refused() -> None:
    rail = replace(DEVICE.rails[0][1], idd3n=0.01)
    assert "vdd.idd2n must be <= idd3n" in refusal(replace(DEVICE, rails=(("vdd", rail),)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"idd5": 250.0}, "vdd.idd5 must be 0 to 100 A, got 250 A; check its unit"),
        ({"idd6": -1e-3}, "vdd.idd6 must be 0 to 100 A, got -0.001 A; check its unit"),
        ({"idd0": float("nan")}, "vdd.idd0 must be 0 to 100 A, got nan A; check its unit"),
        ({"voltage": 1200.0}, "vdd.voltage must be 0.1 to 20 V, got 1200 V; check its unit"),
        ({"voltage": 0.0}, "vdd.voltage must be 0.1 to 20 V, got 0 V; check its unit"),
        ({"idd2p": 0.0, "idd2n": 0.0}, "vdd.idd2n must be > 0 A on one rail, got 0"),
    ],
)
def test_currents_and_voltages_beyond_any_are_refused(
    changes: dict[str, float], message: str
) -> None:
    rail = replace(DEVICE.rails[0][1], **changes)
    assert message in refusal(replace(DEVICE, rails=(("vdd", rail),)))


def test_standby_may_take_its_current_from_one_rail_of_several() -> None:
    (name, rail), *_ = DEVICE.rails
    nothing = replace(
        rail, **{field.name: 0.0 for field in fields(rail) if field.name != "voltage"}
    )
    replace(DEVICE, rails=((name, rail), ("vpp", nothing))).check()
    assert "vpp.idd2n must be > 0 A" in refusal(replace(DEVICE, rails=(("vpp", nothing),)))


def test_channels_beyond_any_memory_are_refused_at_once() -> None:
    for channels in (2048, 65536, 1 << 40):
        wide = replace(DEVICE, organisation=replace(DEVICE.organisation, channels=channels))
        assert (
            f"channels must be <= 1024, since each is a controller of its own, got {channels}"
            in (refusal(wide))
        )


@pytest.mark.parametrize("count", [-4, 0, 3, 1000])
def test_a_count_that_is_no_power_of_two_is_told_with_the_next_one_below(count: int) -> None:
    odd = replace(DEVICE, organisation=replace(DEVICE.organisation, rows=count))
    near = {3: 2, 1000: 512}.get(count, 1)
    assert refusal(odd).endswith(f"rows must be a power of two, got {count}; take {near}")


@pytest.mark.parametrize("address", [-64, DEVICE.organisation.capacity_bytes])
def test_an_access_outside_the_capacity_is_refused(address: int) -> None:
    outside = Stream(np.array([0, address]), np.zeros(2, dtype=bool), np.zeros(2, dtype=np.int64))
    with pytest.raises(HardwareError, match=f"address {address} is outside the memory"):
        simulate(DEVICE, outside)


def test_arrivals_that_go_back_are_refused() -> None:
    late_first = Stream(np.zeros(2, dtype=np.int64), np.zeros(2, dtype=bool), np.array([5, 4]))
    with pytest.raises(HardwareError, match="arrivals of a stream must not go back"):
        simulate(DEVICE, late_first)


def test_capacity_and_peak_follow_from_the_organisation() -> None:
    assert DEVICE.organisation.capacity_bytes == 1024 * 16 * 1024
    assert DEVICE.organisation.devices == 8
    assert DEVICE.peak_bytes_per_s == pytest.approx(25.6e9)
