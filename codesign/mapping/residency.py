"""Residency: which tensors may stay in which on-chip memory, as the user asks for it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from codesign.errors import MappingError

Policy: TypeAlias = Literal["region", "none", "pinned", "greedy", "optimal"]
POLICIES: tuple[str, ...] = get_args(Policy)


@dataclass(frozen=True)
class Residency:
    """Which tensors may stay on chip between the operators that use them.

    Attributes:
        policy: ``region``: what a region reads or carries at every step stays for its length, if
            all of it fits beside the tiles. ``none``: every operator fetches its operands and
            stores its results. ``pinned``: nothing stays but what ``pins`` name. ``greedy``: what
            saves most off-chip bytes per byte held stays, from a first use to a last one.
            ``optimal``: the best choice among the same candidates, for small traces only.
        pins: patterns on tensor names (``joiner.*``) or on roles (``role:activation``), with
            ``*``, ``?`` and ``[...]`` as in file names; of several that match the first counts.
            ``joiner.*@extra`` says in which memory; without it, it is the buffer that all engines
            share. What is pinned in a buffer stays there for the whole run. Any other on-chip
            memory becomes the home of what is pinned there: producers store to it, consumers load
            from it, and only weights and constants are fetched into it, once.
        limits: by memory, the most bytes that residents may take, at most its size; by default
            what leaves room for tiles.
        partial: whether part of a weight may stay where the whole does not fit; its operator is
            then cut along the output columns. A pin keeps what fits beside the sets that the
            policy ``region`` keeps whole.
        across_runs: whether weights may stay from one run to the next, where ``greedy`` or
            ``optimal`` chooses them or pins name them. They are loaded once, in a set-up before
            the first run. A simulated run is the first one: its latency, energy and bytes are
            those of the set-up and the run behind it, and ``Result.set_up`` tells the set-up.

    Raises:
        MappingError: an unknown policy, a value of another type, a negative limit, or a policy that
            does not go with the rest.
    """

    policy: Policy = "region"
    pins: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict, hash=False)
    partial: bool = False
    across_runs: bool = False

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            known, got = ", ".join(POLICIES), repr(self.policy)[:80]
            raise MappingError(f"residency must be one of {known}, got {got}{_remedy(self.policy)}")
        for name in ("partial", "across_runs"):
            if not isinstance(getattr(self, name), bool):
                raise MappingError(
                    f"{name} of a residency must be True or False, got "
                    f"{repr(getattr(self, name))[:80]}; give one of them"
                )
        object.__setattr__(self, "pins", _pins(self.pins))
        object.__setattr__(self, "limits", _limits(self.limits))
        if self.policy == "pinned" and not self.pins:
            raise MappingError("residency 'pinned' needs at least one pin, such as 'encoder.*'")
        if self.policy == "optimal" and self.partial:
            raise MappingError(
                "residency 'optimal' keeps whole tensors, got partial=True; "
                "drop it or take the policy 'greedy'"
            )
        if self.across_runs and self.policy in ("region", "none") and not self.pins:
            raise MappingError(
                "across_runs keeps what the policies 'greedy' and 'optimal' choose or pins name, "
                f"got policy {self.policy!r} without pins; take the policy 'greedy'"
            )


def _remedy(policy: object) -> str:
    close = difflib.get_close_matches(policy, POLICIES, n=1) if isinstance(policy, str) else []
    return f"; did you mean {close[0]!r}?" if close else "; take one of them"


def _pins(pins: object) -> tuple[str, ...]:
    """Pins as a tuple.

    Raises:
        MappingError: one text, or something else than a list of texts.
    """
    if isinstance(pins, str):
        raise MappingError(f"pins must be a list of patterns, got {pins[:80]!r}; write [{pins!r}]")
    found = []
    for pin in pins if isinstance(pins, Iterable) else [pins]:
        if isinstance(pin, str):
            found.append(pin)
        else:
            raise MappingError(
                f"pins must be a list of patterns, got {repr(pin)[:80]}; write for example "
                "['joiner.*']"
            )
    return tuple(found)


def _limits(limits: object) -> dict[str, int]:
    """Limits as a dictionary of its own.

    Raises:
        MappingError: no mapping, or a limit that is no number of bytes.
    """
    if not isinstance(limits, Mapping):
        raise MappingError(
            f"limits must be bytes by memory, got {repr(limits)[:80]}; write for example "
            "{'sram': 524288}"
        )
    for memory, most in limits.items():
        if not isinstance(most, int) or isinstance(most, bool) or most < 0:
            raise MappingError(
                f"limits[{memory!r}] must be whole bytes of at least 0, got {repr(most)[:80]}; "
                "write for example 524288, or 0 to keep nothing there"
            )
    return dict(limits)


def as_residency(asked: Residency | str) -> Residency:
    """The residency that a policy name stands for; a residency as it is.

    Raises:
        MappingError: no such policy.
    """
    if isinstance(asked, Residency):
        return asked
    return Residency(asked)  # type: ignore[arg-type]  # the constructor refuses other words
