"""From a folder to a page or to files of figures."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from codesign.errors import ReportError
from codesign.explore.figures.all import FIGURES
from codesign.explore.figures.cloud import Cloud
from codesign.explore.figures.style import write_figure
from codesign.explore.journal_check import read_records
from codesign.explore.swept import JOURNAL, Swept
from codesign.report.document import Document
from codesign.report.figures.all import figures_of
from codesign.report.figures.kit import Drawn
from codesign.report.page import render
from codesign.report.result_page import result_page
from codesign.report.saved import Saved, read_saved
from codesign.report.study_page import failures_page, study_cloud, study_page, tame
from codesign.result.forms import LARGEST, SMALLEST
from codesign.result.saved import SUMMARY
from codesign.whole_file import check_folder, write_whole


def make_report(folder: Path, output: Path) -> Path:
    """Writes the page of a folder, see ``codesign.report.write_report``."""
    _check_output(output)
    source = read_source(folder)
    text = render(_page(source))
    try:
        write_whole(output, lambda draft: draft.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise ReportError(
            f"cannot write {output}: {error.strerror or error}; give another file"
        ) from error
    return output


def make_figures(folder: Path, figures: Path, formats: Sequence[str]) -> list[Path]:
    """Writes the figures of a folder, see ``codesign.report.write_figures``."""
    draws = _draws(read_source(folder), folder)
    check_folder(figures)
    written: list[Path] = []
    try:
        figures.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")
            for name, draw in draws.items():
                written += write_figure(draw, figures, name, formats)
    except OSError as error:
        raise ReportError(
            f"cannot write figures to {figures}: {error.strerror or error}; give another folder"
        ) from error
    return written


def read_source(folder: Path) -> Saved | Cloud | Swept:
    """What a folder holds, found out by the names of its files; a table if it has no point.

    Raises:
        ReportError: neither a result nor a study, or a damaged one.
    """
    if not folder.is_dir():
        raise ReportError(f"{folder} is no folder; give one that simulate --out or sweep -o wrote")
    if (folder / SUMMARY).exists():
        return read_saved(folder)
    if (folder / JOURNAL).exists():
        return _read_study(folder)
    raise ReportError(
        f"{folder} holds neither a result ({SUMMARY}) nor a study ({JOURNAL}); give a folder that "
        "simulate --out or sweep -o wrote"
    )


def _read_study(folder: Path) -> Cloud | Swept:
    """A study.

    Raises:
        StudyError: a line of the journal holds something else than a journal does.
        ReportError: a figure of a point is too large or too small to be drawn.
    """
    path = folder / JOURNAL
    records = read_records(path)
    swept = Swept.of(records)
    _check_sizes(path, swept)
    order = [record["index"] for record in records if record["event"] == "done"]
    return study_cloud(swept, order) if swept.done else tame(swept)


def _check_sizes(path: Path, swept: Swept) -> None:
    names = (*swept.parameters, *(name for name, _ in swept.objectives))
    for row in swept.done:
        for name in names:
            value = row.get(name)
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if is_number and value and not SMALLEST <= abs(value) <= LARGEST:
                raise ReportError(
                    f"{path}: {name[:60]} of point {row['index']} is {float(value):g}, figures "
                    f"show 0 and sizes from {SMALLEST:g} to {LARGEST:g}; take another unit, or "
                    "run the study without that point"
                )


def _page(source: Saved | Cloud | Swept) -> Document:
    if isinstance(source, Swept):
        return failures_page(source)
    return study_page(source) if isinstance(source, Cloud) else result_page(source)


def _draws(source: Saved | Cloud | Swept, folder: Path) -> dict[str, Callable[[], Figure]]:
    if isinstance(source, Swept):
        raise ReportError(
            f"{folder / JOURNAL}: figures need a measured point, got none of {source.points:,}, "
            f"{len(source.failed):,} failed; codesign report {folder} lists why"
        )
    if isinstance(source, Cloud):
        return {name: partial(draw, source) for name, draw in FIGURES.items()}
    return {name: partial(_figure, draw, source) for name, draw in figures_of(source).items()}


def _figure(draw: Callable[[Saved], Drawn], saved: Saved) -> Figure:
    return draw(saved).figure


def _check_output(output: Path) -> None:
    """Finds out before any work whether the page can be written.

    Raises:
        ReportError: it cannot.
    """
    if output.is_dir():
        raise ReportError(f"cannot write {output}: it is a folder; give a file such as report.html")
    parent = output.absolute().parent
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise ReportError(
            f"cannot write {output}: {parent} is not a folder that can be written; give another "
            "file"
        )
