"""The event loop of a run: jumps from one clock in which something happens to the next. Hot."""

from __future__ import annotations

from codesign.memory import bank_queues, shared_queues, transactions
from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.compiled import compiled, entry
from codesign.memory.layout import State

offer_to_bank_queues = transactions.offer
tick_bank_queues = bank_queues.tick
next_of_bank_queues = bank_queues.next_clock
offer_to_shared_queues = shared_queues.offer
tick_shared_queues = shared_queues.tick
next_of_shared_queues = shared_queues.next_clock


@compiled
def offer(s: State, request: int, clock: int) -> bool:
    """Offers a request to its channel; whether that takes it."""
    channel = s.request[request, f.CHANNEL_OF]
    if s.parameters[f.BANK_QUEUES] == 1:
        return offer_to_bank_queues(s, channel, request, clock)
    return offer_to_shared_queues(s, channel, request, clock)


@compiled
def tick(s: State, channel: int, clock: int) -> None:
    """One clock of a channel's controller."""
    if s.parameters[f.BANK_QUEUES] == 1:
        tick_bank_queues(s, channel, clock)
    else:
        tick_shared_queues(s, channel, clock)


@compiled
def look_ahead(s: State, channel: int, clock: int) -> None:
    """Notes the next clock in which a channel can do something."""
    if s.parameters[f.BANK_QUEUES] == 1:
        s.channel[channel, f.NEXT] = next_of_bank_queues(s, channel, clock)
    else:
        s.channel[channel, f.NEXT] = next_of_shared_queues(s, channel, clock)


@compiled
def inject(s: State, head: int, clock: int) -> int:
    """Offers requests in order until one is refused or not there yet; the next one to offer.

    The channels that took one are marked by a next clock of 0.
    """
    end = min(s.request.shape[0], head + s.parameters[f.OFFERS])
    while head < end and s.request[head, f.OFFERED] <= clock and offer(s, head, clock):
        s.channel[s.request[head, f.CHANNEL_OF], f.NEXT] = 0
        head += 1
    return head


@entry
def run(s: State) -> None:
    """Runs until the last request has completed.

    The clocks start with 1. Each clock, first the controllers act, then up to ``OFFERS`` requests
    enter, in order; a refused request is offered again after its channel has acted.
    """
    requests, channels = s.request.shape[0], s.channel.shape[0]
    head, entry, clock = 0, 1, 0
    for channel in range(channels):
        s.channel[channel, f.NEXT] = 1
    while True:
        clock = entry
        for channel in range(channels):
            clock = min(clock, s.channel[channel, f.NEXT])
        if s.counters[f.COMPLETED] == requests and clock > s.counters[f.LAST]:
            return
        for channel in range(channels):
            if s.channel[channel, f.NEXT] <= clock:
                tick(s, channel, clock)
                s.channel[channel, f.NEXT] = 0
        head, entry = enter(s, head, entry, clock)
        for channel in range(channels):
            if s.channel[channel, f.NEXT] == 0:
                look_ahead(s, channel, clock)


@compiled
def enter(s: State, head: int, entry: int, clock: int) -> tuple[int, int]:
    """Lets requests in; the next one, and the clock at which it is offered."""
    requests = s.request.shape[0]
    if head == requests:
        return head, c.NEVER
    acted = s.channel[s.request[head, f.CHANNEL_OF], f.NEXT] == 0
    if clock < entry and not acted:
        return head, entry
    first = head
    head = inject(s, head, clock)
    if head == requests:
        return head, c.NEVER
    offered = s.request[head, f.OFFERED]
    if offered > clock or head - first == s.parameters[f.OFFERS]:
        return head, max(offered, clock + 1)
    return head, c.NEVER
