"""The executors that need nothing but this machine, offered as any plugin offers its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from codesign.hookspecs import hookimpl

if TYPE_CHECKING:
    from codesign.explore.executors import Executor


def make_serial() -> Executor:
    """Points one after the other, in this process."""
    from codesign.explore.executors import Serial

    return Serial()


def make_pool(workers: int = 1) -> Executor:
    """Points in processes of this machine.

    Raises:
        StudyError: fewer than 1.
    """
    from codesign.explore.pool import Pool

    return Pool(workers)


@hookimpl
def codesign_executors() -> Mapping[str, Callable[..., Executor]]:
    """The executors ``serial`` and ``pool``."""
    return {"serial": make_serial, "pool": make_pool}
