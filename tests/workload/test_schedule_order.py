"""Which items may take turns, and how the others are refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.errors import TraceError
from codesign.workload.dtype import DType
from codesign.workload.record import Access, Op, Region, Tensor
from codesign.workload.schedule_order import check_causal

INT8 = DType.parse("int8")


def reader(name: str, steps: int, access: Access) -> Region:
    out = Tensor(f"{name}.out", (1,), INT8, "activation")
    return Region(name, steps, (Op(f"{name}.op", "move", (access,), (out.access(),)),))


def writer(name: str, steps: int, access: Access) -> Region:
    return Region(name, steps, (Op(f"{name}.op", "move", (), (access,)),))


def row(elements: int, step: int, *, offset: int = 0, size: int = 2) -> Access:
    """``size`` elements that move on by ``step``."""
    return Access(Tensor("s", (elements,), INT8, "activation"), (size,), (1,), offset, (step,))


def refusal(first: Region, second: Region, count: int) -> str:
    with pytest.raises(TraceError) as error:
        check_causal([first, second], count)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_reader_at_the_pace_of_the_writer_may_follow_it() -> None:
    first, second = writer("w", 6, row(12, 2)), reader("r", 6, row(12, 2))
    for count in (1, 2, 3, 6):
        check_causal([first, second], count)
        check_causal([second, first], count)


def test_a_slower_reader_of_wider_rows_may_follow() -> None:
    check_causal([writer("w", 6, row(12, 2)), reader("r", 3, row(12, 4, size=4))], 3)


def test_a_reader_may_look_back() -> None:
    first = writer("w", 6, row(14, 2, offset=2))
    check_causal([first, reader("r", 6, row(14, 2, size=4))], 6)


def test_a_reader_may_not_look_ahead() -> None:
    first, second = writer("w", 6, row(14, 2)), reader("r", 6, row(14, 2, offset=2))
    assert refusal(first, second, 6) == (
        "r: must use only what 'w' is done with, but needs 's' 1 of 6 iterations ahead; schedule "
        "them as traces of their own"
    )
    check_causal([first, second], 1)


def test_a_later_writer_may_not_run_ahead_of_a_reader() -> None:
    first, second = reader("r", 6, row(14, 2)), writer("w", 6, row(14, 2, offset=2))
    assert "w: must use only what 'r' is done with" in refusal(first, second, 3)


def test_a_later_writer_may_stay_behind_an_earlier_one() -> None:
    first, second = writer("one", 6, row(14, 2, offset=2)), writer("two", 6, row(14, 2))
    check_causal([first, second], 6)
    assert "1 of 6 iterations ahead" in refusal(second, first, 6)


def test_readers_do_not_wait_for_each_other() -> None:
    whole = Access(Tensor("s", (12,), INT8, "activation"), (12,), (1,))
    check_causal([reader("one", 6, row(12, 2)), reader("two", 3, whole)], 3)


def test_a_reader_of_everything_is_refused() -> None:
    whole = Access(Tensor("s", (12,), INT8, "activation"), (12,), (1,))
    assert refusal(writer("w", 6, row(12, 2)), reader("r", 6, whole), 3) == (
        "r: must not wait for the last step of 'w' to take turns with it, but 'r' takes 's' as a "
        "whole; schedule them as traces of their own"
    )


def test_a_reader_at_another_pace_is_refused() -> None:
    half = row(12, 1, size=1)
    assert refusal(writer("w", 6, row(12, 2)), reader("r", 6, half), 3) == (
        "r: must go through 's' at the pace of 'w', 4 elements in each of 3 iterations, got 2; "
        "schedule them as traces of their own"
    )


def test_rows_of_a_batch_keep_their_places() -> None:
    batch = Tensor("s", (3, 6, 2), INT8, "activation")
    step = Access(batch, (3, 2), (12, 1), advance=(2,))
    check_causal([writer("w", 6, step), reader("r", 6, step)], 6)
    ahead = Access(batch, (3, 2), (12, 1), 2, (2,))
    assert "iterations ahead" in refusal(writer("w", 6, step), reader("r", 6, ahead), 6)


def test_a_view_over_the_edge_of_a_row_is_refused() -> None:
    batch = Tensor("s", (3, 6, 2), INT8, "activation")
    step = Access(batch, (3, 2), (12, 1), advance=(2,))
    over = Access(batch, (3, 4), (8, 1), 10, (2,))
    assert "iterations ahead" in refusal(writer("w", 6, step), reader("r", 6, over), 6)


@given(
    steps=st.sampled_from([2, 4, 6]),
    lead=st.integers(1, 3),
    sizes=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    offsets=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    share=st.sampled_from([1, 2]),
)
@settings(max_examples=200)
def test_what_is_allowed_reads_what_was_written_last_in_the_old_order(
    steps: int,
    lead: int,
    sizes: tuple[int, int],
    offsets: tuple[int, int],
    share: int,
) -> None:
    elements = steps * lead + 12
    first = writer("w", steps, row(elements, lead, offset=offsets[0], size=sizes[0]))
    second = reader("r", steps, row(elements, lead, offset=offsets[1], size=sizes[1]))
    count = steps // share
    try:
        check_causal([first, second], count)
    except TraceError:
        return

    def touched(number: int, step: int) -> set[int]:
        start = offsets[number] + step * lead
        return set(range(start, start + sizes[number]))

    for read in range(steps):
        for write in range(steps):
            if touched(1, read) & touched(0, write):
                assert write // share <= read // share
