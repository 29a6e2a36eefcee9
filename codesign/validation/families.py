"""The families that plugins offer, and what came out of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codesign.errors import PluginError, ValidationError, did_you_mean
from codesign.plugins import Offer, registry
from codesign.validation.contract import Case, NotRun, Outcome, Validation
from codesign.validation.summary import Summary, summaries

HOOK = "codesign_validations"


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyResult:
    """What came out of one family.

    Attributes:
        family: its name.
        plugin: who offers it.
        validation: its title, source and note.
        cases: every comparison, in the order of the references.
        not_run: what was not compared, with reasons.
    """

    family: str
    plugin: str
    validation: Validation[Any]
    cases: tuple[Case, ...]
    not_run: tuple[NotRun, ...]

    @property
    def summaries(self) -> tuple[Summary, ...]:
        """Errors by quantity."""
        return summaries(self.cases)


def find_validations(plugins: Sequence[Path | str] = ()) -> dict[str, Offer]:
    """The families that plugins offer, by name; the value of an offer is its ``Validation``.

    Args:
        plugins: folders of plugin files.

    Raises:
        PluginError: a plugin that cannot be loaded, two families of one name, or something else
            than a ``Validation``.
    """
    offers = registry(plugins).offers(HOOK)
    for offer in offers.values():
        if not isinstance(offer.value, Validation):
            raise PluginError(
                f"plugin {offer.owner!r} ({offer.origin}): {HOOK} must return Validation objects, "
                f"got {offer.value!r}"
            )
    return dict(offers)


def choose(known: dict[str, Offer], names: Sequence[str]) -> tuple[Offer, ...]:
    """The offers of some names, or all, in the order of their names.

    Raises:
        ValidationError: a name that no plugin offers.
    """
    for name in names:
        if name not in known:
            raise ValidationError(f"unknown family {name[:60]!r}{did_you_mean(name[:60], known)}")
    return tuple(offer for name, offer in known.items() if not names or name in names)


def fault(offer: Offer, what: str) -> PluginError:
    """The error of a validation that breaks a rule.

    Args:
        offer: the family.
        what: what it does.
    """
    return PluginError(f"plugin {offer.owner!r} ({offer.origin}): validation {offer.name!r} {what}")


def gather(offer: Offer, outcomes: Sequence[Outcome]) -> FamilyResult:
    """The result of a family.

    Raises:
        PluginError: something else than cases, or one case twice.
    """
    for outcome in outcomes:
        if not isinstance(outcome, Case | NotRun):
            raise fault(offer, f"must give Case or NotRun objects, got {outcome!r}")
    cases = tuple(one for one in outcomes if isinstance(one, Case))
    seen: set[tuple[str, str]] = set()
    for case in cases:
        if (case.name, case.quantity) in seen:
            raise fault(
                offer,
                f"gives {case.quantity} of case {case.name!r} twice; name every case for itself",
            )
        seen.add((case.name, case.quantity))
    return FamilyResult(
        family=offer.name,
        plugin=offer.owner,
        validation=offer.value,
        cases=cases,
        not_run=tuple(one for one in outcomes if isinstance(one, NotRun)),
    )
