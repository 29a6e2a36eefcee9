"""The executor ``dask``: a Dask cluster of this machine, or one that runs already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from codesign import hookimpl

if TYPE_CHECKING:
    from codesign.explore.executors import Executor


def make_dask(workers: int | None = None, address: str | None = None) -> Executor:
    """Points in processes of a Dask cluster, see ``Dask``.

    Raises:
        StudyError: both are given, a number that means nothing, or Dask is not installed.
    """
    from .executor import Dask

    return Dask(workers, address)


@hookimpl
def codesign_executors() -> Mapping[str, Callable[..., Executor]]:
    """The executor ``dask``."""
    return {"dask": make_dask}
