"""Who measures points: an executor takes what they share and the points, and tells each once done.

Nothing else is asked of one, so that processes of this machine and those of a cluster are alike.
Each comes through the hook ``codesign_executors``, those of codesign too.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from codesign.errors import OF_OTHERS, CodesignError, PluginError, StudyError, did_you_mean
from codesign.explore.evaluate import Done, Evaluator, Job, Task
from codesign.plugins import Offer, registry
from codesign.raised import raised

HOOK = "codesign_executors"


class Executor(Protocol):
    """Measures points.

    One that is a context manager too keeps what it has started while it is entered: see ``Kept``.
    """

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Done]:
        """Every point once, in any order.

        Args:
            job: what all of them share.
            tasks: the points; neighbours share most.
        """


class Kept(ABC):
    """An executor whose processes outlive a run while it is entered, for the sake of the next one.

    Otherwise every run starts its own and ends them.
    """

    _entered = 0

    def __enter__(self) -> Self:
        self._entered += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._entered -= 1
        if not self._entered:
            self.close()

    @property
    def is_kept(self) -> bool:
        """Whether processes are kept after a run."""
        return self._entered > 0

    @abstractmethod
    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Done]:
        """As of ``Executor``."""

    @abstractmethod
    def close(self) -> None:
        """Ends the processes that were kept."""


class Serial:
    """One point after the other, in this process."""

    def __init__(self) -> None:
        self._last: tuple[Job, Evaluator] | None = None

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Done]:
        """As of ``Executor``, in the order of the points."""
        if self._last is None or self._last[0] is not job:
            self._last = job, Evaluator(job)
        yield from map(self._last[1].measure, tasks)


def check_workers(workers: object) -> int:
    """A number of processes.

    Raises:
        StudyError: not a whole number, or fewer than 1.
    """
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:
        raise StudyError(f"workers must be at least 1, got {workers!r}; give 1 or more")
    return workers


def find_executor(
    name: str | None = None,
    *,
    workers: int | None = None,
    address: str | None = None,
    plugins: Sequence[Path | str] = (),
) -> Executor:
    """The executor that a plugin offers by a name.

    Args:
        name: for example ``pool`` or ``dask``; none is ``serial`` for one worker, else ``pool``.
        workers: processes, at least 1; by default as many as the executor says.
        address: of the cluster, for an executor that takes one.
        plugins: folders of plugin files.

    Raises:
        StudyError: no such executor, or one that does not take what was given.
        PluginError: what a plugin offers is no executor, or making it fails.
    """
    if workers is not None:
        check_workers(workers)
    if name is None:
        if address is not None:
            raise StudyError(
                f"the address {address[:80]!r} is for an executor that was not named; name it, for "
                "example 'dask'"
            )
        name = "serial" if workers in (None, 1) else "pool"
        workers = None if name == "serial" else workers
    loaded = registry(plugins)
    offers = loaded.offers(HOOK)
    if name not in offers:
        hint = did_you_mean(name[:60], offers)
        raise StudyError(f"unknown executor {name[:60]!r}{hint}{loaded.lost()}")
    given = {"workers": workers, "address": address}
    return _made(offers[name], {key: value for key, value in given.items() if value is not None})


def _made(offer: Offer, given: Mapping[str, object]) -> Executor:
    """What a plugin makes of what was given.

    Raises:
        StudyError: it does not take it.
        PluginError: it fails, or what it makes is no executor.
    """
    place = f"plugin {offer.owner!r} ({offer.origin})"
    if not callable(offer.value):
        raise PluginError(
            f"{place}: {HOOK} must return a map from names to functions, got {offer.value!r}"
        )
    for key in given:
        if not _takes(offer, key):
            raise StudyError(f"executor {offer.name!r} takes no {key}; leave it out")
    try:
        made = offer.value(**given)
    except CodesignError:
        raise
    except OF_OTHERS as error:  # a plugin may fail in any way; name it and say where
        told = raised(error, offer.value)
        raise PluginError(f"{place}: executor {offer.name!r} raised {told}") from error
    if not callable(getattr(made, "run", None)):
        raise PluginError(f"{place}: executor {offer.name!r} has no run(job, tasks), got {made!r}")
    return made  # type: ignore[no-any-return]  # it has what is asked of one


def _takes(offer: Offer, key: str) -> bool:
    try:
        arguments = inspect.signature(offer.value).parameters
    except ValueError:  # what is written in C may not tell, but refuses by itself
        return True
    return key in arguments or any(one.kind is one.VAR_KEYWORD for one in arguments.values())
