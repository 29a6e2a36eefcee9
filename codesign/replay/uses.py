"""What memories did, from the tally of the transfers: actions by class, time by power state."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from codesign.hardware.component import Memory, Service
from codesign.hardware.spec import Hardware
from codesign.replay.result import Use
from codesign.replay.shares import Pattern, Shares
from codesign.replay.tally import Tally


def moved_bytes(shares: Shares, tally: Tally) -> dict[tuple[str, str], int]:
    """Bytes moved by source and target memory."""
    moved: dict[tuple[str, str], int] = {}
    for number, size in tally.items():
        if isinstance(number, int):
            ends = shares.ends(number)
            moved[ends] = moved.get(ends, 0) + size
    return moved


def memory_uses(hardware: Hardware, shares: Shares, tally: Tally, end: int) -> dict[str, Use]:
    """What each memory did, by name.

    Args:
        hardware: its memories.
        shares: rates and services of the classes in the tally.
        tally: of a whole session.
        end: tick at which the session ended.
    """
    found = {}
    for memory in hardware.memories:
        phases = list(_phases(memory.name, shares, tally))
        rested = {key[1]: ticks for key, ticks in _times(tally) if key[0] == memory.name}
        found[memory.name] = Use(_rates(phases), _ticks(memory, phases, rested, end))
    return found


@dataclass(frozen=True, slots=True)
class _Phase:
    """Time in which a memory served the same transfers at equal rates.

    Attributes:
        ticks: how long.
        service: how it served them.
        work: what each class of the memory moved, in units of the shares.
    """

    ticks: Fraction
    service: Service
    work: tuple[tuple[object, int], ...]


def _times(tally: Tally) -> Iterator[tuple[tuple[int, ...] | tuple[str, str], int]]:
    return ((key, ticks) for key, ticks in tally.items() if isinstance(key, tuple))


def _phases(memory: str, shares: Shares, tally: Tally) -> Iterator[_Phase]:
    for mix, ticks in _times(tally):
        if isinstance(mix[0], int):
            rates = shares.rates(mix)
            users = [
                (rates[number], shares.patterns(number, memory))
                for number in mix
                if shares.patterns(number, memory)
            ]
            yield from _layers(memory, shares, users, ticks)


def _layers(
    memory: str, shares: Shares, users: Sequence[tuple[int, tuple[Pattern, ...]]], ticks: int
) -> Iterator[_Phase]:
    """Unequal rates as phases of equal ones: all of them together, then the faster ones go on.

    So ``Shares`` gives rates: whoever takes less than an equal share leaves the memory's time to
    the others.
    """
    spent, found = 0, []
    for rate in sorted({rate for rate, _ in users}):
        seen = [pattern for own, patterns in users if own >= rate for pattern in patterns]
        service = shares.served(memory, seen)
        time = Fraction((rate - spent) * len(seen), service.bytes_per_s)
        found.append((time, service, seen, rate - spent))
        spent = rate
    total = sum((time for time, *_ in found), Fraction())
    for time, service, seen, rate in found:
        work = tuple((kind, ticks * rate) for kind, _ in seen)
        yield _Phase(ticks * time / total, service, work)


def _rates(phases: Sequence[_Phase]) -> dict[object, dict[str, Fraction]]:
    """Actions for each byte of a class, on average over the time in which it moved."""
    moved: Counter[object] = Counter()
    done: defaultdict[object, defaultdict[str, Fraction]] = defaultdict(
        lambda: defaultdict(Fraction)
    )
    for phase in phases:
        for kind, work in phase.work:
            moved[kind] += work
            for action, rate in phase.service.actions:
                done[kind][action] += work * rate
    return {
        kind: {action: total / moved[kind] for action, total in actions.items()}
        for kind, actions in done.items()
    }


def _ticks(
    memory: Memory, phases: Sequence[_Phase], rested: Mapping[str, int], end: int
) -> dict[str, int]:
    """Whole ticks in each state; they add up to the session."""
    spent: defaultdict[str, Fraction] = defaultdict(Fraction)
    for phase in phases:
        for state, share in phase.service.states:
            spent[state] += phase.ticks * share
    whole = {state: int(ticks) for state, ticks in spent.items()}
    for state, ticks in rested.items():
        whole[state] = whole.get(state, 0) + ticks
    idle = end - sum(whole.values())
    return whole | {memory.IDLE: whole.get(memory.IDLE, 0) + idle}
