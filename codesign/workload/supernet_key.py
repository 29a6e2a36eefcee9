"""What makes two blocks the same: their options and the shapes that they are called with."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from numbers import Number
from typing import Any

from codesign.errors import CaptureError
from codesign.workload.supernet_part import Shape


def spelled(options: Mapping[str, Any], arguments: tuple[Any, ...]) -> str:
    """What a block is, but for what builds it: one text for equal blocks, others for others.

    Args:
        options: keyword arguments: None, truth values, numbers, texts, and tuples, lists, mappings
            and dataclasses of them.
        arguments: shapes that it is called with, and tuples of them.

    Raises:
        CaptureError: an option whose content nobody knows.
    """
    told = {name: _described(options[name], f"option {name!r}") for name in sorted(options)}
    return json.dumps({"options": told, "arguments": _shapes(arguments)})


def _described(value: Any, place: str) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, (Number, str)):  # of numpy, or of an enumeration
        return {"class": _name(value), "text": repr(value)}
    if isinstance(value, tuple):
        return {"tuple": [_described(part, place) for part in value]}
    if isinstance(value, list):
        return [_described(part, place) for part in value]
    if isinstance(value, Mapping):
        return {"map": [[_described(part, place) for part in pair] for pair in value.items()]}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field.name for field in dataclasses.fields(value)]
        parts = [[name, _described(getattr(value, name), place)] for name in fields]
        return {"class": _name(value), "fields": parts}
    raise CaptureError(
        f"{place} must be a number, a text, or a tuple or dataclass of them, got "
        f"{repr(value)[:60]}; give the block what it takes to make it"
    )


def _name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _shapes(arguments: Any) -> Any:
    if isinstance(arguments, Shape):
        return [arguments.format, arguments.extents, arguments.strides]
    return [_shapes(argument) for argument in arguments]
