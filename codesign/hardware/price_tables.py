"""Whether what components say of their energies are tables of joules, before anybody reads one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Real

from codesign.errors import OF_OTHERS, CodesignError, PluginError
from codesign.hardware.component import Component
from codesign.raised import raised


def check_tables(parts: Iterable[Component]) -> None:
    """Checks that every table of energies holds finite numbers by the names of actions.

    That none is below 0 is checked for the actions that are charged, see
    ``codesign.mapping.prices``.

    Args:
        parts: components of a machine.

    Raises:
        PluginError: a component fails to say, or says something else.
    """
    for part in parts:
        table = _table(part)
        for action, joules in table.items():
            if not isinstance(joules, Real) or not math.isfinite(joules):
                raise PluginError(
                    f"{part.name} ({part.kind}): the energy of action {action!r} must be a finite "
                    f"number of joules, got {joules!r:.60}; correct energies_j of kind "
                    f"{part.kind!r}"
                )


def _table(part: Component) -> Mapping[str, float]:
    try:
        table = part.energies_j()
    except CodesignError:
        raise
    except OF_OTHERS as error:  # a plugin may fail in any way; name it and say where
        told = raised(error, part, type(part).energies_j)
        raise PluginError(
            f"{part.name} ({part.kind}): raised {told}; run 'codesign plugins check' on its plugin"
        ) from error
    if not isinstance(table, Mapping):
        raise PluginError(
            f"{part.name} ({part.kind}): energies_j must return joules by action, "
            f"got {type(table).__name__}; correct energies_j of kind {part.kind!r}"
        )
    return table
