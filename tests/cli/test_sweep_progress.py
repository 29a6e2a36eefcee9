"""What a long study says of itself."""

from __future__ import annotations

import pytest

from codesign.cli.sweep_progress import progress_text, study_progress


@pytest.mark.parametrize(
    ("counts", "rate", "text"),
    [
        ((3, 0, 0, 10), 0.0, "3 / 10"),
        ((3, 2, 0, 10), 0.5, "5 / 10, 2 failed, 0.5/s, at most 0:00:10"),
        ((168, 0, 256, 504), 94.2, "168 + 256 pruned / 504, 94.2/s, at most 0:00:01"),
        ((1000, 0, 0, 100_000), 10.0, "1,000 / 100,000, 10/s, at most 2:45:00"),
        ((10, 0, 90, 100), 10.0, "10 + 90 pruned / 100, 10/s, at most 0:00:00"),
    ],
)
def test_it_tells_what_is_done_and_the_most_that_is_left(
    counts: tuple[int, int, int, int], rate: float, text: str
) -> None:
    assert progress_text(*counts, rate) == text


def test_without_a_terminal_nobody_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet in (True, False):
        with study_progress("model", quiet=quiet) as watch:
            assert watch is None
    assert capsys.readouterr().err == ""


def test_a_terminal_shows_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with study_progress("[bold]model", quiet=True) as watch:
        assert watch is None
    with study_progress("[bold]model", quiet=False) as watch:
        assert watch is not None
        for done in range(5):
            watch(done, 1, 3, 10)
    assert "[bold]model" in capsys.readouterr().err
