"""Ten thousand hostile inputs: each is read or refused in one line; ``make fuzz`` has more."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz_campaign import campaign, shares, warm_up
from fuzz_doors import DOORS, Door, prepare
from fuzz_guard import bounded

GATE = 10_000
COUNTS = {door.name: count for door, count in shares(GATE)}


def named(door: Door) -> str:
    return door.name


def test_the_gate_hands_over_ten_thousand_inputs_and_some_to_every_door() -> None:
    assert sum(COUNTS.values()) >= GATE
    assert min(COUNTS.values()) > 20


@pytest.mark.parametrize("door", DOORS, ids=named)
def test_the_valid_document_of_a_door_is_read(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    warm_up(door, tmp_path)


@pytest.mark.parametrize("door", DOORS, ids=named)
def test_a_hostile_input_is_read_or_refused_in_one_line(door: Door) -> None:
    with bounded():
        tally = campaign(door, range(COUNTS[door.name]))
    assert not tally.failures, "\n".join(tally.failures[:3])
    assert tally.read + tally.refused == COUNTS[door.name]
    assert tally.refused


def test_most_doors_read_some_of_their_hostile_inputs_so_that_what_lies_behind_is_reached() -> None:
    doors = [door for door in DOORS if COUNTS[door.name] > 300 and door.name != "trace, simulated"]
    assert len(doors) > 10
    assert all(campaign(door, range(150)).read for door in doors)


def test_the_same_number_is_the_same_input(tmp_path: Path) -> None:
    from random import Random

    from fuzz_seeds import seed_of

    for door in DOORS:
        again = [door.make(Random(seed_of(door.name, 7)), tmp_path) for _ in range(2)]
        assert again[0] == again[1]
