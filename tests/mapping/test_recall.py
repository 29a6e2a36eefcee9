"""A result serves whoever would read the same, and nobody else."""

from __future__ import annotations

import gc
import itertools
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import MappingError
from codesign.hardware.fields_only import fields_only
from codesign.mapping.recall import Computation, Recall, Steps, take_step
from codesign.mapping.twins import Watch

NAMES = "abcd"


@fields_only
@dataclass(frozen=True)
class Numbers:
    """What computations read."""

    a: int = 0
    b: int = 0
    c: int = 0
    d: int = 0


@fields_only
@dataclass(frozen=True)
class Value:
    """What a step comes to."""

    coarse: int
    fine: int


class Shared:
    """Computations that share their results, with the number of those that were made."""

    def __init__(self, most: int = 100, *, is_lasting: bool = False) -> None:
        self.results, self.steps = Recall[int](most), Steps(most)
        self.made = 0
        self.lasting: dict[Numbers, Watch[Numbers]] = {}
        self.is_lasting = is_lasting

    def watch(self, part: Numbers) -> Watch[Numbers]:
        if not self.is_lasting:
            return Watch(part)
        return self.lasting.setdefault(part, Watch(part, is_lasting=True))

    def result(
        self, question: int, one: Numbers, two: Numbers, of: Callable[[Numbers, Numbers], int]
    ) -> int:
        inputs = {"one": self.watch(one), "two": Watch(two)}

        def make() -> int:
            self.made += 1
            return of(inputs["one"].twin, inputs["two"].twin)

        return Computation(question, inputs, self.results, self.steps).result(make)


def wander(seed: int, one: Numbers, two: Numbers) -> int:
    """Reads here and there, and where it goes next depends on what it has read."""
    state = seed
    for turn in range(5):
        value = getattr((one, two)[state % 2], NAMES[state // 2 % 4])
        if state % 3 == 0:
            value += step_of(state, two)
        state = (31 * state + 17 * value + turn) % 1009
    return state


def step_of(state: int, part: Numbers) -> int:
    """A step on the way: it reads much, and only the coarse of it matters mostly."""
    made = take_step(part, lambda: state + part.a, taken, lambda _: 1)
    value = taken(state + part.a, part) if made is None else made
    return value.coarse if state % 5 else value.coarse + value.fine


def taken(made: int, part: Numbers) -> Value:
    return Value((made + part.b + part.c) // 3, made + part.d)


def stairs(one: Numbers, two: Numbers) -> int:
    """A step on an input, and one on the value of that step."""
    first = take_step(two, lambda: one.a, taken, lambda _: 1) or taken(one.a, two)
    second = take_step(first, lambda: one.b, higher, lambda _: 1) or higher(one.b, first)
    return second.fine if one.c else second.coarse


def higher(made: int, part: Value) -> Value:
    return Value(made + part.coarse, part.coarse * part.fine)


numbers = st.builds(Numbers, *[st.integers(0, 2)] * 4)


@given(
    st.lists(st.tuples(st.integers(0, 6), numbers, numbers), min_size=8, max_size=60),
    st.booleans(),
    st.sampled_from([1, 3, 100]),
)
def test_shared_results_are_those_of_computations_that_share_nothing(
    questions: list[tuple[int, Numbers, Numbers]], is_lasting: bool, most: int
) -> None:
    shared = Shared(most, is_lasting=is_lasting)
    for seed, one, two in questions:
        found = shared.result(seed, one, two, lambda x, y, s=seed: wander(s, x, y))  # type: ignore[misc]
        assert found == wander(seed, one, two)


def test_a_step_may_stand_on_another() -> None:
    shared = Shared(10_000)
    every = [Numbers(*one) for one in itertools.product(range(3), repeat=4)]
    for one, two in itertools.product(every[::4], every):
        assert shared.result(0, one, two, stairs) == stairs(one, two)
    assert shared.made < len(every[::4]) * len(every) / 4


def test_computations_of_all_inputs_are_far_fewer_than_inputs() -> None:
    shared = Shared(10_000)
    every = [Numbers(*one) for one in itertools.product(range(3), repeat=4)]
    for one, two in itertools.product(every[::5], every):
        assert shared.result(4, one, two, lambda x, y: wander(4, x, y)) == wander(4, one, two)
    assert shared.made < len(every[::5]) * len(every) / 4


def test_what_is_not_read_does_not_count_and_what_is_read_does() -> None:
    shared = Shared()

    def of(one: Numbers, two: Numbers) -> int:
        return one.a if two.b else -1

    assert [shared.result(0, Numbers(a), Numbers(c=a), of) for a in (5, 6)] == [-1, -1]
    assert shared.made == 1
    assert [shared.result(0, Numbers(a), Numbers(b=1), of) for a in (5, 6, 5)] == [5, 6, 5]
    assert shared.made == 3
    assert shared.result(1, Numbers(5), Numbers(b=1), of) == 5
    assert shared.made == 4


def test_a_result_of_nothing_is_a_result() -> None:
    shared = Shared()
    for _ in range(3):
        assert shared.result(0, Numbers(), Numbers(), lambda one, _: one.a) == 0
    assert shared.made == 1


def coarse(part: Numbers) -> int:
    """Depends on a step that reads ``b`` and on a tenth of it."""

    def take(made: int, given: Numbers) -> Value | None:
        if given.b < 0:
            raise MappingError("nothing below 0")
        return Value(made + given.b // 10, given.b) if given.b < 1000 else None

    found = take_step(part, lambda: part.a, take, lambda _: 1)
    value = take(part.a, part) if found is None else found
    return value.coarse if value else -1


def test_what_a_step_reads_counts_only_as_far_as_its_value_is_read() -> None:
    shared = Shared()

    def ask(b: int, a: int = 100) -> int:
        return shared.result(0, Numbers(), Numbers(a=a, b=b), lambda _, two: coarse(two))

    # the first time nobody knows that the step will be taken again
    assert [ask(b) for b in (1, 2)] == [100, 100]
    assert shared.made == 2
    assert [ask(b) for b in (3, 4, 9)] == [100, 100, 100]
    assert shared.made == 2
    assert [ask(b) for b in (10, 11, 25, 12)] == [101, 101, 102, 101]
    assert shared.made == 4
    assert [ask(b, a=200) for b in (3, 4, 9)] == [200, 200, 200]
    assert shared.made == 5


def test_a_step_that_fails_or_finds_nothing_fails_as_it_does_alone() -> None:
    shared = Shared()

    def ask(b: int) -> int:
        return shared.result(0, Numbers(), Numbers(b=b), lambda _, two: coarse(two))

    for _ in range(3):
        assert ask(5) == 0
        assert ask(2000) == -1
        with pytest.raises(MappingError, match="nothing below 0"):
            ask(-1)
        assert ask(15) == 1


def test_without_a_twin_nothing_is_remembered() -> None:
    made: list[int] = []

    def make() -> int:
        made.append(1)
        return 1

    for _ in range(3):
        assert take_step(Numbers(), make, taken, lambda _: 1) is None
    assert made == []


def test_a_lasting_input_is_as_good_as_an_equal_one() -> None:
    shared = Shared(is_lasting=True)

    def of(one: Numbers, two: Numbers) -> int:
        return one.a + coarse(two)

    for c in range(4):
        for b in range(4):
            assert shared.result(0, Numbers(1, c=c), Numbers(b=b), of) == 1
    assert shared.made <= 2 * 4


def test_results_beyond_the_room_are_made_again() -> None:
    shared = Shared(2)
    for _ in range(2):
        for a in range(4):
            assert shared.result(0, replace(Numbers(), a=a), Numbers(), lambda x, _: x.a) == a
    assert shared.made == 8


def test_what_a_step_has_made_is_gone_once_there_is_no_more_room_for_it() -> None:
    shared = Shared()
    shared.steps = Steps(3)
    made: list[weakref.ref[Numbers]] = []

    def table(a: int) -> Numbers:
        found = Numbers(a)
        made.append(weakref.ref(found))
        return found

    def of(_: Numbers, two: Numbers) -> int:
        value = take_step(two, lambda: table(two.a), lambda t, part: Value(t.a + part.b, 0), len_)
        return -two.a if value is None else value.coarse

    for a in range(20):
        assert shared.result(0, Numbers(), Numbers(a=a, b=1), of) == (a + 1 if a else 0)
    gc.collect()
    assert len(made) == 19
    assert sum(one() is not None for one in made) <= 3


def len_(_: Numbers) -> int:
    return 1
