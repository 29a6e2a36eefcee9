"""Points that a search measures first: a user's own, or the front of an earlier study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from codesign.errors import StudyError
from codesign.explore.journal_check import read_records
from codesign.explore.search.choices import choices_of
from codesign.explore.search.searched import swept_of
from codesign.explore.swept import JOURNAL

if TYPE_CHECKING:
    from codesign.explore.study import Study

Warm: TypeAlias = "str | Path | Sequence[Mapping[str, Any]]"


def warm_points(study: Study, warm: Warm) -> list[int]:
    """Combinations to begin with, each once.

    Args:
        study: what is searched.
        warm: points of its space; or the folder of another study, of whose front those points count
            that are in the space of this one. Figures are not taken over.

    Raises:
        StudyError: what is no point of the space, no folder of a study, or a folder that has no
            such point.
    """
    if isinstance(warm, str | Path):
        return _of_folder(study, Path(warm))
    return list(dict.fromkeys(study.space.index(choices_of(study.space, one)) for one in warm))


def _of_folder(study: Study, folder: Path) -> list[int]:
    names = [parameter.name for parameter in study.space.parameters]
    found: list[int] = []
    for row in swept_of(read_records(folder / JOURNAL)).pareto():
        point = {name: row[name] for name in names if name in row}
        try:
            found.append(study.space.index(choices_of(study.space, point)))
        except StudyError:  # a value or a parameter that this study has not
            continue
    if not found:
        raise StudyError(
            f"{folder}: no point of its front is in the space of this study; give points, or "
            "begin without"
        )
    return list(dict.fromkeys(found))
