"""Optuna's Gaussian process over the points that may be measured, instead of over all combinations.

A model of few points is sure of little, so what it wants most may be what a constraint excludes or
what has been measured. Optuna's own search for the most promising combination knows of neither; its
class names ``_optimize_acqf`` for those who need another.

Improvement is that of the hypervolume up to the reference point of the search. Optuna's own is the
worst of the points that keep to constraints, and it never looks beyond: where the first points
happened to be small models, large ones cost more than the worst so far and promise nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from optuna._gp import acqf as acquisition
from optuna._gp.thread_limiting import limit_threads_in_optimization
from optuna.samplers import GPSampler
from optuna.study import StudyDirection
from optuna.trial import TrialState

from codesign.explore.search.free import Digits, FreePoints
from codesign.explore.search.volume import beyond_worst

if TYPE_CHECKING:
    from optuna._gp.acqf import BaseAcquisitionFunc
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import FrozenTrial

_Ranked: TypeAlias = "tuple[float, Digits]"

_FLAT = 1e-10
"""Least deviation of an objective by which Optuna divides."""
_CLIMBS = 5
"""Candidates from which the best is looked for step by step (assumed)."""
_ROWS = 256
"""Candidates that are judged at a time, to bound memory (measured)."""


class GPOverPoints(GPSampler):
    """Suggests the point that promises most among those that may be asked for."""

    def __init__(
        self,
        free: FreePoints,
        named: Callable[[Digits], dict[str, int]],
        seed: int,
        independent_sampler: BaseSampler,
        reference: Sequence[float] | None = None,
    ) -> None:
        """Begins.

        Args:
            free: points that may be asked for.
            named: the choices of a point by name, as they are suggested.
            seed: of all that it draws.
            independent_sampler: for the first points, and for parameters that only some points
                have.
            reference: where the hypervolume ends, a figure for each objective; None for 1.1 times
                the worst of all that is measured.
        """
        super().__init__(
            seed=seed,
            independent_sampler=independent_sampler,
            deterministic_objective=True,
            warn_independent_sampling=False,
        )
        self._free, self._named = free, named
        self._names: list[str] = []
        self._reference = reference

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """As of Optuna."""
        found = super().infer_relative_search_space(study, trial)
        self._names = list(found)
        return found

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """As of Optuna."""
        limit = self._limit(study)
        if limit is None:
            return super().sample_relative(study, trial, search_space)
        with _up_to(limit):
            return super().sample_relative(study, trial, search_space)

    def _limit(self, study: Study) -> NDArray[np.float64] | None:
        """The reference point as Optuna scales objectives; None while there is no model."""
        trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if len(study.directions) < 2 or not trials:
            return None
        signs = [-1.0 if one is StudyDirection.MAXIMIZE else 1.0 for one in study.directions]
        scores = np.array([trial.values for trial in trials]) * signs
        given = None if self._reference is None else np.array(self._reference) * signs
        limit = beyond_worst(scores) if given is None else given
        return np.asarray((limit - scores.mean(axis=0)) / np.maximum(_FLAT, scores.std(axis=0)))

    def _optimize_acqf(
        self, acqf: BaseAcquisitionFunc, best_params: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        with limit_threads_in_optimization():
            first = self._kept(self._ranked(acqf, self._free.candidates()), _CLIMBS)
            reached = [self._climbed(acqf, *one) for one in first]
        if not reached:  # all are taken, and whoever asks finds that out
            return np.asarray(super()._optimize_acqf(acqf, best_params))
        _, digits = max(reached)
        return np.asarray(self._encoded(acqf, [digits])[0])

    def _climbed(self, acqf: BaseAcquisitionFunc, value: float, digits: Digits) -> _Ranked:
        """The best that single changes lead to, each of them for the better."""
        while True:
            ranked = self._ranked(acqf, self._free.beside(digits))
            better = self._kept((one for one in ranked if one[0] > value), 1)
            if not better:
                return value, digits
            value, digits = better[0]

    def _kept(self, ranked: Iterable[_Ranked], most: int) -> list[_Ranked]:
        """The first few that constraints leave in."""
        found: list[_Ranked] = []
        for one in ranked:
            if self._free.keeps(one[1]):
                found.append(one)
            if len(found) == most:
                break
        return found

    def _ranked(self, acqf: BaseAcquisitionFunc, candidates: Sequence[Digits]) -> list[_Ranked]:
        """Candidates and what each promises, most first."""
        values: list[float] = []
        for start in range(0, len(candidates), _ROWS):
            rows = self._encoded(acqf, candidates[start : start + _ROWS])
            values.extend(acqf.eval_acqf_no_grad(rows).tolist())
        return sorted(zip(values, candidates, strict=True), reverse=True)

    def _encoded(
        self, acqf: BaseAcquisitionFunc, candidates: Sequence[Digits]
    ) -> NDArray[np.float64]:
        """Candidates in the coordinates of the model."""
        named = [self._named(digits) for digits in candidates]
        rows = [{name: one.get(name, 0) for name in self._names} for one in named]
        # of the first argument only its length counts
        return np.asarray(acqf.search_space.get_normalized_params(rows, rows))  # type: ignore[arg-type]


@contextmanager
def _up_to(limit: NDArray[np.float64]) -> Iterator[None]:
    """Gives a reference point to Optuna, which takes none: its own is looked up in one place."""
    own = acquisition._get_reference_point

    def reference(Y: Any) -> NDArray[np.float64]:  # noqa: N803 - as Optuna calls it
        is_inside = bool(np.any(np.all(-Y.numpy() < limit, axis=1)))
        # with no point inside there is no volume to improve; then as far as to what there is
        return limit if is_inside else np.maximum(limit, own(Y))

    acquisition._get_reference_point = reference
    try:
        yield
    finally:
        acquisition._get_reference_point = own
