"""Parts that come with components and have no entry of their own in a hardware file."""

from __future__ import annotations

from collections.abc import Mapping

from codesign.errors import OF_OTHERS, CodesignError, PluginError
from codesign.hardware.component import Component
from codesign.raised import raised


def with_brought(components: Mapping[str, Component]) -> dict[str, Component]:
    """Components, each followed by what it brings; what was brought before is brought anew.

    Args:
        components: by name; a dot in a name says that it was brought.

    Raises:
        PluginError: a part that is not named after who brings it, or that brings others.
    """
    found: dict[str, Component] = {}
    for name, part in components.items():
        if "." in name:
            continue
        found[name] = part
        for brought in _brought(part):
            owner, dot, word = brought.name.partition(".")
            if owner != name or not dot or not word or brought.name in found:
                raise PluginError(
                    f"{name} ({part.kind}) brings a part named {brought.name!r}; its name must be "
                    f'"{name}." and a word of its own: mend the plugin'
                )
            if brought.brings:
                raise PluginError(
                    f"{brought.name} ({brought.kind}) is brought by {name} and brings others; "
                    f"let {name} bring all of them"
                )
            found[brought.name] = brought
    return found


def _brought(part: Component) -> tuple[Component, ...]:
    """What a component brings.

    Raises:
        PluginError: it fails to say, or says something else than parts.
    """
    try:
        found = part.brings
    except CodesignError:
        raise
    except OF_OTHERS as error:  # a plugin may fail in any way; name it
        told = raised(error, part)
        raise PluginError(f"{part.name} ({part.kind}): brings raised {told}; mend it") from error
    if isinstance(found, tuple) and all(isinstance(one, Component) for one in found):
        return found
    raise PluginError(
        f"{part.name} ({part.kind}): brings must be a tuple of components, got {found!r:.80}; "
        "mend the plugin"
    )
