"""Reports of saved results and studies: one HTML file, or the same figures as files.

``write_report`` and ``write_figures`` take the folder that ``Result.save`` or a study wrote. They
need the extra ``plot``.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from codesign.errors import ReportError, did_you_mean

__all__ = ["FORMATS", "write_figures", "write_report"]

FORMATS = ("png", "svg", "pdf")
"""What figures may be written as."""


def write_report(folder: str | Path, output: str | Path) -> Path:
    """Writes a result or a study as one HTML file, which loads nothing.

    The same folder gives the same file.

    Args:
        folder: that ``Result.save`` or a study wrote, which one is found out.
        output: the file to write; it appears whole or not at all.

    Returns:
        The file.

    Raises:
        ReportError: the folder holds neither, or is damaged, or the file cannot be written, or the
            extra ``plot`` is not installed.
        StudyError: the study has measured no point yet.
    """
    _check_extra()
    from codesign.report.make import make_report

    return make_report(Path(folder), Path(output))


def write_figures(
    folder: str | Path, figures: str | Path, formats: Iterable[str] = FORMATS
) -> list[Path]:
    """Writes the figures of a result or a study as files.

    Args:
        folder: that ``Result.save`` or a study wrote.
        figures: the folder to write to; made if it is not there.
        formats: some of ``FORMATS``.

    Returns:
        The files, figure by figure.

    Raises:
        ReportError: as for ``write_report``, or an unknown format.
    """
    asked = list(dict.fromkeys(formats))
    for form in asked:
        if form not in FORMATS:
            raise ReportError(
                f"figures are written as {', '.join(FORMATS)}, got {form!r}"
                f"{did_you_mean(form, FORMATS)}"
            )
    if not asked:
        raise ReportError(f"figures need a format, got none; give some of {', '.join(FORMATS)}")
    _check_extra()
    from codesign.report.make import make_figures

    return make_figures(Path(folder), Path(figures), asked)


def _check_extra() -> None:
    missing = [name for name in ("jinja2", "matplotlib") if find_spec(name) is None]
    if missing:
        raise ReportError(
            f"a report needs {' and '.join(missing)}, which cannot be imported; "
            "pip install 'codesign[plot]'"
        )
