"""From the nodes of a hardware file to typed components, every mistake told in one line."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from inspect import signature
from typing import Any, cast, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from codesign.energy import Estimated
from codesign.errors import (
    OF_OTHERS,
    CodesignError,
    EnergyError,
    HardwareError,
    PluginError,
    did_you_mean,
)
from codesign.hardware.component import Component
from codesign.hardware.estimates import DEFAULT, Resolver, follow, origin
from codesign.hardware.provenance import Leaf, Provenance, read_field
from codesign.hardware.refusals import Lines, bad_default, explain, refusal
from codesign.hardware.surroundings import Surroundings
from codesign.hardware.yaml_source import Node
from codesign.raised import class_place, raised

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def build_component(
    name: str,
    node: Node,
    kinds: Mapping[str, type[Component]],
    label: str,
    around: Surroundings,
) -> tuple[Component, list[Leaf]]:
    """Builds one entry of ``components``.

    Args:
        name: its key.
        node: its value, a map with ``kind`` and fields.
        kinds: component classes by kind.
        label: what errors call the file.
        around: what its values may refer to.

    Raises:
        HardwareError: an unknown kind or field, a wrong unit or value; with the line.
    """
    entries = node.value
    place = f"{label}:{node.line}: "
    if not _NAME.fullmatch(name):
        raise HardwareError(f"{place}a component name must be a word, got {name[:60]!r}; rename it")
    if not isinstance(entries, dict) or "kind" not in entries:
        raise HardwareError(f"{place}component {name!r} needs a map with a kind; add 'kind: ...'")
    kind = entries["kind"].text[:60]
    if kind not in kinds:
        line = entries["kind"].line
        hint = did_you_mean(kind, kinds)
        raise HardwareError(
            f"{label}:{line}: unknown kind {kind!r} for component {name!r}{hint}{around.lost}; "
            "a kind of your own needs its folder in --plugins (plugins=)"
        )
    values: dict[str, object] = {}
    leaves: list[Leaf] = []
    resolve = Resolver(kinds[kind], name, label, around.tables)
    for key, entry in entries.items():
        if key != "kind":
            check_field(key, name, kinds[kind], f"{label}:{entry.line}: ")
            values[key], found = read_field(entry, name, key, label, resolve)
            leaves += found
    lines = {leaf.path: leaf.line for leaf in leaves} | {
        (key,): entry.line for key, entry in entries.items()
    }
    component = make(kinds[kind], name, values, Lines(label, node.line, lines), around)
    rest = left_out(component, values)
    left = [Leaf(tuple(row.field.split(".", 1)), node.line, row) for row in rest]
    return component, [*leaves, *left]


def left_out(component: Component, given: Collection[str]) -> Iterator[Provenance]:
    """Origins of the fields that nobody gave: no number comes from nowhere."""
    source = f"{DEFAULT}{component.kind}"
    for field in fields(component):
        value = getattr(component, field.name)
        entries = value.items() if isinstance(value, Mapping) else [("", value)]
        for key, entry in entries if field.name not in ("name", *given) else ():
            path = (field.name, key) if key else (field.name,)
            if isinstance(entry, Estimated):
                yield origin(component.name, path, entry.estimate)
            elif entry is not None:
                yield Provenance(component.name, ".".join(path), str(entry), source, "assumed")


def make(
    cls: type[Component],
    name: str,
    values: Mapping[str, object],
    lines: Lines,
    around: Surroundings,
) -> Component:
    """Builds a component of a class from its field values, and lets it check itself.

    Args:
        cls: its class.
        name: its name.
        values: the fields that are given; others follow from them or keep their defaults.
        lines: where they are in the file.
        around: what its values may refer to; validators get it as their context.

    Raises:
        HardwareError: a value of the wrong type or unit or out of its range, or one that has no
            estimate.
    """
    validator = adapter(cls)
    try:
        component = validator.validate_python({**values, "name": name}, context=around)
        _check(component)
        return follow(component, values, around.tables)
    except ValidationError as error:
        raise refusal(error, cls, name, {"name", *values}, lines) from error
    except EnergyError as error:
        raise HardwareError(f"{lines.place()}{name}: {error}") from error
    except PluginError:
        raise
    except CodesignError as error:
        raise HardwareError(f"{lines.place()}{error}") from error
    except OF_OTHERS as error:  # a plugin may fail in any way; name it and say where
        told = raised(error, cls)
        raise PluginError(f"{lines.place()}{name} ({cls.kind}): raised {told}; mend it") from error


def _check(component: Component) -> None:
    """Lets a component check itself; an answer is a fault that its author forgot to raise."""
    answer: object = cast(Any, component).check()
    if answer is not None:
        raise PluginError(
            f"{class_place(type(component))}check() of {type(component).__qualname__} must raise a "
            f"HardwareError where something is wrong and return nothing, got {answer!r:.60}; raise "
            "it"
        )


def check_defaults(cls: type[Component]) -> None:
    """Checks that the defaults of a class keep the rules of their own fields.

    Args:
        cls: class of a component.

    Raises:
        PluginError: one does not, or a field has a type that cannot be checked; with the file and
            line of the class.
    """
    validator = adapter(cls)
    try:
        validator.validate_python({"name": cls.kind}, context=Surroundings())
    except ValidationError as error:
        found = bad_default(error, cls, ("name",))
        if found is not None:
            raise found from error
    except OF_OTHERS:  # what it computes from fields is looked at where it has all of them
        return


def check_alone(
    cls: type[Component], name: str, field: str, value: object, around: Surroundings
) -> None:
    """Checks a value by the type of its field alone, whatever the other fields are.

    Args:
        cls: class of the component.
        name: of the component.
        field: one of its fields.
        value: for it.
        around: what the value may refer to.

    Raises:
        HardwareError: no other values can mend it. One that needs others to be judged passes.
    """
    try:
        _field_adapter(cast(Any, cls), field).validate_python(value, context=around)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise HardwareError(explain(first, name, cls.kind, field)) from error
    except CodesignError:
        raise
    except OF_OTHERS:  # such as a validator of a plugin that asks for the other fields
        return


@lru_cache(maxsize=256)
def _field_adapter(cls: Any, field: str) -> TypeAdapter[Any]:
    return TypeAdapter(get_type_hints(cls, include_extras=True)[field])


def adapter(cls: type[Component]) -> TypeAdapter[Component]:
    """The validator of a component class.

    Raises:
        PluginError: the class is no dataclass, or has a field of a type that cannot be checked.
    """
    return _adapter(cast(Any, cls))  # mypy takes __hash__ of the class for that of its instances


@lru_cache(maxsize=256)
def _adapter(cls: Any) -> TypeAdapter[Component]:
    lost = {field.name for field in fields(cls) if field.init} - {
        *signature(cls.__init__).parameters
    }
    if lost:
        raise PluginError(
            f"{class_place(cls)}kind {cls.kind!r} ({cls.__qualname__}): its __init__ does not take "
            f"{sorted(lost)[0]!r}; leave __init__ to the dataclass, and do the rest in check()"
        )
    try:
        return TypeAdapter(cls)
    except (PydanticUserError, NameError, TypeError) as error:
        cause = str(error).splitlines()[0]
        raise PluginError(
            f"{class_place(cls)}kind {cls.kind!r} ({cls.__qualname__}): {cause}; mend it"
        ) from error


def check_field(field: str, name: str, cls: type[Component], place: str = "") -> None:
    """Raises a HardwareError if a component class has no such field."""
    known = [entry.name for entry in fields(cls) if entry.name != "name"]
    if field not in known:
        hint = did_you_mean(field[:60], known)
        raise HardwareError(f"{place}unknown field {field[:60]!r} for {name} ({cls.kind}){hint}")
