"""What an arrival of any origin says, checked before it is believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING

from codesign.errors import OF_OTHERS, CodesignError, ScenarioError
from codesign.raised import raised
from codesign.scenario.checks import shown
from codesign.scenario.release import MAX_RUNS, Release, Window

if TYPE_CHECKING:
    from codesign.scenario.spec import Stream

Produced = Mapping[str, Sequence[Release]]


def checked_releases(stream: Stream, window: Window, produced: Produced) -> tuple[Release, ...]:
    """The releases of a stream in one window.

    Raises:
        ScenarioError: the arrival raises, does not end, or returns something else than releases
            in order, with ticks within the window, that wait for releases of its producers.
    """
    try:
        releases = _listed(stream.arrival.releases(window, produced))
        before = window.start
        for release in releases:
            _check(release, before, window, produced)
            before = release.tick
    except CodesignError as error:
        raise ScenarioError(f"{stream.label}: {error}") from error
    except OF_OTHERS as error:  # an arrival may be anybody's; say what it raised
        where = f"{stream.label}: {type(stream.arrival).__name__}.releases"
        told = raised(error, stream.arrival)
        raise ScenarioError(f"{where} raised {told}; mend it") from error
    return releases


def checked_rate(stream: Stream, produced: Mapping[str, Fraction]) -> Fraction | None:
    """The rate that an arrival tells, or None.

    Raises:
        ScenarioError: the arrival raises, or tells something else than a positive fraction.
    """
    where = f"{stream.label}: {type(stream.arrival).__name__}.rate"
    try:
        told = stream.arrival.rate(produced)
    except OF_OTHERS as error:  # an arrival may be anybody's; say what it raised
        raise ScenarioError(f"{where} raised {raised(error, stream.arrival)}; mend it") from error
    if told is not None and not (isinstance(told, Fraction) and told > 0):
        raise ScenarioError(
            f"{where} must be a Fraction > 0 of releases per tick, or None, got {shown(told)}; "
            "mend it"
        )
    return told


def _listed(found: object) -> tuple[Release, ...]:
    """The releases as they are, but no more of them than anybody waits for."""
    if not isinstance(found, Iterable) or isinstance(found, (str, Mapping)):
        raise ScenarioError(f"releases must be a tuple of Release, got {shown(found)}; mend it")
    listed = tuple(islice(found, MAX_RUNS + 1))
    if len(listed) > MAX_RUNS:
        raise ScenarioError(
            f"one window has more than {MAX_RUNS:,} releases; shorten the duration or lower the "
            "rate"
        )
    return listed


def _check(release: object, before: int, window: Window, produced: Produced) -> None:
    if not isinstance(release, Release):
        raise ScenarioError(f"releases must be a tuple of Release, got {shown(release)}; mend it")
    tick = release.tick
    if not isinstance(tick, int) or isinstance(tick, bool):
        raise ScenarioError(
            f"a release must have a whole tick (picoseconds), got {shown(tick)}; round it"
        )
    if not window.start <= tick <= window.end:
        raise ScenarioError(
            f"a release must be within its window, ticks {window.start:,} to {window.end:,}, got "
            f"{shown(tick)}; leave it out"
        )
    if tick < before:
        raise ScenarioError(
            f"releases must be in order, got tick {tick:,} behind {before:,}; sort them"
        )
    for producer, place in release.waits:
        if producer not in produced or not 0 <= place < len(produced[producer]):
            raise ScenarioError(
                f"a release must wait for one that its producers have, got {shown(producer)} "
                f"{shown(place)}; name {', '.join(produced) or 'producers'} and a place from 0 on"
            )
