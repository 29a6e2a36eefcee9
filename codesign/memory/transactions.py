"""The transaction queues in front of the bank queues: what enters, what is answered at once. Hot.

The way in of the controller that ``bank_queues`` describes.
"""

from __future__ import annotations

from typing import Final

from codesign.memory import layout as f
from codesign.memory.compiled import compiled
from codesign.memory.layout import State
from codesign.memory.queues import bucket, complete, count_pending, find

DRAIN_WHEN_IDLE: Final = 8
"""More writes than this are drained when no command waits."""


@compiled
def offer(s: State, channel: int, request: int, clock: int) -> bool:
    """Takes a request into its transaction queue, or refuses it because that is full.

    A write is posted: it completes in the clock after the next. A read of an address that a write
    waits for takes its data from there; one that another read waits for completes with it.
    """
    write = s.request[request, f.WRITE]
    entries = s.parameters[f.WRITE_ENTRIES if write else f.READ_ENTRIES]
    if s.channel[channel, f.WRITES if write else f.READS] >= entries:
        return False
    s.request[request, f.ACCEPTED] = clock + 1
    earlier_write = waiting_request(s, channel, request, 1)
    if write or earlier_write >= 0:
        complete(s, request, clock + 2)
    if earlier_write >= 0:
        s.counters[f.FORWARDED] += 1
        return True
    if not write and joined(s, waiting_request(s, channel, request, 0), request):
        return True
    enqueue(s, channel, request)
    return True


@compiled
def joined(s: State, earlier: int, request: int) -> bool:
    """Chains a read to an earlier one of the same address, if there is one."""
    if earlier < 0:
        return False
    s.request[request, f.TWIN] = s.request[earlier, f.TWIN]
    s.request[earlier, f.TWIN] = request
    s.counters[f.FORWARDED] += 1
    return True


@compiled
def waiting_request(s: State, channel: int, request: int, write: int) -> int:
    """A waiting request of the same address; -1 for none."""
    key = s.request[request, f.KEY]
    if s.counters[f.PENDING + write * f.BUCKETS + bucket(key)] == 0:
        return -1
    queue = (
        s.queue[s.channel[channel, f.WRITE_ROW]]
        if write
        else s.queue[s.channel[channel, f.READ_ROW]]
    )
    found = find(s, queue, s.channel[channel, f.WRITES if write else f.READS], key, write)
    if found >= 0:
        return found
    bank = s.request[request, f.BANK_OF]
    return find(s, s.queue[bank], s.bank[bank, f.WAITING], key, write)


@compiled
def enqueue(s: State, channel: int, request: int) -> None:
    """Appends a request to its transaction queue."""
    write, bank = s.request[request, f.WRITE], s.request[request, f.BANK_OF]
    size = f.WRITES if write else f.READS
    if write:
        s.queue[s.channel[channel, f.WRITE_ROW], s.channel[channel, size]] = request
    else:
        s.queue[s.channel[channel, f.READ_ROW], s.channel[channel, size]] = request
    s.channel[channel, size] += 1
    s.bank[bank, f.OUTSIDE + write] += 1
    if s.bank[bank, f.WAITING] < s.parameters[f.BANK_ENTRIES]:
        s.channel[channel, f.WRITES_FIT if write else f.READS_FIT] += 1
    count_pending(s, request, 1)


@compiled
def drains(s: State, channel: int) -> int:
    """Writes to drain from now on: all when their queue is full, or long while no command waits."""
    left, count = s.channel[channel, f.DRAIN], s.channel[channel, f.WRITES]
    if left == 0 and (
        count >= s.parameters[f.WRITE_ENTRIES]
        or (count > DRAIN_WHEN_IDLE and s.channel[channel, f.COMMANDS_WAITING] == 0)
    ):
        return int(count)
    return int(left)
