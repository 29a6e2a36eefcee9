"""All figures of a study, by the name of their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from codesign.errors import StudyError
from codesign.explore.figures.cloud import Cloud
from codesign.explore.figures.front import draw_front
from codesign.explore.figures.growth import draw_growth
from codesign.explore.figures.main_effects import draw_effects
from codesign.explore.figures.parallel import draw_parallel
from codesign.explore.figures.style import write_figure

FIGURES: Mapping[str, Callable[[Cloud], Figure]] = {
    "front": draw_front,
    "parallel": draw_parallel,
    "effects": draw_effects,
    "hypervolume": draw_growth,
}
"""Figures by the name of their file."""


def draw_all(cloud: Cloud, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Draws every figure in every format, see ``codesign.explore.figures.draw``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = [
            write_figure(partial(make, cloud), folder, name, formats)
            for name, make in FIGURES.items()
        ]
    except OSError as error:
        raise StudyError(
            f"cannot write figures to {folder}: {error.strerror or error}; give another folder"
        ) from error
    return [path for some in written for path in some]
