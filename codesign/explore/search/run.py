"""A search of a study: what a user may ask for, checked, run and read off."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from codesign.errors import StudyError
from codesign.explore.save import write_rows
from codesign.explore.search.bench import Bench
from codesign.explore.search.loop import Loop, Watcher
from codesign.explore.search.optimisers import Sampler, check_sampler, make_optimiser
from codesign.explore.search.searched import Searched, swept_of
from codesign.explore.search.volume import Volume
from codesign.explore.search.warm import Warm, warm_points
from codesign.explore.swept import Swept
from codesign.replay.budget import MOST_EVENTS

if TYPE_CHECKING:
    from codesign.explore.executors import Executor
    from codesign.explore.study import Study

_MOST_SEED = 2**32 - 1
"""What numpy takes, which the samplers draw from."""


def run_search(
    study: Study,
    folder: Path,
    executor: Executor,
    *,
    sampler: Sampler = "gp",
    budget: int = 60,
    seed: int = 0,
    batch: int = 1,
    warm: Warm = (),
    stop: int | None = None,
    reference: Mapping[str, float] | None = None,
    storage: Path | None = None,
    resume: bool = False,
    watch: Watcher | None = None,
) -> Searched:
    """Searches a space; see ``Study.search``.

    Args:
        study: what is searched.
        folder: to write to.
        executor: who measures.
        sampler: ``gp``, ``tpe``, ``nsga2``, ``random``, a name that a plugin offers, a sampler of
            Optuna's, or an object with
            ``ask`` and ``tell``.
        budget: evaluations, failed ones and those of ``warm`` among them. A point that had been
            asked for before or that a constraint excludes is none.
        seed: of the sampler, 0 to 2^32 - 1.
        batch: points that are asked for before any of them is told, so that they can run side by
            side.
        warm: points, or a folder of an earlier study whose front is taken, to begin with.
        stop: ends the search when so many evaluations brought no hypervolume; None uses the budget.
        reference: up to where the hypervolume counts, a figure for each objective, which ``gp``
            looks at, too; see ``Volume`` for what it is by default.
        storage: file of an Optuna journal that several machines share, each with a folder and a
            seed of its own. What they find depends on when they do.
        resume: go on with the journal in the folder: what it has is not run again.
        watch: told (evaluations done, failed, 0, budget), as of ``Study.run``, which prunes.

    Raises:
        StudyError: an option out of its range, a sampler or a journal that does not fit, or no
            point that the constraints leave.
        CodesignError: the folder cannot be written.
    """
    _check(budget=budget, batch=batch, seed=seed, stop=stop)
    volume = Volume(study.goals, reference)
    begin = warm_points(study, warm)
    name = check_sampler(sampler, storage, study.plugins)
    asked: list[object] = [name, seed, batch, begin, reference, storage is not None]
    if study.most_events != MOST_EVENTS:  # other points fail, and the sampler is told
        asked.append(study.most_events)
    told = json.dumps(asked, sort_keys=True)
    label = f"{name} {seed} {hashlib.sha256(told.encode()).hexdigest()[:12]}"
    with _kept(executor), Bench(study, folder, executor, resume=resume) as bench:
        optimiser = make_optimiser(bench, sampler, seed, reference=reference, storage=storage)
        loop = Loop(bench, optimiser, volume, label, is_shared=storage is not None)
        ended = loop.run(begin, budget, batch, stop, watch)
        found = loop.swept()
        write_rows(swept_of(bench.session.records), folder)
    inherited = {one.name: getattr(found, one.name) for one in fields(Swept)}
    return Searched(
        **inherited,
        sampler=name,
        seed=seed,
        order=tuple(loop.order),
        reference=volume.reference,
        hypervolumes=volume.history,
        ended=ended,
    )


def _kept(executor: Executor) -> AbstractContextManager[object]:
    """Keeps what an executor has started from batch to batch."""
    return executor if isinstance(executor, AbstractContextManager) else nullcontext()


def _check(budget: int, batch: int, seed: int, stop: int | None) -> None:
    limits = {"budget": (budget, 1, None), "batch": (batch, 1, None), "seed": (seed, 0, _MOST_SEED)}
    if stop is not None:
        limits["stop"] = (stop, 1, None)
    for name, (value, least, most) in limits.items():
        if type(value) is not int or value < least or (most is not None and value > most):
            allowed = f"at least {least}" if most is None else f"{least} to {most}"
            raise StudyError(f"{name} must be a whole number of {allowed}, got {value!r}")
