"""How much a replay may handle before it gives up: the bound on its time and on its memory.

A replay costs what does not recur in it. Where hardly anything recurs, a valid input may ask for
more than anybody waits for; the budget ends such a replay in one line in the place of hours.
"""

from __future__ import annotations

from codesign.errors import CodesignError

MOST_EVENTS = 200_000_000
"""Events that a replay may handle by default (assumed): about ten minutes of a processor."""
OPERATOR = 10
"""Events that an operator which ends counts for: it is compared, logged and issued (measured)."""


class BudgetError(CodesignError):
    """A replay has handled all events that it may."""


def check_most(most: object) -> None:
    """Raises a CodesignError unless a bound on events is a whole number of at least 1."""
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        told = f"{most!r}"[:60]
        raise CodesignError(
            f"most_events must be a whole number >= 1, got {told}; leave it out for {MOST_EVENTS:,}"
        )
