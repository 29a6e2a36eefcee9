"""Searchers: who asks for points, by name; those that ship, offered as any plugin offers its."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codesign.errors import OF_OTHERS, CodesignError, PluginError, StudyError, did_you_mean
from codesign.explore.search.random_points import RandomPoints
from codesign.hookspecs import hookimpl
from codesign.plugins import Offer, registry
from codesign.raised import raised

if TYPE_CHECKING:
    from codesign.explore.search.outcome import Optimiser, Outcome
    from codesign.explore.space import Point
    from codesign.explore.study import Study

HOOK = "codesign_searchers"


@dataclass(frozen=True)
class Searcher:
    """A way to choose points.

    Attributes:
        make: a function or class that makes an object with ``ask()`` and ``tell(point, outcome)``
            (see ``codesign.explore.search.outcome.Optimiser``). It is given, by name, those of
            these arguments that it has: ``space``, ``goals``, ``seed``, ``study``; ``keeps``, which
            says of the number of a combination whether the constraints leave it in; ``reference``,
            where the hypervolume of each objective ends, or None; ``storage``, a file that several
            machines share, or None, and ``owner``, which of those machines this is.
        needs: packages that have to be installed.
        install: what to install for them.
    """

    make: Callable[..., Optimiser]
    needs: tuple[str, ...] = ()
    install: str = ""

    def takes(self, argument: str) -> bool:
        """Whether ``make`` has an argument of that name."""
        arguments = inspect.signature(self.make).parameters.values()
        return any(one.name == argument or one.kind is one.VAR_KEYWORD for one in arguments)


def find_searcher(name: str, plugins: Sequence[Path | str] = ()) -> Offer:
    """The searcher that a plugin offers by a name.

    Args:
        name: for example ``tpe``.
        plugins: folders of plugin files.

    Raises:
        StudyError: there is none of that name, or it lacks a package.
        PluginError: what a plugin offers is no searcher.
    """
    loaded = registry(plugins)
    offers = loaded.offers(HOOK)
    if name not in offers:
        hint = did_you_mean(name[:60], offers)
        raise StudyError(f"unknown sampler {name[:60]!r}{hint}{loaded.lost()}")
    searcher = offers[name].value
    if not isinstance(searcher, Searcher):
        raise PluginError(
            f"plugin {offers[name].owner!r} ({offers[name].origin}): {HOOK} must return a map from "
            f"names to Searcher objects, got {searcher!r}"
        )
    for package in searcher.needs:
        if find_spec(package) is None:
            raise StudyError(
                f"the sampler {name!r} needs {package}, which is not installed; pip install "
                f"{searcher.install or package}, or take random"
            )
    return offers[name]


def make_searcher(offer: Offer, study: Study, **given: Any) -> Optimiser:
    """What a searcher makes for a study.

    Args:
        offer: of ``find_searcher``.
        study: what is searched.
        **given: further arguments of ``Searcher.make``, for those that it has.

    Raises:
        PluginError: it fails, or what it makes cannot be asked and told.
    """
    searcher: Searcher = offer.value
    place = f"plugin {offer.owner!r} ({offer.origin}): searcher {offer.name!r}"
    known = {"study": study, "space": study.space, "goals": study.goals, **given}
    with _told(place, searcher.make):
        made = searcher.make(**{key: known[key] for key in known if searcher.takes(key)})
    if not (callable(getattr(made, "ask", None)) and callable(getattr(made, "tell", None))):
        raise PluginError(
            f"{place} has no ask() and tell(point, outcome), got an object of "
            f"{type(made).__qualname__}"
        )
    return _Held(made, place)


@dataclass(frozen=True)
class _Held:
    """What a searcher has made, whose faults are told with its plugin."""

    made: Optimiser
    place: str

    def ask(self) -> Point | None:
        with _told(self.place, self.made):
            point: object = self.made.ask()
        if point is None or isinstance(point, Mapping):
            return point if point is None else dict(point)
        raise PluginError(
            f"{self.place}: ask() must return values by name, or None, got {point!r:.60}"
        )

    def tell(self, point: Point, outcome: Outcome) -> None:
        with _told(self.place, self.made):
            self.made.tell(point, outcome)


@contextmanager
def _told(place: str, owner: object) -> Iterator[None]:
    try:
        yield
    except CodesignError:
        raise
    except OF_OTHERS as error:  # a plugin may fail in any way; name it and say where
        raise PluginError(f"{place} raised {raised(error, owner)}") from error


def _of_optuna(name: str, *needs: str) -> Searcher:
    def make(
        study: Study,
        seed: int,
        keeps: Callable[[int], bool],
        reference: Mapping[str, float] | None = None,
        storage: Path | None = None,
        owner: str = "",
    ) -> Optimiser:
        from codesign.explore.search.optuna_points import OptunaPoints

        return OptunaPoints(
            study, name, seed, keeps=keeps, reference=reference, storage=storage, owner=owner
        )

    return Searcher(make, ("optuna", *needs), "'codesign[search]'")


@hookimpl
def codesign_searchers() -> Mapping[str, Searcher]:
    """A Gaussian process, a tree of Parzen estimators, a genetic one, and none."""
    return {
        "gp": _of_optuna("gp", "scipy"),
        "tpe": _of_optuna("tpe"),
        "nsga2": _of_optuna("nsga2"),
        "random": Searcher(RandomPoints),
    }
