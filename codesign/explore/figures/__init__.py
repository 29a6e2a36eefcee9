"""Figures of a study, drawn by matplotlib, which is imported when the first one is drawn.

Colours are those of Okabe and Ito (2008), units stand on every axis, and an axis over more than a
decade is logarithmic. The same table gives the same files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from codesign.errors import StudyError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from codesign.explore.swept import Swept

__all__ = ["FORMATS", "draw"]

FORMATS = ("png", "svg", "pdf")
"""What figures may be written as."""


def draw(
    swept: Swept,
    folder: str | Path,
    formats: Iterable[str] = FORMATS,
    *,
    order: Sequence[int] | None = None,
    bounds: ArrayLike | None = None,
) -> list[Path]:
    """Draws what a study has found.

    ``front``: each two objectives, the front before all that it dominates. ``parallel``: what the
    points of the front are made of. ``effects``: how each parameter moves each objective, see
    ``codesign.explore.effects``, or ``codesign.explore.pairs`` where not all points were measured.
    ``hypervolume``: how much was dominated after each measured point.

    Args:
        swept: what was measured.
        folder: to write to; made if it is not there.
        formats: some of ``FORMATS``.
        order: ``index`` of each measured point, in order of their measurement; that of the space
            if it is not given.
        bounds: lower bounds of points that were pruned, of shape ``(points, objectives)``, in the
            units of the objectives.

    Returns:
        The files, figure by figure.

    Raises:
        StudyError: an unknown format, no measured point, no matplotlib, or order or bounds that do
            not fit the table.
        CodesignError: the folder cannot be written.
    """
    from codesign.explore.figures.cloud import Cloud
    from codesign.whole_file import check_folder

    asked = list(dict.fromkeys(formats))
    for form in asked:
        if form not in FORMATS:
            raise StudyError(
                f"figures are written as {', '.join(FORMATS)}, got {form!r}"
                f"{did_you_mean(form, FORMATS)}"
            )
    if not asked:
        raise StudyError(f"figures need a format, got none; give some of {', '.join(FORMATS)}")
    cloud = Cloud.of(swept, order, bounds)
    check_folder(Path(folder))
    try:
        from codesign.explore.figures.all import draw_all
    except ImportError as error:
        raise StudyError(
            f"figures need matplotlib, which cannot be imported ({error}); "
            "pip install 'codesign[plot]'"
        ) from error
    return draw_all(cloud, Path(folder), asked)
