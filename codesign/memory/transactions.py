"""The transaction queues in front of the bank queues: what enters, what is answered at once. Hot.

The way in of the controller that ``bank_queues`` describes.
"""

from __future__ import annotations

from typing import Final

from codesign.memory import layout as f
from codesign.memory.compiled import compiled
from codesign.memory.layout import State
from codesign.memory.queues import append, complete, count_pending, find, pending

DRAIN_WHEN_IDLE: Final = 8
"""More writes than this are drained when no command waits."""


@compiled
def outside(bank: int, write: int) -> int:
    """The queue of the reads or of the writes that wait to move on to a bank."""
    return bank + f.WAITING + write * f.QUEUE


@compiled
def offer(s: State, channel: int, request: int, clock: int) -> bool:
    """Takes a request into its transaction queue, or refuses it because that is full.

    A write is posted: it completes in the clock after the next. A read of an address that a write
    waits for takes its data from there; one that another read waits for completes with it.
    """
    write = s[request + f.WRITE]
    if s[channel + f.ENTERED + write] >= s[f.ENTRIES + write]:
        return False
    s[request + f.ACCEPTED] = clock + 1
    earlier_write = waiting_request(s, request, 1)
    if write == 1 or earlier_write != f.NONE:
        complete(s, request, clock + 2)
    if earlier_write != f.NONE:
        s[f.FORWARDED] += 1
        return True
    if write == 0 and joined(s, waiting_request(s, request, 0), request):
        return True
    enqueue(s, channel, request)
    return True


@compiled
def joined(s: State, earlier: int, request: int) -> bool:
    """Chains a read to an earlier one of the same address, if there is one."""
    if earlier == f.NONE:
        return False
    s[request + f.TWIN] = s[earlier + f.TWIN]
    s[earlier + f.TWIN] = request
    s[f.FORWARDED] += 1
    return True


@compiled
def waiting_request(s: State, request: int, write: int) -> int:
    """A waiting request of the same address, or ``NONE``."""
    key = s[request + f.KEY]
    if s[pending(key, write)] == 0:
        return f.NONE
    bank = s[request + f.BANK_OF]
    found = find(s, outside(bank, write), key, write)
    if found != f.NONE:
        return found
    return find(s, bank + f.COMMANDS_QUEUE, key, write)


@compiled
def enqueue(s: State, channel: int, request: int) -> None:
    """Appends a request to its transaction queue."""
    write, bank = s[request + f.WRITE], s[request + f.BANK_OF]
    append(s, outside(bank, write), request)
    s[channel + f.ENTERED + write] += 1
    if s[bank + f.COMMANDS_QUEUE + f.COUNT] < s[f.BANK_ENTRIES]:
        s[channel + f.FIT + write] += 1
    count_pending(s, request, 1)


@compiled
def first_that_fits(s: State, channel: int, write: int) -> int:
    """The oldest read or write whose bank queue has room."""
    oldest = s[f.END_REQUEST]
    for bank in range(s[channel + f.FIRST_BANK], s[channel + f.END_BANK], f.BANK_FIELDS):
        request = s[outside(bank, write) + f.FIRST]
        room = s[bank + f.COMMANDS_QUEUE + f.COUNT] < s[f.BANK_ENTRIES]
        if request != f.NONE and request < oldest and room:
            oldest = request
    return oldest


@compiled
def drains(s: State, channel: int) -> int:
    """Writes to drain from now on: all when their queue is full, or long while no command waits."""
    left, count = s[channel + f.DRAIN], s[channel + f.ENTERED + 1]
    if left == 0 and (
        count >= s[f.ENTRIES + 1]
        or (count > DRAIN_WHEN_IDLE and s[channel + f.COMMANDS_WAITING] == 0)
    ):
        return count
    return left
