"""The optimisers that a search may have: by name, a sampler of Optuna's, or anybody's own."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from codesign.errors import StudyError, did_you_mean
from codesign.explore.search.outcome import Optimiser
from codesign.explore.search.random_points import RandomPoints

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from codesign.explore.search.bench import Bench

Sampler: TypeAlias = "str | Optimiser | BaseSampler"

NAMES = ("gp", "tpe", "nsga2", "random")
"""Samplers that can be named: a Gaussian process, a tree of Parzen estimators, a genetic one, and
none."""
_NEEDS = {"gp": ("optuna", "scipy"), "tpe": ("optuna",), "nsga2": ("optuna",), "random": ()}


def check_sampler(sampler: Sampler, storage: Path | None) -> str:
    """What a sampler is called; nothing is made yet.

    Args:
        sampler: one of ``NAMES``, a sampler of Optuna's, or an object with ``ask`` and ``tell``.
        storage: file of an Optuna journal that several machines share.

    Raises:
        StudyError: an unknown sampler, one that is not installed, or one that cannot share.
    """
    if isinstance(sampler, str):
        _check_name(sampler)
    elif not _is_of_optuna(sampler) and not (hasattr(sampler, "ask") and hasattr(sampler, "tell")):
        raise StudyError(
            f"a sampler must be one of {', '.join(NAMES)}, a sampler of Optuna's, or have ask() "
            f"and tell(point, outcome), got {repr(sampler)[:60]}"
        )
    if storage is not None and (sampler == "random" or hasattr(sampler, "tell")):
        raise StudyError("only samplers of Optuna's share a storage; take gp, tpe or nsga2")
    return sampler if isinstance(sampler, str) else type(sampler).__name__


def make_optimiser(
    bench: Bench,
    sampler: Sampler,
    seed: int,
    *,
    reference: Mapping[str, float] | None,
    storage: Path | None,
) -> Optimiser:
    """The optimiser that a sampler is.

    Args:
        bench: who measures.
        sampler: that has been checked.
        seed: of a named one; others have their own.
        reference: where the hypervolume of each objective ends, if it was said.
        storage: file of an Optuna journal that several machines share.
    """
    if sampler == "random":
        return RandomPoints(bench.study.space, seed)
    if isinstance(sampler, str) or _is_of_optuna(sampler):
        from codesign.explore.search.optuna_points import OptunaPoints

        owner = str(bench.session.folder.resolve())
        given = cast("str | BaseSampler", sampler)
        return OptunaPoints(
            bench.study,
            given,
            seed,
            keeps=bench.keeps,
            reference=reference,
            storage=storage,
            owner=owner,
        )
    return cast("Optimiser", sampler)


def _is_of_optuna(sampler: object) -> bool:
    return hasattr(sampler, "sample_relative")


def _check_name(name: str) -> None:
    if name not in NAMES:
        raise StudyError(f"unknown sampler {name!r}{did_you_mean(name, NAMES)}")
    for package in _NEEDS[name]:
        if find_spec(package) is None:
            raise StudyError(
                f"the sampler {name!r} needs {package}, which is not installed; pip install "
                "'codesign[search]', or take random"
            )
