"""The log of runs: loops kept as one entry say the same as every run written out."""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from codesign.replay.log import Log, Row, Totals

Noted: TypeAlias = "list[Row]"
"""What one entry of a log stands for, run by run."""

ROWS = st.tuples(st.integers(0, 3), st.integers(0, 1000), st.integers(0, 1000))
AGAIN = st.tuples(st.integers(0, 8), st.integers(1, 4), st.integers(0, 500), st.integers(1, 9))
SCRIPTS = st.lists(st.one_of(ROWS, AGAIN), max_size=9)


def written_out(script: list[tuple[int, ...]]) -> tuple[Log, list[Row]]:
    """A log after some runs and repeats, and the runs that it should hold."""
    log, entries = Log(), list[Noted]()
    for number, words in enumerate(script):
        if len(words) == 3:
            op, start, length = words
            log.add(1000 * number, op, start, start + length)
            entries.append([Row(1000 * number, op, start, start + length)])
            continue
        first, times, ticks, numbers = words
        log.again(first, times, ticks, numbers)
        noted = [row for entry in entries[first:] for row in entry]
        if noted:
            entries.append([later(row, turn * ticks, turn * numbers) for turn in range(1, times + 1)
                            for row in noted])  # fmt: skip
    return log, [row for entry in entries for row in entry]


def later(row: Row, ticks: int, numbers: int) -> Row:
    return Row(row.number + numbers, row.op, row.start + ticks, row.end + ticks)


def summed(rows: list[Row]) -> Totals:
    return Totals(
        len(rows),
        min(row.start for row in rows),
        max(row.end for row in rows),
        sum(row.start for row in rows),
        sum(row.end for row in rows),
    )


@given(SCRIPTS)
def test_nested_repeats_list_the_runs_that_they_stand_for(script: list[tuple[int, ...]]) -> None:
    log, rows = written_out(script)
    found = log.rows()
    assert sorted(map(repr, found)) == sorted(map(repr, rows))
    assert [row.number for row in found] == sorted(row.number for row in rows)


@given(SCRIPTS)
def test_totals_are_those_of_the_runs_written_out(script: list[tuple[int, ...]]) -> None:
    log, rows = written_out(script)
    ops = sorted({row.op for row in rows})
    want = {op: summed([row for row in rows if row.op == op]) for op in ops}
    assert log.totals() == want
    assert list(log.totals()) == ops


@given(SCRIPTS)
def test_what_operators_add_is_what_passes_between_the_ends_of_runs(
    script: list[tuple[int, ...]],
) -> None:
    log, rows = written_out(script)
    want: dict[int, int] = {}
    for before, row in zip([Row(0, 0, 0, 0), *rows], rows, strict=False):
        want[row.op] = want.get(row.op, 0) + row.end - before.end
    assert log.added() == want
    assert list(log.added()) == sorted(want)


def test_what_a_million_million_million_runs_add_is_their_last_tick() -> None:
    log, times = Log(), 10**6
    log.add(0, 0, 5, 7)
    log.add(1, 1, 6, 9)
    for level in range(3):
        log.again(0, times, ticks=10 ** (6 * level + 1), numbers=1)
    found = log.added()
    assert sum(found.values()) == 9 + times * sum(10 ** (6 * level + 1) for level in range(3))
    assert found[1] == 2 * (times + 1) ** 3


def test_totals_of_a_million_million_million_runs_are_not_listed() -> None:
    log, times = Log(), 10**6
    log.add(0, 0, 5, 7)
    for level in range(3):
        log.again(0, times, ticks=10**level, numbers=1)
    runs = (times + 1) ** 3
    delay = sum(10**level for level in range(3)) * times * runs // 2
    assert log.totals() == {0: Totals(runs, 5, 7 + 111 * times, 5 * runs + delay, 7 * runs + delay)}


def test_runs_come_in_program_order_although_they_end_in_another() -> None:
    log = Log()
    log.add(1, 7, 0, 10)
    log.add(0, 8, 0, 20)
    log.again(0, 1, ticks=30, numbers=2)
    assert log.rows() == [Row(0, 8, 0, 20), Row(1, 7, 0, 10), Row(2, 8, 30, 50), Row(3, 7, 30, 40)]


def test_nothing_that_occurs_again_leaves_no_entry() -> None:
    log = Log()
    log.again(0, 5, ticks=1, numbers=1)
    log.add(0, 0, 0, 1)
    log.again(1, 5, ticks=1, numbers=1)
    assert log.entries == [Row(0, 0, 0, 1)]
