"""The points of the study: accuracy is trained, energy and latency are replayed."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from statistics import mean
from typing import Any, TypeAlias

import codesign
from quality.network import CELLS, model
from quality.train import RECIPE, Recipe, Scores, score

HARDWARE = Path(__file__).parent / "hardware" / "digits-npu.yaml"
LEAST_ACCURACY = 0.85
"""What no point may stay below; the others are not replayed."""

Row: TypeAlias = "dict[str, Any]"
Kind: TypeAlias = "tuple[str, int, int | None]"
"""Cell, width, and bits of the matrices; None where they are as they were trained."""


@dataclass(frozen=True)
class Choices:
    """What varies.

    Attributes:
        cells: names of cells.
        widths: of the cell.
        bits: of the elements of its matrices.
        buffers: sizes of the scratchpad.
    """

    cells: tuple[str, ...] = tuple(CELLS)
    widths: tuple[int, ...] = (16, 24, 32, 48, 64)
    bits: tuple[int, ...] = (8, 6, 4, 3, 2)
    buffers: tuple[str, ...] = ("8 KiB", "16 KiB", "32 KiB", "64 KiB")


@dataclass(frozen=True)
class Found:
    """What the study has found.

    Attributes:
        rows: of the points that keep to the least accuracy: parameters and figures.
        front: those of them that no other beats, least energy first.
        scores: accuracies by seed, of every network at every width of its weights.
    """

    rows: tuple[Row, ...]
    front: tuple[Row, ...]
    scores: Mapping[Kind, Scores]

    def row(self, point: Mapping[str, Any]) -> Row | None:
        """The row of a point; None where its accuracy is too low.

        Args:
            point: its parameters by name.
        """
        rows = (row for row in self.rows if all(row[n] == v for n, v in point.items()))
        return next(rows, None)

    def scores_of(self, row: Row) -> Scores:
        """Accuracies of the networks of a row."""
        return self.scores[row["cell"], row["width"], row["weight_bits"]]


def study_of(choices: Choices, recipe: Recipe, least: float) -> codesign.Study:
    """The study: nothing is trained or replayed yet.

    Args:
        choices: what varies.
        recipe: how networks are trained.
        least: accuracy that a point must have.
    """

    def accuracy(cell: str, width: int, weight_bits: int) -> float:
        """Mean share of validation images that the networks of all seeds get right."""
        return mean(score(cell, width, weight_bits, recipe).validation)

    return codesign.Study(
        model=model,
        model_space={"cell": choices.cells, "width": choices.widths, "weight_bits": choices.bits},
        hardware=HARDWARE,
        hardware_space={"sram.size": choices.buffers},
        residency="greedy",
        constraints=[f"accuracy >= {least}"],
        objectives=["energy_j", "latency_s", ("max:accuracy", accuracy)],
    )


def measure_all(
    choices: Choices = Choices(), recipe: Recipe = RECIPE, least: float = LEAST_ACCURACY
) -> Found:
    """Trains every network once, and replays every point that is accurate enough.

    Args:
        choices: what varies.
        recipe: how networks are trained.
        least: accuracy that a point must have.
    """
    study = study_of(choices, recipe, least)
    with tempfile.TemporaryDirectory() as folder:
        # also what cannot be on the front: changes start there
        swept = study.run(folder, exhaustive=True)
    assert not swept.failed, swept.failed[0]["message"]
    kinds = product(choices.cells, choices.widths, (None, *choices.bits))
    scores = {kind: score(*kind, recipe) for kind in kinds}
    return Found(tuple(swept.table()), tuple(swept.pareto()), scores)


@cache
def kept_in_part(cell: str, width: int, weight_bits: int, buffer: str) -> Row:
    """Figures of a point if parts of matrices may stay on chip; in the study whole ones do.

    Args:
        cell: name of the cell.
        width: of the cell.
        weight_bits: of its matrices.
        buffer: size of the scratchpad.
    """
    result = codesign.simulate(
        model(cell, width, weight_bits),
        HARDWARE,
        settings={"sram.size": buffer},
        residency=codesign.Residency("greedy", partial=True),
    )
    return {"energy_j": result.energy_j, "latency_s": result.latency_s}
