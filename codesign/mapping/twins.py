"""Twins of frozen inputs, which note what a computation reads of them.

A plan, a replay and a count of charges are pure functions of frozen inputs, of which they look at
some fields only; which ones, nobody but the plugin knows. So a computation is given twins: objects
of the same class that answer alike, and note each field that is read. What a twin has computed and
keeps by itself stays right too, since it never forgets what was read of it. Only who promises to
compute from fields alone gets a twin (``codesign.fields_only``, and records of codesign itself);
anything else is given as it is, and all of it counts as read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast

from codesign.hardware.component import Component
from codesign.hardware.fields_only import is_fields_only
from codesign.mapping.kept import KeptOf

if TYPE_CHECKING:
    from codesign.mapping.recall import Computation

T = TypeVar("T")

Path: TypeAlias = "tuple[str | int, ...]"
"""Where in an input something was read: names of fields, numbers in tuples; nothing for all."""

_KINDS = "kinds of"
"""Last step of a path to the classes of what is in a tuple."""

_OWN = "codesign."
"""Where the package of a record of codesign itself begins."""
_ABSENT = object()


class Content:
    """What an input holds, as values that can be compared and hashed."""

    def __init__(self, part: object) -> None:
        self._part = part
        self._looked: dict[Path, object] = {}
        self._held: dict[tuple[Path, ...], tuple[object, ...]] = {}

    def look(self, path: Path) -> object:
        """What the input holds at a path."""
        if path not in self._looked:
            self._looked[path] = _look(self._part, path)
        return self._looked[path]

    def held(self, paths: tuple[Path, ...]) -> tuple[object, ...]:
        """What it holds at several paths, in their order."""
        if paths not in self._held:
            self._held[paths] = tuple([self.look(path) for path in paths])
        return self._held[paths]

    @cached_property
    def whole(self) -> object:
        """All of it."""
        return _frozen(self._part)


class Watch(Generic[T]):
    """An input with all that has been read of it.

    Attributes:
        part: the input, frozen.
        content: what it holds.
        read: what was read of its twin, by path.
        is_lasting: whether the twin is given to one computation after the other.
        reader: the one that it was given to last, where that goes step by step.
    """

    def __init__(
        self, part: T, content: Content | None = None, *, is_lasting: bool = False
    ) -> None:
        self.part, self.is_lasting = part, is_lasting
        self.content = content or Content(part)
        self.read: dict[Path, object] = {}
        self.reader: Computation[Any] | None = None
        self._twin: T | None = None

    @property
    def twin(self) -> T:
        """What to give to a computation in the place of the input."""
        if self._twin is None:
            self._twin = _twin(self.part, self, ())
        return self._twin

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where something was read, in an order that does not depend on when."""
        return tuple(sorted(self.read, key=str))

    def note(self, path: Path) -> None:
        """Notes that something is read."""
        self.read[path] = self.content.look(path)


def watch_of(part: object) -> Watch[Any] | None:
    """Who notes what is read of a twin; None for anything else."""
    reading = getattr(part, "_reading", None)
    return reading.watch if isinstance(reading, _Reading) else None


def watches(most: int) -> KeptOf[T, Watch[T]]:
    """Watches that last, each of a thing that many computations are given.

    Args:
        most: things that are kept.
    """
    return KeptOf(most, lambda part: Watch(part, is_lasting=True))


# -- values ------------------------------------------------------------------------------------


class _Same:
    """Anything that cannot be told apart by its content: equal to itself only."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def _look(part: object, path: Path) -> object:
    value: Any = part
    try:
        for step in path:
            if step is _KINDS:
                value = tuple([type(one) for one in value])
            else:
                value = value[step] if isinstance(step, int) else getattr(value, step)
    except (AttributeError, IndexError, TypeError):
        return _ABSENT
    return _frozen(value)


def _frozen(value: Any) -> object:
    """A value by its content: equal ones cannot be told apart, not even 1 from 1.0."""
    kind = type(value)
    if kind in (int, str, bool, bytes, type(None)):
        return kind, value
    if kind is float:
        return kind, value.hex()  # 0.0 is not -0.0
    if kind in (tuple, list):
        return kind, tuple([_frozen(one) for one in value])
    if kind is dict:  # in its order, which a loop may see
        return kind, tuple([(_frozen(key), _frozen(one)) for key, one in value.items()])
    if dataclasses.is_dataclass(kind) and _is_all_fields(value):
        names = [field.name for field in dataclasses.fields(kind)]
        return kind, tuple([_frozen(getattr(value, name)) for name in names])
    return _Same(value)


def _is_all_fields(value: Any) -> bool:
    """Whether a record holds its fields and what follows from them, and nothing else."""
    kind = type(value)
    if not hasattr(value, "__dict__"):
        slots = {name for base in kind.__mro__ for name in vars(base).get("__slots__", ())}
        return slots - {"__weakref__"} <= {field.name for field in dataclasses.fields(kind)}
    fields = {field.name for field in dataclasses.fields(kind)}
    others = [name for name in vars(value) if name not in fields]
    return all(isinstance(getattr(kind, name, None), cached_property) for name in others)


# -- twins -------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """What a twin stands for, who notes what is read of it, its path, and what it has given."""

    origin: Any
    watch: Watch[Any]
    path: Path
    given: dict[str, Any]


def _twin(part: Any, watch: Watch[Any], path: Path) -> Any:
    """A twin of who may have one; anything else as it is, as if all of it were read."""
    kind = _twin_class(cast(Any, type(part)))  # mypy takes its __hash__ for that of instances
    if kind is None or not _is_all_fields(part):
        watch.note(path)
        return part
    twin: Any = object.__new__(kind)
    object.__setattr__(twin, "_reading", _Reading(part, watch, path, {}))
    return twin


def _is_own_record(kind: type) -> bool:
    """Whether a class is a record of codesign itself, and no component."""
    is_own = kind.__module__.startswith(_OWN) and not issubclass(kind, Component)
    return is_own and dataclasses.is_dataclass(kind)


def _may_have_twin(kind: type) -> bool:
    return _is_own_record(kind) or (dataclasses.is_dataclass(kind) and is_fields_only(kind))


@lru_cache(maxsize=512)
def _twin_class(kind: Any) -> type | None:
    """A class whose instances take their fields from others and note it; None if there is none."""
    has_own_ways = hasattr(kind, "__getattr__") or hasattr(kind.__init_subclass__, "__func__")
    if not _may_have_twin(kind) or has_own_ways:
        return None
    names = tuple(field.name for field in dataclasses.fields(kind))
    space: dict[str, Any] = {name: property(_reader(name)) for name in names}
    space |= {
        "__slots__": ("_reading",),
        "__new__": lambda _, *args, **kwargs: kind(*args, **kwargs),
        "__class__": property(lambda _: kind),
        "__getattr__": _other,
        # who copies or sends a twin gets what it stands for
        "__copy__": _origin,
        "__deepcopy__": lambda twin, _: _origin(twin),
        "__reduce_ex__": lambda twin, _: (_itself, (_origin(twin),)),
    }
    own = next((vars(base)["__dict__"] for base in kind.__mro__ if "__dict__" in vars(base)), None)
    if own is not None:
        space["__dict__"] = property(lambda twin: _filled(own.__get__(twin), twin, names))
    try:
        made: type = type(kind)(kind.__name__, (kind,), space)
    except TypeError:  # a class that nobody may derive from, or only in its own way
        return None
    return made


def _reader(name: str) -> Callable[[Any], Any]:
    def read(twin: Any) -> Any:
        reading: _Reading = twin._reading
        if name not in reading.given:
            value = getattr(reading.origin, name)
            reading.given[name] = _given(value, reading.watch, (*reading.path, name))
        return reading.given[name]

    return read


def _given(value: Any, watch: Watch[Any], path: Path) -> Any:
    """What is read at a path; of records of codesign in a tuple, what is read of each."""
    if type(value) is tuple and value and all(_is_own_record(type(one)) for one in value):
        watch.note((*path, _KINDS))
        return tuple([_twin(one, watch, (*path, n)) for n, one in enumerate(value)])
    watch.note(path)
    return value


def _other(twin: Any, name: str) -> Any:
    """An attribute that is no field; that there is none of a name is noted, too."""
    reading: _Reading = twin._reading
    reading.watch.note((*reading.path, name))
    return getattr(reading.origin, name)


def _origin(twin: Any) -> Any:
    """What a twin stands for: whoever gets it may read all of it."""
    reading: _Reading = twin._reading
    reading.watch.note(reading.path)
    return reading.origin


def _itself(part: Any) -> Any:
    return part


def _filled(own: dict[str, Any], twin: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """The attributes of a twin, among them all fields: whoever asks for them may read any."""
    for name in names:
        own.setdefault(name, getattr(twin, name))
    return own
