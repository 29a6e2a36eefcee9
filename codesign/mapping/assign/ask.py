"""Which engine runs which operator, as the user asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from codesign.errors import MappingError, did_you_mean, nearest

if TYPE_CHECKING:
    from codesign.workload.record import Op

Choosing: TypeAlias = Literal["earliest", "alone", "optimal"]
CHOOSING: tuple[str, ...] = get_args(Choosing)
KIND = "kind:"
"""What a pattern on kinds of operators begins with."""


@dataclass(frozen=True)
class Engines:
    """Which engine runs which operator.

    Attributes:
        policy: ``earliest``: the program as a whole finishes earliest, with what operators wait
            for and share, as far as the best few ways to begin it tell. ``alone``: each operator
            runs where it finishes first by itself. ``optimal``: the best of all ways, for small
            programs only.
        rules: engine by pattern on operator names (``encoder.*``) or kinds (``kind:softmax``),
            with ``*``, ``?`` and ``[...]`` as in file names; of several that match the first
            counts.
        split: whether one operator may run on several engines at once, each with a share of its
            output columns.

    Raises:
        MappingError: an unknown policy, or a value of another type.
    """

    policy: Choosing = "earliest"
    rules: Mapping[str, str] = field(default_factory=dict, hash=False)
    split: bool = False

    def __post_init__(self) -> None:
        if self.policy not in CHOOSING:
            got = repr(self.policy)[:80]
            raise MappingError(
                f"engines must be a policy, got {got}"
                f"{did_you_mean(str(self.policy)[:80], CHOOSING)}"
            )
        if not isinstance(self.split, bool):
            raise MappingError(f"split of engines must be True or False, got {self.split!r}")
        if self.split and self.policy == "alone":
            raise MappingError(
                "engines 'alone' runs each operator on one engine, got split=True; take 'earliest'"
            )
        if not isinstance(self.rules, Mapping) or not all(
            isinstance(text, str) for rule in self.rules.items() for text in rule
        ):
            raise MappingError(
                f"rules of engines must name an engine by pattern, got {repr(self.rules)[:80]}; "
                "write for example {'encoder.*': 'npu'}"
            )
        object.__setattr__(self, "rules", dict(self.rules))


def as_engines(asked: Engines | str) -> Engines:
    """What a policy name stands for; anything else as it is.

    Raises:
        MappingError: no such policy.
    """
    if isinstance(asked, Engines):
        return asked
    return Engines(asked)  # type: ignore[arg-type]  # the constructor refuses other words


def find_ruled(rules: Mapping[str, str], ops: Sequence[Op], engines: Iterable[str]) -> list[str]:
    """For each operator the engine that a rule names, or "".

    Raises:
        MappingError: a rule that names no engine of the hardware, or matches no operator.
    """
    known, unused = list(engines), dict(rules)
    for pattern, engine in rules.items():
        if engine not in known:
            raise MappingError(
                f"the rule {pattern!r} names the unknown engine {engine!r}"
                f"{did_you_mean(engine, known)}"
            )
    found = []
    for op in ops:
        matching = [pattern for pattern in rules if matches(pattern, op)]
        for pattern in matching:
            unused.pop(pattern, None)
        found.append(rules[matching[0]] if matching else "")
    for pattern in unused:
        _check_kind(pattern)
        names = [KIND + op.kind for op in ops] + [op.name for op in ops]
        hint = nearest(pattern.replace("*", ""), names)
        raise MappingError(
            f"the rule {pattern!r} matches no operator{hint} (listed by 'codesign trace MODEL')"
        )
    return found


def _check_kind(pattern: str) -> None:
    from codesign.workload.record import KINDS

    word = pattern.removeprefix(KIND)
    if word != pattern and not any(fnmatchcase(kind, word) for kind in KINDS):
        hint = did_you_mean(word[:60], KINDS)
        raise MappingError(f"the rule {pattern[:60]!r} names an unknown kind{hint}")


def matches(pattern: str, op: Op) -> bool:
    """Whether a pattern on operator names, or behind ``kind:`` on kinds, means an operator."""
    if pattern.startswith(KIND):
        return fnmatchcase(op.kind, pattern.removeprefix(KIND))
    return fnmatchcase(op.name, pattern)
