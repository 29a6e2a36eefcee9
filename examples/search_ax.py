"""Ax as the optimiser of a study: anything that asks and tells is one, and this is all it takes.

Energy and delay of the recogniser of ``search_rnnt.py`` in sixteen evaluations. Needs
``pip install ax-platform``; run ``python examples/search_ax.py``.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from typing import Any

from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig
from ax.utils.common.logger import set_ax_logger_levels
from search_rnnt import CELLS, REFERENCE, delay_s, encoder

from codesign import Study
from codesign.explore.search.choices import is_ordered
from codesign.explore.search.outcome import Outcome


class AxPoints:
    """Asks Ax for points; each parameter is the place of a value in its list."""

    def __init__(self, study: Study, seed: int) -> None:
        """Begins an experiment of Ax with the objectives of a study."""
        self._parameters, self._goals = study.space.parameters, study.goals
        self._running: dict[str, int] = {}
        self._client = Client(random_seed=seed)
        self._client.configure_experiment(
            parameters=[
                ChoiceParameterConfig(
                    name=f"choice_{place}",
                    values=list(range(len(one.values))),
                    parameter_type="int",
                    is_ordered=is_ordered(one.values),
                )
                for place, one in enumerate(self._parameters)
            ]
        )
        signs = ["" if goal.maximise else "-" for goal in self._goals]
        names = [goal.name for goal in self._goals]
        told = ", ".join(f"{sign}{name}" for sign, name in zip(signs, names, strict=True))
        self._client.configure_optimization(objective=told)

    def ask(self) -> dict[str, Any]:
        """A point that Ax wants measured."""
        ((number, choices),) = self._client.get_next_trials(max_trials=1).items()
        point = {
            one.name: one.values[int(choices[f"choice_{place}"])]
            for place, one in enumerate(self._parameters)
        }
        self._running[repr(point)] = number
        return point

    def tell(self, point: dict[str, Any], outcome: Outcome) -> None:
        """Tells Ax its figures, or that there are none."""
        number = self._running.pop(repr(point))
        if outcome.state == "done":
            figures = {goal.name: outcome.figures[goal.name] for goal in self._goals}
            self._client.complete_trial(number, raw_data=figures)
        elif outcome.state == "failed":
            self._client.mark_trial_failed(number, failed_reason=outcome.message)
        else:  # so that it is not asked for again
            self._client.mark_trial_abandoned(number)


def study() -> Study:
    """Fewer parameters than ``search_rnnt.rnnt``, and no constraint."""
    return Study(
        model=encoder,
        model_space={"cell": list(CELLS), "hidden": range(384, 641, 64)},
        hardware="edge-npu",
        hardware_space={"sram.size": ["256 KiB", "512 KiB", "1 MiB", "2 MiB"]},
        schedule_space={
            "schedule": ["time-major", *(f"layer-major:{chunk}" for chunk in (4, 8, 16, 32))]
        },
        objectives=["energy_j", delay_s],
    )


def main() -> None:
    """Searches, and prints how the hypervolume grew."""
    set_ax_logger_levels(logging.WARNING)
    warnings.simplefilter("ignore")
    limits = {name: REFERENCE[name] for name in ("energy_j", "delay_s")}
    asked = AxPoints(study(), seed=0)
    with tempfile.TemporaryDirectory() as folder:
        found = study().search(folder, sampler=asked, budget=16, reference=limits)
    print(f"{len(found.order)} of {found.points} combinations replayed; {found.ended}")
    volumes = ", ".join(f"{volume:.6f}" for volume in found.hypervolumes[3::4])
    print(f"hypervolume in J s after each four: {volumes}")


if __name__ == "__main__":
    main()
