"""The banks of a channel under one program of commands: when each command may be issued.

Column commands come in groups. A barrier ends each: of the next group, rows are opened and columns
are read when the last column command of this one has been issued. Rows that nobody needs any more
are closed meanwhile. Every command keeps the timings of the device, as those of a host do; a bank
here stands for all that work in lock step with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from codesign.memory import Device

_LONG_AGO = -(10**9)
_WINDOW = 4
"""Activates of which tFAW allows no more in a window."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Column commands one after the other in an open row.

    Attributes:
        bank: number of the bank; bank groups are counted first.
        row: which row; any that differs closes the one before.
        writes: whether they write; else they read.
        count: how many, at least 1.
        spacing: least clocks from one to the next; 0 for tCCD_L.
    """

    bank: int
    row: object
    writes: bool = False
    count: int = 1
    spacing: int = 0


Group: TypeAlias = tuple[Columns, ...]
"""Commands between two barriers, at most one row for each bank."""


@dataclass(slots=True)
class _Bank:
    row: object = None
    opened: int = _LONG_AGO
    read: int = _LONG_AGO
    written: int = _LONG_AGO
    closed: int = _LONG_AGO


@dataclass(slots=True)
class Banks:
    """Banks of one channel and the clock at which each command was issued.

    Attributes:
        device: whose timings hold.
        clock: of the last column command; 0 before the first.
        groups: issued one by one, without those that ``repeat`` knows beforehand.
    """

    device: Device
    clock: int = 0
    groups: int = 0
    _banks: dict[int, _Bank] = field(default_factory=dict)
    _opened: list[tuple[int, int]] = field(default_factory=list)
    _last: tuple[int, int, bool] = (_LONG_AGO, 0, False)

    def issue(self, groups: Sequence[Group]) -> int:
        """Issues groups in order.

        Returns:
            Clocks from the last column command before them to the last of theirs.
        """
        start = self.clock
        self.groups += len(groups)
        for group in groups:
            barrier = self.clock
            ready = [(self._open(columns, barrier), columns) for columns in group]
            for earliest, columns in sorted(ready, key=lambda one: one[0]):
                self._issue_columns(columns, earliest)
        return self.clock - start

    def repeat(self, body: Callable[[int], Sequence[Group]], times: int) -> None:
        """Issues a body so many times; as soon as it takes as long as before, it always will.

        Args:
            body: groups of a turn, which differ from those of another in the names of rows only.
            times: turns.
        """
        before = -1
        for turn in range(times):
            spent = self.issue(body(turn))
            if spent == before:
                self._skip((times - turn - 1) * spent)
                return
            before = spent

    def _skip(self, clocks: int) -> None:
        """Lets turns pass that leave the banks as they are."""
        self.clock += clocks
        for bank in self._banks.values():
            bank.opened += clocks
            bank.read += clocks
            bank.written += clocks
            bank.closed += clocks
        self._opened = [(bank, clock + clocks) for bank, clock in self._opened]
        clock, other, wrote = self._last
        self._last = clock + clocks, other, wrote

    def _open(self, columns: Columns, barrier: int) -> int:
        """Opens the row, if it is not; the first clock at which a column may follow."""
        t, bank = self.device.timings, self._banks.setdefault(columns.bank, _Bank())
        if bank.row != columns.row:
            if bank.row is not None:
                write_end = bank.written + t.cwl + t.burst + t.twr
                bank.closed = max(bank.opened + t.tras, bank.read + t.trtp, write_end)
            earliest = [barrier + 1, bank.closed + t.trp, bank.opened + t.trc]
            earliest += [
                clock + (t.trrd_l if self._group(other) == self._group(columns.bank) else t.trrd_s)
                for other, clock in self._opened[-1:]
            ]
            if len(self._opened) >= _WINDOW:
                earliest.append(self._opened[-_WINDOW][1] + t.tfaw)
            bank.row, bank.opened = columns.row, max(earliest)
            self._opened = [*self._opened[1 - _WINDOW :], (columns.bank, bank.opened)]
        return bank.opened + (t.trcd_write if columns.writes else t.trcd_read)

    def _issue_columns(self, columns: Columns, earliest: int) -> None:
        t, bank = self.device.timings, self._banks[columns.bank]
        clock, other, wrote = self._last
        near = self._group(other) == self._group(columns.bank)
        if wrote == columns.writes:
            gap = t.tccd_l if near else t.tccd_s
        elif wrote:
            gap = t.cwl + t.burst + (t.twtr_l if near else t.twtr_s)
        else:
            gap = t.trtw
        spacing = max(columns.spacing, t.tccd_l)
        self.clock = max(earliest, clock + gap) + (columns.count - 1) * spacing
        self._last = self.clock, columns.bank, columns.writes
        if columns.writes:
            bank.written = self.clock
        else:
            bank.read = self.clock

    def _group(self, bank: int) -> int:
        return bank // self.device.organisation.banks_per_group
