"""Nominal rates and buffer shares that the tile search gets to see."""

from __future__ import annotations

import pytest
from codesign_plugins.flat_dram import FlatDram
from toy_machine import machine, priced

from codesign.errors import CodesignError, MappingError
from codesign.hardware.component import Direction
from codesign.hardware.spec import Hardware
from codesign.mapping.paths import Paths


class Late(FlatDram):  # type: ignore[misc]
    """A DRAM that waits before the first byte, longer when it is read."""

    def latency_s(self, direction: Direction) -> float:
        return 3e-8 if direction == "read" else 5e-9


def test_the_slowest_part_of_the_route_sets_the_rate() -> None:
    hardware = machine(priced(elementwise=1))
    budget = Paths(hardware).budget(hardware.engines[0], {}, ())
    assert (budget.load_bytes_per_s, budget.store_bytes_per_s) == (2e9, 2e9)  # the bus
    wider = hardware.with_("bus.bandwidth", "100 GB/s")
    assert Paths(wider).budget(wider.engines[0], {}, ()).load_bytes_per_s == 4e9  # half the DRAM
    narrow = wider.with_("sram.bandwidth", "1 GB/s")
    assert Paths(narrow).budget(narrow.engines[0], {}, ()).load_bytes_per_s == 1e9


def test_every_link_of_the_route_adds_its_set_up() -> None:
    hardware = machine(priced(elementwise=1))
    assert Paths(hardware).budget(hardware.engines[0], {}, ()).setup_s == 1e-8


def test_a_memory_that_takes_time_to_answer_adds_its_latency() -> None:
    plain = machine(priced(elementwise=1))
    late = Late(name="dram", device="toy", size=1 << 20, bandwidth=8e9)
    hardware = Hardware("late", "", None, {**plain.components, "dram": late})
    assert hardware.setup("dram", "sram") == 10_000 + 30_000
    assert hardware.setup("sram", "dram") == 10_000 + 5_000
    assert Paths(hardware).budget(hardware.engines[0], {}, ()).setup_s == 4e-8


def test_half_duplex_links_share_loads_and_stores() -> None:
    hardware = machine(priced(elementwise=1))
    assert Paths(hardware).budget(hardware.engines[0], {}, ()).shared_link
    full = hardware.with_("bus.duplex", "full")
    assert not Paths(full).budget(full.engines[0], {}, ()).shared_link


def test_two_channels_before_a_memory_too_slow_for_both_are_shared_all_the_same() -> None:
    full = machine(priced(elementwise=1)).with_("bus.duplex", "full")
    slow = full.with_("dram.bandwidth", "6 GB/s")  # half of it serves 3 GB/s for 2 + 2
    assert Paths(slow).budget(slow.engines[0], {}, ()).shared_link


def test_engines_that_share_a_buffer_get_equal_shares_of_what_is_left() -> None:
    hardware = machine(priced("one", elementwise=1), priced("two", elementwise=1), buffer=4096)
    paths = Paths(hardware)
    assert [paths.budget(e, {}, ()).buffer_bytes for e in hardware.engines] == [2048, 2048]
    assert [paths.budget(e, {e.buffer: 1000}, ()).buffer_bytes for e in hardware.engines] == [
        1548,
        1548,
    ]


def test_an_engine_that_works_in_the_home_memory_moves_nothing() -> None:
    part = machine(priced(elementwise=1)).components["dram"]
    engine = type(priced(elementwise=1))(name="near", buffer="dram", cycles={"elementwise": 1})
    hardware = Hardware("near", "", None, {"near": engine, "dram": part})
    budget = Paths(hardware).budget(engine, {}, ("dram", "dram"), 1)
    assert budget.resident == (True, True)


def test_a_machine_without_a_route_to_a_buffer_is_refused() -> None:
    whole = machine(priced(elementwise=1))
    parts = {name: part for name, part in whole.components.items() if name != "bus"}
    with pytest.raises(CodesignError):
        Paths(Hardware("cut", "", None, parts))


def test_only_a_memory_answers_as_one() -> None:
    paths = Paths(machine(priced(elementwise=1)))
    assert paths.memory("sram").size == 4096
    with pytest.raises(MappingError, match="bus is not a memory"):
        paths.memory("bus")
