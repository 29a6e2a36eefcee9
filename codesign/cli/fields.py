"""What can be set on a component kind, read from the class itself."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from codesign.hardware.component import Component
from codesign.units import Unit

_ENTRY = re.compile(r"^    (\w+): ", re.MULTILINE)
_WORDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One value of a component kind.

    Attributes:
        name: key in the hardware file.
        type: what may stand there, in words.
        unit: SI unit of a bare number; empty where there is none.
        default: value if the file leaves it out; None where the file must give it.
        doc: what it means.
    """

    name: str
    type: str
    unit: str
    default: str | None
    doc: str


def fields_of(kind: type[Component]) -> tuple[Field, ...]:
    """The fields of a component kind, required ones first, without its name."""
    hints = get_type_hints(kind, include_extras=True)
    docs = _documented(kind)
    found = [
        Field(
            field.name,
            _type(hints[field.name]),
            _unit(hints[field.name]),
            _default(field),
            docs.get(field.name, ""),
        )
        for field in dataclasses.fields(kind)
        if field.name != "name"
    ]
    return tuple(sorted(found, key=lambda field: field.default is not None))


def first_line(value: object) -> str:
    """The first line of a docstring; empty where there is none."""
    return (inspect.getdoc(value) or "").partition("\n")[0]


def _documented(kind: type[Component]) -> dict[str, str]:
    docs: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        text = inspect.cleandoc(base.__doc__ or "")
        _, _, section = text.partition("Attributes:\n")
        parts = _ENTRY.split(section)
        docs |= {
            name: " ".join(doc.replace("``", "").split())
            for name, doc in zip(parts[1::2], parts[2::2], strict=True)
        }
    return docs


def _type(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _type(arguments[0])
    if origin in (Union, UnionType):  # a field that may be left open
        return _type(arguments[0])
    if origin is Literal:
        return " or ".join(map(str, arguments))
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"table of {_type(arguments[1])}"
    return _WORDS.get(hint, getattr(hint, "__name__", str(hint)))


def _unit(hint: Any) -> str:
    symbols = [part.symbol for part in get_args(hint) if isinstance(part, Unit)]
    symbols += [unit for part in get_args(hint) if (unit := _unit(part))]
    return symbols[0] if symbols and symbols[0] != "1" else ""


def _default(field: dataclasses.Field[Any]) -> str | None:
    if field.default_factory is not dataclasses.MISSING:
        made = field.default_factory()
        return f"{len(made)} entries" if isinstance(made, Mapping) and made else str(made)
    if field.default is dataclasses.MISSING:
        return None
    if field.default is None:
        return "none"
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
