"""Points from Optuna's samplers, by its ask and tell.

Source: Akiba et al., "Optuna: a next-generation hyperparameter optimization framework", KDD 2019;
Watanabe, "Tree-structured Parzen estimator", 2023; Deb et al., "A fast and elitist multiobjective
genetic algorithm: NSGA-II", 2002; Daulton et al., "Differentiable expected hypervolume improvement
for parallel multi-objective Bayesian optimization", NeurIPS 2020.

Each group of parameters is one choice: a whole number where its values are in order, so that a
model sees which are near, else a category. A parameter whose condition fails is not suggested.
Replays have no noise, which the Gaussian process is told. What a sampler suggests again, or what a
constraint excludes, it is told as failed or pruned; where it insists, the nearest free neighbour of
what it wants is taken.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from codesign.explore.search.choices import choices_at, choose, values_at
from codesign.explore.search.free import Digits, FreePoints
from codesign.explore.search.optuna_axis import Axis
from codesign.explore.search.outcome import Outcome
from codesign.explore.space import Parameter, Point

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage
    from optuna.trial import Trial

    from codesign.explore.study import Study

_ASKS = 8
"""Times that a sampler is asked again for a point that is free (assumed)."""
_POPULATION = 20
"""Points in a generation of NSGA-II. Optuna's 50 leave a budget of 60 hardly one generation."""
_INDEX, _OWNER, _MESSAGE = "index", "owner", "message"
"""Attributes of a trial: number of the combination, whose it is where several share, and why the
point failed."""


class OptunaPoints:
    """Asks one of Optuna's samplers for points."""

    def __init__(
        self,
        study: Study,
        sampler: str | BaseSampler,
        seed: int = 0,
        *,
        keeps: Callable[[int], bool] = lambda _: True,
        reference: Mapping[str, float] | None = None,
        storage: Path | None = None,
        owner: str = "",
    ) -> None:
        """Begins.

        Args:
            study: of the points.
            sampler: ``gp`` (Gaussian process with expected hypervolume improvement), ``tpe``,
                ``nsga2``, or a sampler of Optuna's.
            seed: of a sampler that is named.
            keeps: whether the constraints on what is known before a replay leave a combination in.
            reference: where the hypervolume of each objective ends, if it was said.
            storage: file of an Optuna journal that several machines share; what the others have
                asked for is not asked for again. None keeps all to this process.
            owner: which of those machines this is.
        """
        self._space, self._goals = study.space, study.goals
        self._axes = tuple(map(Axis.of, study.space.groups))
        self._free = FreePoints(study.space, seed, keeps)
        self._reference = [reference[g.name] for g in study.goals] if reference else None
        self._pending: dict[int, Trial] = {}
        self._owner, self._is_shared = owner, storage is not None
        with _quiet():
            import optuna

            self._sampler = self._made(sampler, seed)
            self._study = optuna.create_study(
                directions=["maximize" if goal.maximise else "minimize" for goal in study.goals],
                sampler=self._sampler,
                storage=_journal(storage) if storage else None,
                study_name=study.digest if storage else None,
                load_if_exists=True,
            )
        self._is_genetic = isinstance(self._sampler, optuna.samplers.BaseGASampler)
        self._drop_lost()
        self._look()

    def ask(self) -> Point | None:
        """As of ``Optimiser``; a point that is taken or excluded is never asked for."""
        from optuna.trial import TrialState

        self._look()
        digits: Sequence[int] = ()
        refused: set[int] = set()
        while len(refused) < _ASKS:
            with _quiet():
                trial = self._study.ask()
                digits, index = self._suggested(trial)
                if self._free.has(index):
                    return self._take(index, trial)
                is_point = self._space.point(index) is not None
                self._study.tell(trial, state=TrialState.FAIL if is_point else TrialState.PRUNED)
            if index in refused:
                break  # it insists
            refused.add(index)
        near = self._free.near(digits)
        return None if near is None else self._take(near, self._entered(near))

    def tell(self, point: Point, outcome: Outcome) -> None:
        """As of ``Optimiser``."""
        from optuna.trial import TrialState

        trial = self._pending.pop(outcome.index, None)
        if trial is None and outcome.index in self._free.taken:
            return  # told before, by this machine or another
        self._free.taken.add(outcome.index)
        trial = trial or self._entered(outcome.index)
        with _quiet():
            if outcome.state == "done":
                for text, amount in outcome.excess.items():
                    trial.set_constraint(text, amount)
                figures = [outcome.figures[goal.name] for goal in self._goals]
                self._study.tell(trial, figures)
                if outcome.feasible:
                    self._note(outcome.index, figures)
                return
            trial.set_user_attr(_MESSAGE, outcome.message)
            failed = outcome.state == "failed"
            self._study.tell(trial, state=TrialState.FAIL if failed else TrialState.PRUNED)

    def _made(self, sampler: str | BaseSampler, seed: int) -> BaseSampler:
        from optuna.samplers import NSGAIISampler, TPESampler

        if sampler == "gp":
            from codesign.explore.search.optuna_gp import GPOverPoints

            # what only some points have is outside the process, so that the other one learns it
            beside = TPESampler(seed=seed, group=True)
            return GPOverPoints(self._free, self._named, seed, beside, self._reference)
        if sampler == "tpe":
            return TPESampler(seed=seed, group=True)
        if isinstance(sampler, str):
            return NSGAIISampler(seed=seed, population_size=_POPULATION)
        return sampler

    def _take(self, index: int, trial: Trial) -> Point:
        self._free.taken.add(index)
        self._pending[index] = trial
        return values_at(self._space, index)

    def _suggested(self, trial: Trial) -> tuple[tuple[int, ...], int]:
        """The choices of a trial and their combination, which the trial is marked with."""
        digits = choose(self._space, lambda place, _: self._axes[place].suggest(trial))
        index = self._space.index(digits)
        trial.set_user_attr(_INDEX, index)
        trial.set_user_attr(_OWNER, self._owner)
        trial.set_user_attr("point", json.dumps(values_at(self._space, index), default=str))
        return digits, index

    def _entered(self, index: int) -> Trial:
        """A trial of a point that the sampler has not asked for."""
        from optuna.trial import TrialState

        with _quiet():
            while True:
                self._study.enqueue_trial(self._named(choices_at(self._space, index)))
                trial = self._study.ask()
                if self._is_genetic:
                    _ = trial.relative_params  # it joins its generation when this is asked for
                if self._suggested(trial)[1] == index:
                    return trial
                # another machine has taken it from the queue, and this is another's or nobody's
                self._study.tell(trial, state=TrialState.FAIL)

    def _note(self, index: int, figures: Sequence[float]) -> None:
        """Takes in figures of a point that keeps to all constraints."""
        pairs = zip(self._goals, figures, strict=True)
        scores = [-figure if goal.maximise else figure for goal, figure in pairs]
        self._free.measured(index, scores)

    def _named(self, digits: Digits) -> dict[str, int]:
        """The choices of a point by name of their axes, but for those that are none."""
        found: dict[str, int] = {}

        def note(place: int, _: Sequence[Parameter]) -> int:
            if self._axes[place].radix > 1:
                found[self._axes[place].name] = digits[place]
            return digits[place]

        choose(self._space, note)
        return found

    def _look(self) -> None:
        """Takes note of what other machines have asked for and found."""
        if not self._is_shared:
            return
        for trial in self._study.get_trials(deepcopy=False):
            is_lost = trial.state.name == "FAIL" and _MESSAGE not in trial.user_attrs
            if _INDEX not in trial.user_attrs or is_lost:
                continue
            index = trial.user_attrs[_INDEX]
            self._free.taken.add(index)
            is_kept = all(amount <= 0 for amount in trial.constraints.values())
            if trial.state.name == "COMPLETE" and is_kept:
                self._note(index, trial.values)

    def _drop_lost(self) -> None:
        """Gives up what an earlier process of this machine was told nothing of when it ended."""
        from optuna.trial import TrialState

        if not self._is_shared:
            return
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if trial.user_attrs.get(_OWNER) == self._owner:
                self._study.tell(trial.number, state=TrialState.FAIL)


def _journal(path: Path) -> BaseStorage:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(str(path)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what Optuna says of its own experiments and convergence."""
    from optuna import logging

    level = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
