"""Where the state of a run lies: one array of integers, and the names of the places in it.

Parameters and counters stand at the front. Behind them each channel, rank, bank group, bank and
request has a record, and is known by the place where that starts: ``s[bank + ROW]`` is the open
row of a bank. One array is passed from function to function at no cost, and plain Python computes
the same integers on a list.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Final, TypeAlias

from codesign.memory import commands as c

State: TypeAlias = MutableSequence[int]
"""All numbers of a run, as the hot functions see them: an array, or a list in plain Python."""

NONE: Final = -1
"""No record."""

# a queue: a chain of requests in the order in which they came
FIRST: Final = 0
LAST: Final = 1
COUNT: Final = 2
QUEUE: Final = 3
"""Length of a queue's record; that of the writes stands behind that of the reads."""

# fields of a bank
ROW: Final = 0
"""Open row; -1 where it is closed, ``HALF_OPEN`` between the halves of a split activate."""
ROW_KIND: Final = 1
"""The row command that the waiting reads want, then the one that the waiting writes want;
``c.NOTHING`` for none. With a queue per bank the first stands for both."""
ROW_WANTED: Final = 3
"""The requests that want it."""
COLUMN_KIND: Final = 5
"""``c.RD`` if a read waits for the open row, then ``c.WR`` if a write does; else ``c.NOTHING``."""
HIT: Final = 7
"""The first read and the first write that wait for the open row."""
B_RANK: Final = 9
FIRST_NEIGHBOUR: Final = 10
"""First bank of its bank group."""
BANK_READY: Final = 11
"""First clock of each command, as far as this bank and its group know."""
MISS: Final = BANK_READY + c.COMMANDS + 1
"""The first read and the first write that wait for another row than the open one."""
CLAIMED: Final = MISS + 2
"""Requests that opened the row and still wait for their column command."""
HITS: Final = CLAIMED + 1
"""Column commands since the row was opened."""
WRITE_LEADS: Final = HITS + 1
"""1 if the first write for the open row came before the first read for it."""
WAITING: Final = WRITE_LEADS + 1
"""Queue of the waiting reads, then that of the waiting writes."""
COMMANDS_QUEUE: Final = WAITING + 2 * QUEUE
"""Queue of the reads and writes that have moved on to the bank, where it has one."""
LISTS: Final = 4
"""Lists of banks of a channel, each in any order: those that want a row command for a waiting read,
or for a write, and those that want a column command for them. Bank queues use the first alone, for
all banks with work."""
COLUMNS: Final = LISTS // 2
"""The first of these lists that waits for column commands."""
LISTED_AT: Final = COMMANDS_QUEUE + QUEUE
"""Places of the bank in these lists."""
BANK_FIELDS: Final = LISTED_AT + LISTS

HALF_OPEN: Final = -2

# fields of a rank
OPEN_BANKS: Final = 0
OPEN_SINCE: Final = 1
OPEN_CLOCKS: Final = 2
"""Clocks that some bank of the rank was open."""
RING: Final = 3
"""Number of the oldest of the last four activates."""
R_CLAIMED: Final = 4
FIRST_SIBLING: Final = 5
"""First of the ranks on the same data bus."""
DIRECTION: Final = 6
"""Last column command on the data bus, kept with its first rank; -1 before."""
LAST_FOUR: Final = 7
"""Clocks of the last four activates."""
RANK_READY: Final = 11
"""First clock of each command, as far as this rank knows."""
RANK_FIELDS: Final = RANK_READY + c.COMMANDS + 1

# fields of a channel
NEXT: Final = 0
"""Clock at which something can happen next; 0 while that is not known."""
FIRST_BANK: Final = 1
END_BANK: Final = 2
"""Place behind its last bank."""
FIRST_RANK: Final = 3
REF_NEXT: Final = 4
"""Clock at which the next refresh becomes due."""
REF_PENDING: Final = 5
REF_FRONT: Final = 6
"""Number of the rank or bank that is refreshed next."""
REF_BLOCKING: Final = 7
"""1 while commands for the rank or bank at the front are held back."""
PLAN: Final = 8
"""The four fields of the next command; of the next column command with ``DUAL``."""
ROW_PLAN: Final = 12
"""The four fields of the next row command of shared queues."""
STALE: Final = 16
"""1 if the plan of bank queues must be made anew."""
POINTER: Final = 17
"""Bank whose command was issued last."""
DRAIN: Final = 18
"""Writes still to be drained; 1 in write mode of shared queues."""
COMMANDS_WAITING: Final = 19
FIT: Final = 20
"""Waiting reads, then waiting writes, whose bank queue has room."""
LAST_READ: Final = 22
"""Latest completion of a read."""
ACT2_REQUEST: Final = 23
ACT2_DEADLINE: Final = 24
CAS_PENDING: Final = 25
WCK_END: Final = 26
BUS_FREE: Final = 27
"""First free clock of the row bus and of the column bus."""
ENTERED: Final = 29
"""Waiting reads, then waiting writes. They are queued with their banks."""
ACTIVE: Final = ENTERED + 2
"""Queue of the requests that opened a row and wait for their column command."""
LISTED: Final = ACTIVE + QUEUE
"""Place of each list of banks."""
LISTED_END: Final = LISTED + LISTS
"""Their ends."""
CHANNEL_FIELDS: Final = LISTED_END + LISTS

# fields of a plan
TIME: Final = 0
KIND: Final = 1
SOURCE: Final = 2
"""The bank, or the kind of queue that holds the request."""
CHOSEN: Final = 3
"""The request; the bank or rank of a refresh."""

# fields of a request
BANK_OF: Final = 0
ROW_OF: Final = 1
KEY: Final = 2
WRITE: Final = 3
OFFERED: Final = 4
ACCEPTED: Final = 5
DONE: Final = 6
TOUCHED: Final = 7
"""0 until the first command for the request has been issued."""
CHANNEL_OF: Final = 8
TWIN: Final = 9
"""Next read of the same address that completes with this one."""
BEFORE: Final = 10
"""Neighbours in the queue that the request is in."""
AFTER: Final = 11
REQUEST_FIELDS: Final = 12

# parameters of a run, at the front of the array
BANKS: Final = 0
"""Banks of a rank."""
RANKS: Final = 1
"""Ranks of a channel, over its pseudo-channels."""
SIBLINGS: Final = 2
"""Ranks on one data bus."""
T_FAW: Final = 3
READ_CLOCKS: Final = 4
"""Read command to the end of its data."""
DUAL: Final = 5
"""1 if row and column commands have a bus each."""
ENTRIES: Final = 7
"""Reads, then writes, that may wait."""
BANK_ENTRIES: Final = 9
HIT_CAP: Final = 10
CLOSED_POLICY: Final = 11
WRITE_HIGH: Final = 12
WRITE_LOW: Final = 13
REFRESH_INTERVAL: Final = 14
REFRESH_UNITS: Final = 15
"""Refreshes that become due together."""
REFRESH_BANK: Final = 16
"""1 if banks are refreshed one by one."""
T_AAD: Final = 17
WCK: Final = 18
"""Clocks that the data clock stays on after a read, then after a write; 0 where it needs no
synchronisation."""
GROUPS: Final = 20
GROUP_BANKS: Final = 21
OFFERS: Final = 22
FIRST_CHANNEL: Final = 23
END_CHANNEL: Final = 24
FIRST_REQUEST: Final = 25
END_REQUEST: Final = 26
LOG: Final = 27
"""First place and end of the log, which is empty where a run has none."""
LOG_END: Final = 28
SLOTS: Final = 29
"""Clocks that each command occupies its bus."""
ODD: Final = SLOTS + c.COMMANDS
"""1 for each command that must start in an odd clock; ``c.NOTHING`` has a place too."""
BUS: Final = ODD + c.COMMANDS + 1
"""1 for each command on the column bus, where there are two."""
PARAMETERS: Final = BUS + c.COMMANDS

# what is counted, the commands themselves first
COUNTED: Final = PARAMETERS
ROW_HIT: Final = COUNTED + c.COMMANDS
ROW_MISS: Final = ROW_HIT + 1
ROW_CONFLICT: Final = ROW_HIT + 2
TURNAROUNDS: Final = ROW_HIT + 3
FORWARDED: Final = ROW_HIT + 4
LOGGED: Final = ROW_HIT + 5
END: Final = ROW_HIT + 6
"""Clock at which the last request completed."""
COMPLETED: Final = ROW_HIT + 7
"""Requests that have been completed."""

# where the run is
CLOCK: Final = ROW_HIT + 8
HEAD: Final = ROW_HIT + 9
"""Request that enters next."""
ENTRY: Final = ROW_HIT + 10
"""Clock at which it is offered."""

# what a run is asked for once it has ended, see ``tally``
TALLYING: Final = ROW_HIT + 11
"""1 where the log is to be counted."""
BEGIN: Final = ROW_HIT + 12
"""Last clock before those that count."""
STOP: Final = ROW_HIT + 13
"""Last clock that counts."""
TALLY: Final = ROW_HIT + 14
"""Commands, then turnarounds."""

PENDING: Final = TALLY + c.COMMANDS + 1
"""Waiting reads, then waiting writes, by hashed address."""
BUCKETS: Final = 1024
"""Counters of waiting addresses in one direction: a zero says that no search is needed."""
GATES: Final = PENDING + 2 * BUCKETS
"""A row for each level and earlier command: how many gates, then later command and clocks."""
GATE_ROW: Final = 1 + 2 * c.COMMANDS
RECORDS: Final = GATES + c.LEVELS * c.COMMANDS * GATE_ROW
"""Where the records start."""

LOG_ROW: Final = 5
"""Clock, command, bank, row and request of a command."""
