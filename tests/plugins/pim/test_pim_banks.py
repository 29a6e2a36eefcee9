"""Banks of a channel: every command keeps its timings, and none waits longer than it must."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from codesign_plugins.pim.banks import Banks, Columns, Group
from hypothesis import given
from hypothesis import strategies as st
from pim_cases import QUIET, device

from codesign.memory import Device

T = QUIET.timings
READS = Columns(0, "a", count=8)
WRITES = Columns(0, "a", writes=True, count=8)


def clocks(*groups: Group, on: Device = QUIET) -> int:
    """Clocks from the last column of the first group to that of the last."""
    banks = Banks(on)
    banks.issue(groups[:1])
    found: int = banks.issue(groups[1:])
    return found


def test_columns_of_an_open_row_follow_every_tccd_l() -> None:
    assert clocks((READS,), (READS,)) == 8 * T.tccd_l
    assert clocks((READS,), (Columns(0, "a", count=3, spacing=6),)) == T.tccd_l + 2 * 6


def test_a_barrier_by_itself_costs_nothing() -> None:
    halves = tuple((Columns(0, "a", count=4),) for _ in range(4))
    assert clocks((READS,), *halves) == clocks((READS,), (READS,), (READS,))


def test_another_row_costs_closing_opening_and_reaching_it() -> None:
    other = Columns(0, "b")
    assert clocks((READS,), (other,)) == T.trtp + T.trp + T.trcd_read
    longer = T.cwl + T.burst + T.twr + T.trp + T.trcd_read
    assert clocks((WRITES,), (other,)) == longer


def test_a_row_that_was_just_opened_stays_open_for_tras_and_trc() -> None:
    first, second = (Columns(0, "a"),), (Columns(0, "b"),)
    assert clocks(first, second) == max(T.tras + T.trp, T.trc)
    slow = device(trc=90)
    assert clocks(first, second, on=slow) == 90


def test_turning_the_bus_costs_what_the_device_says() -> None:
    assert clocks((READS,), (WRITES,)) == T.trtw + 7 * T.tccd_l
    assert clocks((WRITES,), (READS,)) == T.cwl + T.burst + T.twtr_l + 7 * T.tccd_l


def test_another_bank_group_turns_sooner_and_follows_every_tccd_s() -> None:
    near, far = (Columns(number, "a") for number in (1, 4))
    opened = (Columns(0, "a"), near, far)
    read = (Columns(0, "a"),)
    assert clocks(opened, read, (near,)) - clocks(opened, read) == T.tccd_l
    assert clocks(opened, read, (far,)) - clocks(opened, read) == T.tccd_s
    written = (Columns(0, "a", writes=True),)
    gaps = [clocks(opened, written, (one,)) - clocks(opened, written) for one in (near, far)]
    assert gaps[0] - gaps[1] == T.twtr_l - T.twtr_s


def test_a_row_is_opened_behind_the_barrier_but_closed_before_it() -> None:
    """The odd bank is closed while the even one is read, and opened when that has ended."""
    odd = Columns(1, "a", count=8)
    long = Columns(0, "a", count=64)
    behind = clocks((odd,), (long,), (Columns(1, "b"),)) - clocks((odd,), (long,))
    assert behind == 1 + T.trcd_read


def test_rows_of_one_group_are_opened_side_by_side() -> None:
    pair = (Columns(0, "b"), Columns(4, "b"))
    alone = clocks((READS,), pair[:1])
    assert clocks((READS,), pair) < 2 * alone


@pytest.mark.parametrize(("banks", "gap"), [((0, 4), T.trrd_s), ((0, 1), T.trrd_l)])
def test_rows_open_as_closely_as_trrd_allows(banks: tuple[int, int], gap: int) -> None:
    rows = tuple(Columns(bank, "a") for bank in banks)
    found = Banks(QUIET)
    assert found.issue([rows]) == 1 + gap + T.trcd_read


def test_no_more_than_four_rows_open_in_a_window() -> None:
    slow = device(tfaw=60)
    rows = tuple(Columns(4 * number % 16 + number // 4, "a") for number in range(5))
    assert Banks(slow).issue([rows]) == 1 + 60 + T.trcd_read
    assert Banks(slow).issue([rows[:4]]) < 60


@dataclass
class _Clocked:
    """The same banks clock by clock: a command is issued as soon as nothing forbids it."""

    device: Device
    clock: int = 0
    rows: dict[int, object] = field(default_factory=dict)
    last: dict[tuple[str, int], int] = field(default_factory=dict)
    columns: list[tuple[int, int, bool]] = field(default_factory=list)

    def since(self, what: str, bank: int) -> int:
        """Clocks since a command of a bank."""
        return self.clock - self.last.get((what, bank), -(10**6))

    def run(self, group: Group) -> None:
        """Columns of two banks at most, one row each."""
        barrier = self.clock
        left = {columns.bank: columns.count for columns in group}
        while any(left.values()):
            self.clock += 1
            for columns in group:
                self.tick(columns, left, barrier)

    def tick(self, columns: Columns, left: dict[int, int], barrier: int) -> None:
        bank = columns.bank
        if self.rows.get(bank) != columns.row:
            self.open(bank, columns.row, barrier)
        elif left[bank] and self.may(columns):
            kind = "write" if columns.writes else "read"
            self.last[kind, bank] = self.clock
            self.columns.append((self.clock, bank, columns.writes))
            left[bank] -= 1

    def open(self, bank: int, row: object, barrier: int) -> None:
        t = self.device.timings
        if self.rows.get(bank) is not None:
            kept = self.since("open", bank) >= t.tras + t.trp
            read = self.since("read", bank) >= t.trtp + t.trp
            written = self.since("write", bank) >= t.cwl + t.burst + t.twr + t.trp
            if not (kept and read and written):
                return
        others = [clock for (what, _), clock in self.last.items() if what == "open"]
        recent = max(others, default=-(10**6))
        apart = self.since("open", bank) >= t.trc and self.clock - recent >= t.trrd_l
        if self.clock > barrier and apart:
            self.rows[bank] = row
            self.last["open", bank] = self.clock

    def may(self, columns: Columns) -> bool:
        t = self.device.timings
        delay = t.trcd_write if columns.writes else t.trcd_read
        if self.since("open", columns.bank) < delay or not self.columns:
            return self.since("open", columns.bank) >= delay
        clock, _, wrote = self.columns[-1]
        if wrote == columns.writes:
            gap = t.tccd_l
        else:
            gap = t.cwl + t.burst + t.twtr_l if wrote else t.trtw
        return self.clock - clock >= gap


groups = st.lists(
    st.tuples(
        st.builds(
            Columns,
            bank=st.integers(0, 1),
            row=st.sampled_from("abc"),
            writes=st.booleans(),
            count=st.integers(1, 40),
        )
    ),
    min_size=1,
    max_size=12,
)


@given(groups, st.integers(2, 6), st.integers(0, 20), st.integers(1, 20), st.integers(4, 30))
def test_no_clock_is_lost_or_gained_against_banks_that_run_clock_by_clock(
    program: list[Group], tccd: int, more: int, turn: int, trp: int
) -> None:
    on = device(tccd_l=tccd, tccd_s=2, twr=turn, trtw=turn, trp=trp, trc=33 + trp + more)
    slow = _Clocked(on)
    for group in program:
        slow.run(group)
    assert Banks(on).issue(program) == slow.clock


@given(groups, st.integers(1, 30))
def test_longer_timings_are_never_faster(program: list[Group], more: int) -> None:
    names = ("trp", "trcd_read", "twr", "twtr_l", "trtw")
    slow = device(
        **{name: getattr(T, name) + more for name in names}, tras=33 + more, trc=90 + more
    )
    assert Banks(slow).issue(program) >= Banks(QUIET).issue(program)


@given(groups, st.integers(0, 40))
def test_turns_that_are_skipped_take_what_they_would_have_taken(
    program: list[Group], times: int
) -> None:
    def body(turn: int) -> list[Group]:
        return [tuple(_in_turn(columns, turn) for columns in group) for group in program]

    slow, fast = Banks(QUIET), Banks(QUIET)
    for turn in range(times):
        slow.issue(body(turn))
    fast.repeat(body, times)
    assert fast.clock == slow.clock
    assert fast.issue(program) == slow.issue(program)
    assert fast.groups <= slow.groups


def _in_turn(columns: Columns, turn: int) -> Columns:
    """The same columns in a row of their own for each turn."""
    return Columns(columns.bank, (columns.row, turn), columns.writes, columns.count)


def test_a_thousand_turns_cost_no_more_steps_than_a_few() -> None:
    banks = Banks(QUIET)
    banks.repeat(lambda turn: [(WRITES,), (Columns(0, turn, count=32),)], 1000)
    assert banks.groups <= 8
