"""The optimisers that a search may have: by name, a sampler of Optuna's, or anybody's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from codesign.errors import StudyError
from codesign.explore.search.outcome import Optimiser
from codesign.explore.search.searchers import HOOK, find_searcher, make_searcher
from codesign.plugins import registry

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from codesign.explore.search.bench import Bench

Sampler: TypeAlias = "str | Optimiser | BaseSampler"


def check_sampler(
    sampler: Sampler, storage: Path | None, plugins: Sequence[Path | str] = ()
) -> str:
    """What a sampler is called; nothing is made yet.

    Args:
        sampler: a name of the hook ``codesign_searchers``, a sampler of Optuna's, or an object with
            ``ask`` and ``tell``.
        storage: file of an Optuna journal that several machines share.
        plugins: folders of plugin files.

    Raises:
        StudyError: an unknown sampler, one that is not installed, or one that cannot share.
    """
    if isinstance(sampler, str):
        shares = find_searcher(sampler, plugins).value.takes("storage")
    elif _is_of_optuna(sampler):
        shares = True
    elif hasattr(sampler, "ask") and hasattr(sampler, "tell"):
        shares = False
    else:
        raise StudyError(
            f"a sampler must be one of {', '.join(registry(plugins).offers(HOOK))}, a sampler of "
            f"Optuna's, or have ask() and tell(point, outcome), got {repr(sampler)[:60]}"
        )
    if storage is not None and not shares:
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

    Raises:
        PluginError: a searcher of a plugin that fails.
    """
    owner = str(bench.session.folder.resolve())
    if isinstance(sampler, str):
        return make_searcher(
            find_searcher(sampler, bench.study.plugins),
            bench.study,
            seed=seed,
            keeps=bench.keeps,
            reference=reference,
            storage=storage,
            owner=owner,
        )
    if _is_of_optuna(sampler):
        from codesign.explore.search.optuna_points import OptunaPoints

        return OptunaPoints(
            bench.study,
            cast("BaseSampler", sampler),
            seed,
            keeps=bench.keeps,
            reference=reference,
            storage=storage,
            owner=owner,
        )
    return cast("Optimiser", sampler)


def _is_of_optuna(sampler: object) -> bool:
    return hasattr(sampler, "sample_relative")
