"""Playing a schedule: processes ask a session for runs at their time and behind others."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codesign.scenario.release import Release
from codesign.scenario.schedule import Schedule, span_ticks
from codesign.scenario.spec import Scenario

if TYPE_CHECKING:
    from codesign.replay.run import Invocation, Replay, Session

Watcher = Callable[[int, int], None]
"""Called with (runs ended, runs in all)."""


@dataclass(frozen=True)
class Played:
    """What a session did.

    Attributes:
        runs: finished runs by stream and window, in the order in which they were asked for.
        replays: what the session measured of each stream.
        releases: what the runs were asked for by, by stream and window; of each release there are
            as many runs as the beam of its stream.
    """

    runs: Mapping[str, tuple[tuple[Invocation, ...], ...]]
    replays: Mapping[str, Replay]
    releases: Schedule

    def of(self, stream: str) -> tuple[Invocation, ...]:
        """All runs of a stream."""
        return tuple(run for window in self.runs[stream] for run in window)


def play(
    scenario: Scenario, schedule: Schedule, session: Session, watch: Watcher | None = None
) -> Played:
    """Asks a session for every run of a schedule, at its time and behind its producers.

    Of two runs that wait for nothing but the same tick, that of the earlier stream of the scenario
    is asked for first.

    Args:
        scenario: whose schedule it is.
        schedule: releases of every stream.
        session: a session that nothing was asked of, with a placement for every stream; it is
            played to its end.
        watch: told about progress.
    """
    asking = _Asking(scenario, schedule, session, watch)
    session.process(asking.on_time(schedule))
    for stream in scenario.streams:
        for window, releases in enumerate(schedule[stream.name]):
            if stream.arrival.producers:
                session.process(asking.behind(stream.name, window, releases))
    replays = session.run(span_ticks(scenario))
    runs = {
        stream: tuple(tuple(event.value for event in events) for events in spans)
        for stream, spans in asking.events.items()
    }
    return Played(runs, replays, schedule)


class _Asking:
    """What was asked of a session, and which releases are over."""

    def __init__(
        self, scenario: Scenario, schedule: Schedule, session: Session, watch: Watcher | None
    ) -> None:
        self.session, self.watch = session, watch
        self.beam = {stream.name: stream.beam for stream in scenario.streams}
        self.events: dict[str, list[list[Any]]] = {
            stream: [[] for _ in spans] for stream, spans in schedule.items()
        }
        awaited = {name for stream in scenario.streams for name in stream.arrival.producers}
        self.over = {
            (stream, window, place): session.env.event()
            for stream in sorted(awaited)
            for window, releases in enumerate(schedule[stream])
            for place in range(len(releases))
        }
        self.total = sum(self.beam[s] * len(r) for s, spans in schedule.items() for r in spans)
        self.ended = 0

    def on_time(self, schedule: Schedule) -> Generator[Any, Any, None]:
        """Asks for what waits for time alone; in one tick in the order of the streams."""
        env = self.session.env
        due = sorted(
            (release.tick, order, window, place)
            for order, stream in enumerate(schedule)
            for window, releases in enumerate(schedule[stream])
            for place, release in enumerate(releases)
            if not release.waits
        )
        streams = list(schedule)
        for tick, order, window, place in due:
            if tick > env.now:
                yield env.timeout(tick - env.now)
            self._ask(streams[order], window, place)

    def behind(
        self, stream: str, window: int, releases: Sequence[Release]
    ) -> Generator[Any, Any, None]:
        """Asks for the runs of one stream in one window behind those that they wait for."""
        env = self.session.env
        for place, release in enumerate(releases):
            if release.tick > env.now:
                yield env.timeout(release.tick - env.now)
            for producer, number in release.waits:
                yield self.over[producer, window, number]
            self._ask(stream, window, place)

    def _ask(self, stream: str, window: int, place: int) -> None:
        events = [self.session.invoke(stream) for _ in range(self.beam[stream])]
        self.events[stream][window] += events
        for event in events:
            event.callbacks.append(self._count)
        over = self.over.get((stream, window, place))
        if over is not None:
            self.session.env.all_of(events).callbacks.append(over.trigger)

    def _count(self, _: Any) -> None:
        self.ended += 1
        if self.watch:
            self.watch(self.ended, self.total)
