"""Energy by place and the link to a host: parts that are added up, and nothing free."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest
from codesign_plugins.pim import HostPim
from codesign_plugins.pim.places import FINE_GRAINED, PARTS, PLACES, Place, energy_at, way_to

from codesign.errors import HardwareError
from codesign.testing import check_link

PER_BIT = {"bank": 0.55, "bank_group": 1.56, "buffer_die": 3.29, "host": 3.59}
PER_BYTE = {"bank": 4.40, "bank_group": 12.48, "buffer_die": 26.32, "host": 28.72}
MIB = 1 << 20


def link(**fields: Any) -> HostPim:
    return HostPim(
        **{"name": "bus", "connects": ("dram", "sram"), "rank_bandwidth": 285 * 2.0**30, **fields}
    )


@pytest.mark.parametrize("place", PLACES)
def test_a_byte_costs_the_parts_up_to_its_place(place: Place) -> None:
    found = energy_at(place, FINE_GRAINED)
    assert found * 1e12 == pytest.approx(PER_BYTE[place], rel=1e-3)
    assert found * 1e12 / 8 == pytest.approx(PER_BIT[place], rel=1e-3)


def test_no_place_further_away_is_cheaper() -> None:
    energies = [energy_at(place, FINE_GRAINED) for place in PLACES]
    assert energies == sorted(energies)
    assert len(set(energies)) == len(PLACES)


@pytest.mark.parametrize("place", PLACES)
def test_the_way_is_all_but_the_cells(place: Place) -> None:
    assert (way_to(place, FINE_GRAINED)) * 1e12 == pytest.approx(PER_BYTE[place] - 4.40)
    assert way_to("bank", FINE_GRAINED) == 0


REACHES = {
    "cell_activate": 4,
    "cell_access": 4,
    "column_mux": 3,
    "group_mux": 2,
    "tsv": 2,
    "interposer": 1,
}
"""Places that a part counts at, the furthest ones."""


@pytest.mark.parametrize("part", PARTS)
def test_every_part_counts_once_from_its_place_on(part: str) -> None:
    dearer = {**FINE_GRAINED, part: FINE_GRAINED[part] + 1.0}
    grown = [energy_at(place, dearer) - energy_at(place, FINE_GRAINED) for place in PLACES]
    assert grown == pytest.approx([0.0] * (4 - REACHES[part]) + [1.0] * REACHES[part])


def test_it_keeps_every_promise_of_a_link() -> None:
    check_link(link())


def test_ranks_side_by_side_carry_as_many_times_as_much() -> None:
    assert link(ranks=8).bytes_per_s == 8 * link().bytes_per_s == 8 * 285 * 2**30


def test_64_mib_to_eight_ranks_take_27_4_us() -> None:
    assert 64 * MIB / link(ranks=8).bytes_per_s == pytest.approx(27.4e-6, rel=1e-3)


def test_64_mib_cost_1_9_mj_with_their_cells_and_not_the_background_only() -> None:
    cells = energy_at("bank", FINE_GRAINED) * 64 * MIB
    found = link().energy_j("move", 64 * MIB) + cells
    assert found == pytest.approx(1.93e-3, rel=1e-2)
    assert found > 60 * 0.029e-3


@pytest.mark.parametrize("place", PLACES)
def test_the_distance_sets_the_energy(place: Place) -> None:
    assert link(distance=place).energy_j("move", 3) == 3 * way_to(place, FINE_GRAINED)


def test_a_command_takes_its_overhead_once_for_each_transfer() -> None:
    assert link(overhead=5e-8).setup_s == 5e-8
    assert not link().separate


def test_a_part_that_is_left_out_is_one_line() -> None:
    with pytest.raises(HardwareError, match=r"^bus.parts must have every part, got none for 'tsv'"):
        link(parts={part: 1e-12 for part in PARTS if part != "tsv"}).check()


def test_a_part_that_there_is_not_is_one_line() -> None:
    with pytest.raises(HardwareError, match=r"^bus.parts\['bondwire'\]: no such part; known: "):
        link(parts={**FINE_GRAINED, "bondwire": 1e-12}).check()


def test_another_distance_is_refused() -> None:
    values = {"connects": ["a", "b"], "rank_bandwidth": 1e9, "distance": "moon"}
    with pytest.raises(pydantic.ValidationError, match="buffer_die"):
        pydantic.TypeAdapter(HostPim).validate_python(values)
