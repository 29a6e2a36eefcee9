"""The models of a study as they run, each captured once, and what is known of each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from codesign.errors import CodesignError
from codesign.explore.evaluate import Form
from codesign.explore.grid import Bools, Grid, Ints
from codesign.explore.objectives import FACTS
from codesign.explore.session import Session
from codesign.explore.space import Point
from codesign.workload.record import Trace

NO_FORM = ("residency", "engines", "objective")
"""Keys of a schedule space that leave the trace as it is."""


@dataclass(frozen=True)
class Model:
    """One model as it runs.

    Attributes:
        digest: of the captured trace; empty if capturing it failed.
        form: in which it runs.
        values: facts of the model, and objectives that are known, by name.
        reading: what somebody has made of the trace; None if it failed.
    """

    digest: str
    form: Form
    values: Mapping[str, float]
    reading: Any = None


@dataclass(frozen=True)
class Forms:
    """Models of the points of a grid.

    Attributes:
        grid: the points.
        ids: of each point, which model it is.
        models: the models; several may be the same one.
        keeps: for each point whether it keeps to what is known of it; one whose model fails does.
    """

    grid: Grid
    ids: Ints
    models: tuple[Model, ...]
    keeps: Bools

    @classmethod
    def of(cls, session: Session, grid: Grid, read: Callable[[Trace], Any] = bool) -> Forms:
        """Captures the models of all points, and asks for what is known of them.

        Args:
            session: of the study.
            grid: its points.
            read: makes something of each model as it runs, see ``Model.reading``.
        """
        study = session.study
        said = (name for name in study.spaces.schedule if name not in NO_FORM)
        constrained = (name for one in study.on_facts for name in one.names)
        taken = (name for goal in study.goals for name in goal.takes)
        parameters = {parameter.name for parameter in study.space.parameters}
        asked = {*study.spaces.model, *said, *constrained, *taken} & parameters
        column = grid.column(asked)
        models, keeps = [], []
        for values in column.values:
            model, is_kept = _model(session, values, read)
            models.append(model)
            keeps.append(is_kept)
        return cls(grid, column.ids, tuple(models), np.array(keeps, dtype=bool)[column.ids])


def _model(session: Session, values: Point, read: Callable[[Trace], Any]) -> tuple[Model, bool]:
    spaces = session.study.spaces
    try:
        digest = session.trace(spaces.model_part(values))
        how = spaces.how(values, session.study.base)
        trace = session.traces.as_run(digest, how.form)
        known = {name: float(find(trace)) for name, find in FACTS.items()}
        known |= session.known.of(values)
        kept = session.keeps(values, digest, how)
        reading = read(trace) if kept else None
    except CodesignError:  # the points of this model fail when they are measured, and say why
        return Model("", Form(), {}), True
    return Model(digest, how.form, known, reading), kept
