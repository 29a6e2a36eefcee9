"""What the hooks of a plugin return, by name; what no hook may return is told with its line."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from codesign import hookspecs
from codesign.errors import PluginError, did_you_mean
from codesign.hardware.component import Component
from codesign.hookspecs import HOOKS
from codesign.raised import class_place, defined_at

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_MARK = "codesign_impl"
"""What ``@hookimpl`` leaves on a function."""


def named_offers(result: Any, hook: str, function: Callable[..., Any]) -> list[tuple[str, Any]]:
    """What a hook returned, by name.

    Args:
        result: of the function.
        hook: its name.
        function: of the plugin.

    Raises:
        PluginError: no list or dict, as the hook asks for, a name that is no text, or a component
            class without a word as its kind; with the line.
    """
    at = f"{hook}{defined_at(function)}"
    if str(inspect.signature(getattr(hookspecs, hook)).return_annotation).startswith("Mapping"):
        if not isinstance(result, Mapping):
            raise PluginError(
                f"{at} must return a dict by name, {_got(result)}; write return {{...}}"
            )
        for name in result:
            if not isinstance(name, str) or not name:
                raise PluginError(
                    f"{at} must name what it offers in text, got {name!r:.60}; name it"
                )
        return list(result.items())
    if not isinstance(result, Sequence) or isinstance(result, str):
        raise PluginError(f"{at} must return a list, {_got(result)}; write return [...]")
    return [(_name(item), item) for item in result]


def wrong_hook(plugin: object) -> str:
    """The first function marked as a hook that is none, or takes arguments; empty if all are well.

    Args:
        plugin: a module, or whatever holds hooks.
    """
    for name in dir(plugin):
        function = getattr(plugin, name, None)
        if getattr(function, _MARK, None) is None or not callable(function):
            continue
        if name not in HOOKS:
            return f"unknown hook {name!r}{defined_at(function)}{did_you_mean(name, HOOKS)}"
        asked = list(inspect.signature(function).parameters)
        if asked:
            return (
                f"hook {name!r}{defined_at(function)} takes the argument {asked[0]!r}; "
                f"a hook takes no arguments: write def {name}()"
            )
    return ""


def _name(item: Any) -> str:
    """The kind of a component class; the text of anything else."""
    is_class = isinstance(item, type) and issubclass(item, Component)
    kind = getattr(item, "kind", None)
    if is_class and not (isinstance(kind, str) and _WORD.fullmatch(kind)):
        got = "none" if kind is None else repr(kind)[:60]
        raise PluginError(
            f"{class_place(item)}class {item.__qualname__} must have a kind, the word that "
            f"hardware files write, got {got}; write kind: ClassVar[str] = "
            f'"my_{item.__name__.lower()}"'
        )
    return kind if isinstance(kind, str) else str(item)


def _got(result: object) -> str:
    is_short = result is None or isinstance(result, (bool, int, float, str))
    return f"got {repr(result)[:60] if is_short else type(result).__name__}"
