"""Kinds of components that codesign does not ship: nobody but their author answers for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from codesign.errors import OF_OTHERS, CodesignError, PluginError
from codesign.hardware.component import Component
from codesign.hardware.own_answers import check_answers
from codesign.hardware.surroundings import Surroundings
from codesign.plugin_choice import Source
from codesign.plugins import registry
from codesign.raised import frames, place_of, raised

if TYPE_CHECKING:
    from codesign.hardware.machine import Hardware


def own_kind_notes(machine: Hardware) -> tuple[str, ...]:
    """One line for each kind of a machine that does not ship with codesign.

    Who ships a kind is what the registry has found: the plugin that offers it. What a component
    brings is answered for by who brings it.

    Args:
        machine: whose parts are looked at.
    """
    parts: dict[type[Component], list[str]] = {}
    for name, part in machine.components.items():
        if "." not in name:
            parts.setdefault(type(part), []).append(name)
    return tuple(
        f"{', '.join(names)}: {told}"
        for cls, names in parts.items()
        for told in _told(cls, machine.around)
    )


@contextmanager
def own_faults(machine: Hardware) -> Iterator[None]:
    """Whatever a component that codesign does not ship raises is told as its error.

    It is asked first what every run asks it, so that no wrong answer travels.

    Args:
        machine: whose components are asked inside.

    Raises:
        PluginError: names the component, its kind, what it raised or answered, and where.
    """
    for own in machine.components.values():
        if any(_told(type(own), machine.around)):
            check_answers(own)
    try:
        yield
    except CodesignError:
        raise
    except OF_OTHERS as error:  # a plugin may fail in any way; name it and say where
        part = _at_fault(error, machine.around)
        if part is None:
            raise
        raise PluginError(
            f"{part.name} ({part.kind}): raised {raised(error, part)}; run "
            "'codesign plugins check' on its plugin"
        ) from error


def _at_fault(error: BaseException, around: Surroundings) -> Component | None:
    """The component that does not ship in whose method an error arose; None if there is none.

    The innermost whose own code the error came through, else the innermost that ours worked on.
    """
    found = []
    for frame, _ in reversed([*frames(error)]):
        given = frame.f_code.co_varnames[: frame.f_code.co_argcount]
        part = frame.f_locals.get(given[0]) if given else None
        if isinstance(part, Component) and any(_told(type(part), around)):
            found.append(part)
    own = (part for part in found if place_of(error, part))
    return next(own, found[0] if found else None)


def _told(cls: type[Component], around: Surroundings) -> Iterator[str]:
    """That a class is somebody's own; nothing where it ships."""
    what = f"own kind {cls.kind!r}"
    beyond = "nothing that codesign validates covers it; hold it to the promises of plugins with"
    source = around.own.get(cls.kind) if around.own is not None else None
    if source is not None:
        yield f"{what} ({_from(source)}): {beyond} 'codesign plugins check {_word(source)}'"
    elif around.own is None and not _is_shipped(cls):  # a machine made in Python
        yield f"{what} (class {cls.__qualname__} of {cls.__module__}): {beyond} codesign.testing"


def _from(source: Source) -> str:
    if source.distribution:
        return f"plugin {source.name} of {source.distribution} {source.version}".rstrip()
    return f"plugin {source.name} from {source.origin}"


def _word(source: Source) -> str:
    return source.name if source.distribution else source.origin


def _is_shipped(cls: type[Component]) -> bool:
    found = registry()
    offer = found.offers("codesign_components").get(cls.kind)
    return offer is not None and offer.value is cls and cls.kind not in found.own_kinds()
