"""The event loop of a run: jumps from one clock in which something happens to the next. Hot.

The clocks start with 1. Each clock, first the controllers act, then up to ``OFFERS`` requests
enter, in order; a refused request is offered again after its channel has acted. Each kind of
controller has a loop of its own, so that only the one in use is compiled.
"""

from __future__ import annotations

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.compiled import compiled
from codesign.memory.layout import State


@compiled
def next_event(s: State) -> bool:
    """Turns to the next clock in which something happens; False when the run has ended."""
    clock = s[f.ENTRY]
    for channel in range(s[f.FIRST_CHANNEL], s[f.END_CHANNEL], f.CHANNEL_FIELDS):
        clock = min(clock, s[channel + f.NEXT])
    s[f.CLOCK] = clock
    requests = (s[f.END_REQUEST] - s[f.FIRST_REQUEST]) // f.REQUEST_FIELDS
    return s[f.COMPLETED] < requests or clock <= s[f.END]


@compiled
def entrance_open(s: State, clock: int) -> bool:
    """Whether a request is there to be offered, to a channel that may take it."""
    head = s[f.HEAD]
    if head == s[f.END_REQUEST]:
        return False
    acted = s[s[head + f.CHANNEL_OF] + f.NEXT] == 0
    return acted or clock >= s[f.ENTRY]


@compiled
def offered(s: State, first: int, clock: int) -> bool:
    """Whether one more request is offered in this clock, of which ``first`` was the first."""
    head = s[f.HEAD]
    return (
        head < s[f.END_REQUEST]
        and head - first < s[f.OFFERS] * f.REQUEST_FIELDS
        and s[head + f.OFFERED] <= clock
    )


@compiled
def let_in(s: State) -> None:
    """Goes on from a request that its channel has taken; the channel must look ahead again."""
    s[s[s[f.HEAD] + f.CHANNEL_OF] + f.NEXT] = 0
    s[f.HEAD] += f.REQUEST_FIELDS


@compiled
def settle(s: State, first: int, clock: int) -> None:
    """Notes when the next request is offered: with its channel's next clock if it was refused."""
    head = s[f.HEAD]
    s[f.ENTRY] = c.NEVER
    if head < s[f.END_REQUEST]:
        arrival = s[head + f.OFFERED]
        if arrival > clock or head - first == s[f.OFFERS] * f.REQUEST_FIELDS:
            s[f.ENTRY] = max(arrival, clock + 1)
