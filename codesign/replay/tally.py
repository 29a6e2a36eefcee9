"""What only ever grows while transfers go on, in one map that can be carried on as a whole."""

from __future__ import annotations

from typing import TypeAlias

Key: TypeAlias = int | tuple[int, ...] | tuple[str, str]
"""A transfer class: bytes moved. Classes that share, sorted: ticks. Memory and state: ticks."""
Tally: TypeAlias = dict[Key, int]


def since(tally: Tally, before: Tally) -> Tally:
    """What has been added since an earlier copy."""
    grown = [(key, value - before.get(key, 0)) for key, value in tally.items()]
    return {key: value for key, value in grown if value}


def add(tally: Tally, grown: Tally, times: int = 1) -> None:
    """Lets a tally grow by so many times what was added elsewhere."""
    for key, value in grown.items():
        tally[key] = tally.get(key, 0) + times * value
