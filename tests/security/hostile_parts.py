"""Damage to files, and what is held of every refusal: one line, within bounded memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import strategies as st

from codesign.errors import CodesignError

Mutate = Callable[[bytes], bytes]


@st.composite
def mutations(draw: st.DrawFn) -> Mutate:
    """A few flips, cuts, insertions or repetitions at random places."""
    steps = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["flip", "cut", "insert", "repeat", "drop"]),
                st.integers(0, 2**16),
                st.one_of(st.binary(min_size=1, max_size=4), st.sampled_from([*b'[]{}",:-0e&*!#'])),
            ),
            min_size=1,
            max_size=3,
        )
    )

    def mutate(data: bytes) -> bytes:
        for how, place, what in steps:
            piece = bytes([what]) if isinstance(what, int) else what
            at = place % max(1, len(data))
            data = {
                "flip": data[:at] + piece + data[at + len(piece) :],
                "cut": data[:at],
                "insert": data[:at] + piece + data[at:],
                "repeat": data[:at] + data[at : at + 40] + data[at:],
                "drop": data[:at] + data[at + len(piece) :],
            }[how]
        return data

    return mutate


def is_one_line(error: CodesignError, start: str = "") -> None:
    assert str(error).startswith(start)
    assert "\n" not in str(error)
    assert len(str(error)) < 1500


def peak_of(action: Callable[[], object], message: str) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(CodesignError, match=message) as caught:
            action()
        is_one_line(caught.value)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
