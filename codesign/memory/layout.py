"""Where the state of a run lies: arrays of integers, and the names of their columns.

One kind of array for everything lets numba compile the hot functions, and plain Python gives the
same integers. Banks, bank groups and ranks are numbered over all channels.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign.memory import commands as c

Ints: TypeAlias = NDArray[np.int64]

# fields of a bank
ROW: Final = 0
"""Open row; -1 where it is closed, ``HALF_OPEN`` between the halves of a split activate."""
HITS: Final = 1
"""Column commands since the row was opened."""
B_GROUP: Final = 2
B_RANK: Final = 3
CLAIMED: Final = 4
"""Requests that opened the row and still wait for their column command."""
WAITING: Final = 5
"""Commands in the bank's queue."""
HIT_READ: Final = 6
"""Place of the first read hit in the bank's queue; -1 for none."""
HIT_WRITE: Final = 7
MAY_CLOSE: Final = 8
"""1 if the head of the bank's queue may close the open row."""
OUTSIDE: Final = 9
"""Reads, then writes, that wait to enter the bank's queue."""
SEEN: Final = 11
"""Last scan that looked at a row command, then at a column command, for this bank."""
BANK_READY: Final = 13
"""First clock of each command, as far as this bank knows."""
BANK_FIELDS: Final = BANK_READY + c.COMMANDS

# fields of a rank
OPEN_BANKS: Final = 0
OPEN_SINCE: Final = 1
OPEN_CLOCKS: Final = 2
"""Clocks that some bank of the rank was open."""
RING: Final = 3
"""Place of the oldest of the last four activates."""
R_CLAIMED: Final = 4
FIRST_SIBLING: Final = 5
"""First of the ranks on the same data bus."""
DIRECTION: Final = 6
"""Last column command on the data bus, kept with its first rank; -1 before."""
LAST_FOUR: Final = 7
"""Clocks of the last four activates."""
RANK_READY: Final = 11
"""First clock of each command, as far as this rank knows."""
RANK_FIELDS: Final = RANK_READY + c.COMMANDS

# parameters of a run
BANKS: Final = 0
"""Banks of a rank."""
RANKS: Final = 1
"""Ranks of a channel, over its pseudo-channels."""
SIBLINGS: Final = 2
"""Ranks on one data bus."""
T_FAW: Final = 3
READ_CLOCKS: Final = 4
"""Read command to the end of its data."""
HALF_CLOCK: Final = 5
DUAL: Final = 6
"""1 if row and column commands have a bus each."""
READ_ENTRIES: Final = 7
WRITE_ENTRIES: Final = 8
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
WCK_READ: Final = 18
"""Clocks that the data clock stays on after a read; 0 where it needs no synchronisation."""
WCK_WRITE: Final = 19
GROUPS: Final = 20
GROUP_BANKS: Final = 21
OFFERS: Final = 22
BANK_QUEUES: Final = 23
"""1 for a queue per bank, 0 for one queue of reads and one of writes."""
SLOTS: Final = 24
"""Clocks that each command occupies its bus."""
PARAMETERS: Final = SLOTS + c.COMMANDS

HALF_OPEN: Final = -2

# what is counted, after the commands themselves
ROW_HIT: Final = c.COMMANDS
ROW_MISS: Final = c.COMMANDS + 1
ROW_CONFLICT: Final = c.COMMANDS + 2
TURNAROUNDS: Final = c.COMMANDS + 3
FORWARDED: Final = c.COMMANDS + 4
LOGGED: Final = c.COMMANDS + 5
LAST: Final = c.COMMANDS + 6
"""Clock at which the last request completed."""
COMPLETED: Final = c.COMMANDS + 7
"""Requests that have been completed."""
SCANS: Final = c.COMMANDS + 8
"""Scans of a queue so far."""
PENDING: Final = c.COMMANDS + 9
"""Waiting reads, then waiting writes, by hashed address."""
BUCKETS: Final = 1024
"""Counters of waiting addresses in one direction: a zero says that no search is needed."""
COUNTERS: Final = PENDING + 2 * BUCKETS

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
"""Next read of the same address that completes with this one; -1 for none."""
REQUEST_FIELDS: Final = 10

# fields of a channel
NEXT: Final = 0
"""Clock at which something can happen next."""
READS: Final = 1
WRITES: Final = 2
REF_NEXT: Final = 3
"""Clock at which the next refresh becomes due."""
REF_PENDING: Final = 4
REF_FRONT: Final = 5
"""Rank or bank that is refreshed next."""
REF_BLOCKING: Final = 6
"""1 while commands for the rank or bank at the front are held back."""
PLAN: Final = 7
"""First of the four fields of the next command; of the next column command with ``DUAL``."""
ROW_PLAN: Final = 11
"""First of the four fields of the next row command of one queue for all."""
POINTER: Final = 15
"""Bank whose command was issued last."""
DRAIN: Final = 16
"""Writes still to be drained; 1 in write mode of one queue for all."""
COMMANDS_WAITING: Final = 17
READS_FIT: Final = 18
"""Waiting reads whose bank queue has room."""
WRITES_FIT: Final = 19
ACTIVE: Final = 20
"""Requests that opened a row and wait for their column command."""
LAST_READ: Final = 21
"""Latest completion of a read."""
ACT2_REQUEST: Final = 22
ACT2_DEADLINE: Final = 23
CAS_PENDING: Final = 24
WCK_END: Final = 25
READ_ROW: Final = 26
"""Row of ``State.queue`` with the waiting reads, oldest first."""
WRITE_ROW: Final = 27
ACTIVE_ROW: Final = 28
"""Row with the requests that opened a row, where one queue serves all banks."""
BUS_FREE: Final = 29
"""First free clock of the row bus and of the column bus."""
CHANNEL_FIELDS: Final = 31

# fields of a plan
TIME: Final = 0
KIND: Final = 1
SOURCE: Final = 2
"""The bank, or the queue that holds the request."""
PLACE: Final = 3
"""Place in that queue."""


class State(NamedTuple):
    """All arrays of a run.

    Attributes:
        parameters: one number each, by the names above.
        gates: clocks by level and earlier command, and by later command.
        bank: fields of each bank.
        group: first clock of each command, as far as each bank group knows.
        rank: fields of each rank.
        channel: fields of each channel.
        queue: waiting requests: a row for each bank, then for the reads and the writes of each
            channel.
        request: fields of each request.
        counters: one number each, by the names above.
        log: clock, command, bank, row and request of each command, as far as there is room.
    """

    parameters: Ints
    gates: Ints
    bank: Ints
    group: Ints
    rank: Ints
    channel: Ints
    queue: Ints
    request: Ints
    counters: Ints
    log: Ints
