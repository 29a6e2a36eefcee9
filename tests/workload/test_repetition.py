from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codesign.workload.repetition import MAX_PERIODS, Run, runs

WORDS = st.lists(st.integers(0, 3), min_size=1, max_size=6)


@given(st.lists(st.integers(0, 3), max_size=40), st.integers(2, 4))
def test_every_run_repeats(symbols: list[int], minimum: int) -> None:
    for run in runs(symbols, minimum):
        assert run.steps >= minimum
        end = run.start + run.length
        assert end <= len(symbols)
        for index in range(run.start, end - run.period):
            assert symbols[index] == symbols[index + run.period]


@given(st.lists(st.integers(0, 3), max_size=40))
def test_every_run_is_maximal(symbols: list[int]) -> None:
    for run in runs(symbols, 2):
        before, after = run.start - 1, run.start + run.length
        assert before < 0 or symbols[before] != symbols[before + run.period]
        assert after == len(symbols) or symbols[after] != symbols[after - run.period]


@given(WORDS, st.integers(3, 8))
def test_a_repeated_word_is_found(word: list[int], times: int) -> None:
    found = runs(word * times, 3)
    assert any(run.start == 0 and run.length == len(word) * times for run in found)


@given(st.integers(1, 5), st.integers(3, 8), st.integers(0, 3), st.integers(0, 3))
def test_distinct_words_are_cut_at_their_length(
    width: int, times: int, before: int, after: int
) -> None:
    symbols: list[object] = [f"p{i}" for i in range(before)]
    symbols += list(range(width)) * times
    symbols += [f"e{i}" for i in range(after)]
    assert runs(symbols, 3)[0] == Run(before, width * times, width)


def test_the_run_that_explains_most_comes_first() -> None:
    symbols = [9, 9, 9, *([1, 2, 3] * 4)]
    first, second = runs(symbols, 3)[:2]
    assert (first.period, first.steps) == (3, 4)
    assert (second.period, second.steps) == (1, 3)


def test_nothing_repeats_in_distinct_symbols() -> None:
    assert runs(list(range(50)), 2) == []


def test_the_number_of_periods_tried_is_bounded() -> None:
    # the gap between the zeros grows each time: many candidate periods, no repetition
    symbols: list[int] = []
    for gap in range(3 * MAX_PERIODS):
        symbols += [0, *range(1000 * (gap + 1), 1000 * (gap + 1) + gap)]
    assert runs(symbols, 3) == []
