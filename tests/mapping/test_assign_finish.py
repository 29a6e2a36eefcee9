"""Earliest finish: hand cases, the exact search against all ways, and the near one beside it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from random_tasks import CHANNEL, best_of_all, random_tasks

from codesign.errors import MappingError
from codesign.mapping.assign import finish as module
from codesign.mapping.assign.finish import Task, Turn, find_earliest, finish

MACHINES = CHANNEL + 1


def turn(machine: int, seconds: float, early: float = 0, loads: float = 0) -> Turn:
    return Turn(machine, machine + 3, seconds, early, loads, ((CHANNEL, loads),))


def one_way(after: tuple[int, ...], *turns: Turn) -> Task:
    return Task(after, (turns,))


@cache
def best(seed: int) -> float:
    """When a random program ends at best."""
    return find_earliest(random_tasks(seed), MACHINES, exact=True)[1]


def end(*tasks: Task) -> float:
    return finish(tasks, MACHINES, [0] * len(tasks))


# -- when things end -----------------------------------------------------------------------------


def test_a_machine_runs_its_tasks_one_after_the_other() -> None:
    assert end(one_way((), turn(0, 3)), one_way((), turn(0, 4))) == 7


def test_two_machines_run_independent_tasks_at_once() -> None:
    assert end(one_way((), turn(0, 3)), one_way((), turn(1, 4))) == 4


def test_a_task_waits_for_those_before_it_on_any_machine() -> None:
    assert end(one_way((), turn(0, 3)), one_way((0,), turn(1, 4))) == 7


def test_weights_are_loaded_while_the_task_before_still_runs() -> None:
    before = one_way((), turn(0, 5))
    assert end(before, one_way((0,), turn(1, 4, early=3, loads=3))) == 5 + 1
    assert end(before, one_way((0,), turn(0, 4, early=3, loads=3))) == 5 + 1


def test_weights_that_take_longer_than_the_task_before_are_waited_for() -> None:
    assert end(one_way((), turn(0, 1)), one_way((0,), turn(1, 9, early=8, loads=8))) == 9


def test_weights_wait_for_the_loads_of_the_task_before_on_that_engine() -> None:
    first = one_way((), turn(0, 5, early=0, loads=4))
    assert end(first, one_way((), turn(0, 4, early=3, loads=3))) == 4 + 3 + 1


def test_a_shared_channel_is_never_done_before_all_of_its_bytes_are_through() -> None:
    apart = [one_way((), turn(machine, 5, early=0, loads=5)) for machine in range(3)]
    assert end(*apart) == 15


def test_turns_of_one_task_run_side_by_side_and_the_last_ends_it() -> None:
    shared = one_way((), turn(0, 3), turn(1, 5))
    assert end(shared, one_way((0,), turn(0, 1))) == 6


def test_nothing_ends_at_once() -> None:
    assert find_earliest([], MACHINES) == ((), 0.0)


# -- what is found -------------------------------------------------------------------------------


def test_two_branches_go_to_two_machines_though_one_is_faster_for_both() -> None:
    fast_or_slow = ((turn(0, 4),), (turn(1, 5),))
    tasks = [Task((), fast_or_slow), Task((), fast_or_slow)]
    ways, seconds = find_earliest(tasks, MACHINES)
    assert sorted(ways) == [0, 1]
    assert seconds == 5


def test_a_chain_stays_on_the_machine_that_is_faster() -> None:
    fast_or_slow = ((turn(0, 4),), (turn(1, 5),))
    chain = [Task(tuple(range(max(0, n - 1), n)), fast_or_slow) for n in range(5)]
    assert find_earliest(chain, MACHINES) == ((0,) * 5, 20)


def test_what_is_found_ends_when_it_says() -> None:
    for seed in range(15):
        tasks = random_tasks(seed)
        for exact in (False, True):
            ways, seconds = find_earliest(tasks, MACHINES, exact=exact)
            assert finish(tasks, MACHINES, ways) == seconds


@pytest.mark.parametrize("seed", range(25))
def test_the_exact_search_finds_what_trying_every_way_finds(seed: int) -> None:
    tasks = random_tasks(seed, most=7)
    assert find_earliest(tasks, MACHINES, exact=True)[1] == pytest.approx(best_of_all(tasks))


def test_earliest_is_within_five_percent_of_the_best_in_200_random_programs() -> None:
    worse = []
    for seed in range(200):
        near = find_earliest(random_tasks(seed), MACHINES)[1]
        assert best(seed) <= near * (1 + 1e-12)
        assert near <= 1.05 * best(seed)
        worse.append(near / best(seed))
    assert sum(worse) / len(worse) < 1.001


def test_keeping_one_beginning_only_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The yardstick bites: plain list scheduling misses by more than that in many programs."""
    monkeypatch.setattr(module, "KEPT", 1)
    plain = [find_earliest(random_tasks(seed), MACHINES)[1] for seed in range(60)]
    assert sum(seconds > 1.05 * best(seed) for seed, seconds in enumerate(plain)) >= 10


@pytest.mark.parametrize("seed", range(10))
def test_a_further_machine_never_makes_the_best_worse(seed: int) -> None:
    three = random_tasks(seed, machines=3)
    two = [replace(t, ways=tuple(w for w in t.ways if w[0].machine < 2)) for t in three]
    two = [fewer if fewer.ways else whole for fewer, whole in zip(two, three, strict=True)]
    before = find_earliest(two, MACHINES, exact=True)[1]
    assert find_earliest(three, MACHINES, exact=True)[1] <= before


def test_long_programs_keep_fewer_beginnings(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    honest = module._Program.longer

    def counted(self: module._Program, one: module._Beginning, number: int, way: int) -> object:
        runs.append(number)
        return honest(self, one, number, way)

    monkeypatch.setattr(module._Program, "longer", counted)
    tasks = random_tasks(3, machines=2) * 20  # what they wait for stays before them
    find_earliest(tasks, MACHINES)
    assert len(runs) < 2 * 64 * len(tasks) / 2


def test_many_results_that_are_needed_late_do_not_make_the_search_long() -> None:
    """300 branches that meet at the end: the moments of each are looked at anew at every step."""
    either = ((turn(0, 4),), (turn(1, 5),))
    tasks = [Task((), either) for _ in range(300)] + [Task(tuple(range(300)), either)]
    program = module._Program(tasks, MACHINES)
    assert program.moments == 301 * MACHINES + sum(range(1, 301))
    _, seconds = find_earliest(tasks, MACHINES)
    assert seconds < 0.6 * 4 * 301


def test_too_many_ways_for_an_exact_search_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 3)
    with pytest.raises(
        MappingError, match=r"^engines 'optimal' has more than 3 ways .* 'earliest'"
    ):
        find_earliest(random_tasks(1), MACHINES, exact=True)
