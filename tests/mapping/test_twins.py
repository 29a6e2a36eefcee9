"""Twins answer as their origins do, and note all that is read of them."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import pytest
from toy_machine import priced

from codesign.hardware.component import Component, Engine, Memory
from codesign.hardware.fields_only import fields_only
from codesign.hardware.plan import Budget, Store
from codesign.hardware.spec import list_hardware, load_hardware
from codesign.mapping.twins import Watch, watch_of
from codesign.testing import elementwise

STORES = (Store("sram", 100, 1.0, 2.0), Store("dram", 1000, 3.0, 4.0))
BUDGET = Budget(100, 1e9, 2e9, resident=(True, False), stores=STORES)


@fields_only
@dataclass(frozen=True)
class Box:
    """A record with all that a plugin may do to itself."""

    width: int = 2
    height: float = 3.0
    table: Mapping[str, int] = field(default_factory=lambda: {"a": 1, "b": 2})

    @property
    def area(self) -> float:
        return self.width * self.height

    @cached_property
    def volume(self) -> float:
        return self.area * 2

    @lru_cache(maxsize=8)  # noqa: B019 - a plugin may do so
    def doubled(self) -> int:
        return 2 * self.width

    def wider(self) -> Box:
        return type(self)(self.width + 1, self.height)

    def taller(self) -> Box:
        return dataclasses.replace(self, height=9.0)


def every_component() -> Iterator[Component]:
    for preset in list_hardware():
        yield from load_hardware(preset.name).components.values()


def names(watch: Watch[Any]) -> set[str]:
    """First steps of all that was read."""
    return {str(path[0]) for path in watch.read if path}


def test_twins_of_all_components_answer_alike() -> None:
    for part in every_component():
        twin = Watch(part).twin
        assert twin == part
        assert part == twin
        if _is_hashable(part):
            assert hash(twin) == hash(part)
        assert isinstance(twin, type(part))
        assert twin.__class__ is type(part)
        assert (twin.name, twin.kind, twin.notes) == (part.name, part.kind, part.notes)
        assert twin.energies_j() == part.energies_j()
        if isinstance(part, Memory):
            assert isinstance(twin, Memory)
            assert (twin.alignment, twin.rests) == (part.alignment, part.rests)
        if isinstance(part, Engine):
            assert isinstance(twin, Engine)
            assert twin.supports(elementwise((8,))) == part.supports(elementwise((8,)))


def _is_hashable(part: Component) -> bool:
    try:
        hash(part)
    except TypeError:
        return False
    return True


def test_nothing_is_noted_before_something_is_read() -> None:
    watch = Watch(priced(elementwise=5))
    twin = watch.twin
    assert not watch.read
    assert twin.tile == 1
    assert names(watch) == {"tile"}
    assert twin.supports(elementwise((4,))) is None
    assert names(watch) == {"tile", "cycles"}


def test_methods_and_properties_note_what_they_read() -> None:
    watch = Watch(Box())
    assert watch.twin.area == 6.0
    assert names(watch) == {"width", "height"}


def test_whoever_compares_or_hashes_a_twin_reads_all_of_it() -> None:
    watch = Watch(BUDGET)
    assert watch.twin == BUDGET
    assert names(watch) == {one.name for one in dataclasses.fields(Budget)}
    hashed = Watch(BUDGET)
    assert hash(hashed.twin) == hash(BUDGET)
    assert names(hashed) == names(watch)


def test_of_records_of_codesign_in_a_tuple_only_what_is_read_counts() -> None:
    watch = Watch(BUDGET)
    assert watch.twin.stores[-1].memory == "dram"
    assert watch.twin.stores[-1].memory == "dram"
    assert set(watch.read) == {("stores", "kinds of"), ("stores", 1, "memory")}
    sent = pickle.loads(pickle.dumps(watch.twin.stores))  # our own bytes
    assert [type(one) for one in sent] == [Store, Store]
    assert sent == STORES
    assert ("stores", 0) in watch.read


@fields_only
@dataclass(frozen=True)
class Levels:
    """Holds records of its own."""

    levels: tuple[Box, ...] = (Box(),)


def test_records_of_others_in_a_field_are_given_as_they_are_and_count_as_a_whole() -> None:
    watch = Watch(Levels())
    assert watch.twin.levels is watch.part.levels
    assert set(watch.read) == {("levels",)}
    assert watch.content.look(("levels",)) != Watch(Levels((Unpromised(),))).content.look(
        ("levels",)
    )


def test_a_method_of_a_budget_reads_what_it_needs() -> None:
    watch = Watch(BUDGET)
    assert [watch.twin.is_resident(0), watch.twin.share(0)] == [True, 1.0]
    assert names(watch) == {"resident", "shares"}


def test_what_is_cached_by_an_object_or_beside_it_is_right_and_read() -> None:
    watch = Watch(dataclasses.replace(Box(), table=()))  # type: ignore[arg-type]  # hashable
    twin = watch.twin
    assert [twin.volume, twin.volume, twin.doubled(), twin.doubled()] == [12.0, 12.0, 4, 4]
    assert names(watch) == {"width", "height", "table"}


def test_that_there_is_no_attribute_is_noted_as_well() -> None:
    watch = Watch(Box(width=4))
    assert getattr(watch.twin, "nowhere", 7) == 7
    assert names(watch) == {"nowhere"}


@fields_only
@dataclass(frozen=True)
class Shadowing:
    """Sets an attribute that its class has too."""

    width: int = 2
    made = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "made", 10.0 * self.width)


def test_who_sets_more_than_fields_has_no_twin_whatever_it_promises() -> None:
    watch, other = Watch(Shadowing()), Watch(Shadowing())
    assert watch.twin is watch.part
    assert watch.twin.made == 20.0
    assert watch.content.look(()) != other.content.look(())


@dataclass(frozen=True)
class Unpromised(Box):
    """Derives from who has promised, and may do as it likes."""

    def is_exact(self) -> bool:
        return type(self) is Unpromised


def test_who_derives_promises_anew() -> None:
    watch = Watch(Unpromised())
    assert watch.twin is watch.part
    assert watch.twin.is_exact()
    assert watch.content.look(()) == Watch(Unpromised()).content.look(())
    assert watch.content.look(()) != Watch(Unpromised(3)).content.look(())


def sent(twin: Box) -> Box:
    """What another process gets."""
    found: Box = pickle.loads(pickle.dumps(twin))  # our own bytes
    return found


def test_who_copies_or_sends_a_twin_gets_its_origin_and_reads_all_of_it() -> None:
    for made in (copy.copy, copy.deepcopy, sent):
        watch = Watch(Box(width=5, table={}))
        found = made(watch.twin)
        assert type(found) is Box
        assert found == watch.part
        assert () in watch.read


def test_all_attributes_at_once_are_all_fields() -> None:
    watch = Watch(Box())
    assert vars(watch.twin)["height"] == 3.0
    assert names(watch) == {"width", "height", "table"}


def test_what_is_made_from_a_twin_is_no_twin() -> None:
    watch = Watch(Box())
    for made in (watch.twin.wider(), watch.twin.taller(), copy.copy(Box())):
        assert watch_of(made) is None
        assert type(made) is Box
    assert watch_of(watch.twin) is watch
    assert watch.twin.wider() == Box(3)
    assert watch.twin.taller() == Box(height=9.0)


def test_a_twin_cannot_be_changed() -> None:
    twin = Watch(Box()).twin
    with pytest.raises(AttributeError):
        twin.width = 3  # type: ignore[misc]


class Plain:
    """No record."""


@fields_only
@dataclass(frozen=True)
class Secretive:
    """Answers whatever it is asked."""

    width: int = 1

    def __getattr__(self, name: str) -> str:
        return name


@fields_only
@dataclass(frozen=True)
class Registered:
    """Notes all classes that are derived from it."""

    width: int = 1
    known: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        raise AssertionError("nobody may derive from this")


@pytest.mark.parametrize("kind", [Plain, Secretive, Registered])
def test_what_can_have_no_twin_is_given_as_it_is_and_all_of_it_counts(kind: type) -> None:
    part = kind()
    watch, other = Watch(part), Watch(kind())
    assert watch.twin is part
    ((path, value),) = watch.read.items()
    assert path == ()
    assert watch.content.look(path) == value
    assert (other.content.look(path) == value) is dataclasses.is_dataclass(kind)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        ((1, 2), [1, 2]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ("1", 1),
        (None, 0),
        (Box(), Box(width=3)),
        pytest.param(object(), object(), id="objects"),
    ],
    ids=repr,
)
def test_values_that_a_plugin_can_tell_apart_are_not_equal(one: object, other: object) -> None:
    held, differs = (Watch(Box(table=value)) for value in (one, other))  # type: ignore[arg-type]
    path = ("table",)
    assert held.content.look(path) == Watch(Box(table=one)).content.look(path)  # type: ignore[arg-type]
    assert held.content.look(path) != differs.content.look(path)
    assert held.content.whole != differs.content.whole


def test_what_is_not_there_equals_nothing_that_is() -> None:
    bare = Watch(Budget(1, 1.0, 1.0))
    full = Watch(BUDGET)
    assert bare.content.look(("nowhere",)) == full.content.look(("nowhere",))
    assert bare.content.look(("nowhere",)) != bare.content.look(("stores",))


def test_what_is_held_at_paths_comes_in_their_order() -> None:
    watch, paths = Watch(Box(2, 5.0)), (("height",), ("width",))
    for order in (paths, paths[::-1], paths):
        assert watch.content.held(order) == tuple(watch.content.look(path) for path in order)
    assert (watch.twin.width, watch.twin.height) == (2, 5.0)
    other = Watch(Box())
    assert (other.twin.height, other.twin.width) == (3.0, 2)
    assert watch.paths == other.paths == paths
