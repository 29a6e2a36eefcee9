"""The accelerations change no figure: every finish time, byte and joule, contended or not."""

from __future__ import annotations

import pytest
from random_work import Work, play, work

from codesign.replay.run import Replay

BATCH, BATCHES, NIGHTLY = 520, 2, 8
"""Cases in a batch, batches in every run of the tests, and further ones in ``make nightly``."""


def figures(replays: dict[str, Replay]) -> list[object]:
    """Everything that a replay measures, but for how many events it handled."""
    return [
        (
            name,
            one.makespan,
            one.lower,
            one.serial,
            one.busy,
            one.moved,
            one.uses,
            [(span.assignment.op.name, span.start, span.end) for span in one.spans],
            one.totals,
            [(i.asked, i.start, i.end) for i in one.invocations],
        )
        for name, one in replays.items()
    ]


def agree(case: Work) -> tuple[int, int]:
    """Checks one case; events handled with the accelerations off and on."""
    plain, heard = play(case, exact_events=True)
    fast, heard_fast = play(case, exact_events=False)
    assert figures(fast) == figures(plain)
    assert heard_fast == heard
    return next(iter(plain.values())).events, next(iter(fast.values())).events


@pytest.mark.parametrize(
    "batch",
    [
        *range(BATCHES),
        *(pytest.param(n, marks=pytest.mark.nightly) for n in range(BATCHES, BATCHES + NIGHTLY)),
    ],
)
def test_every_figure_is_equal_with_the_accelerations_on_and_off(batch: int) -> None:
    saved = 0
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        try:
            plain, fast = agree(work(seed))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error
        assert fast <= plain, f"seed {seed}"
        saved += fast < plain / 2
    assert saved > BATCH / 5  # the accelerations took part
