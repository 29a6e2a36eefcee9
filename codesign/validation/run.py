"""Runs families of validations: all references are read first, then compared one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from codesign.errors import OF_OTHERS, CodesignError, ValidationError
from codesign.plugins import Offer
from codesign.raised import raised
from codesign.validation.contract import NotRun, Outcome
from codesign.validation.families import (
    FamilyResult,
    choose,
    fault,
    find_validations,
    gather,
)


def validate(
    data: Path | None = None,
    families: Sequence[str] = (),
    plugins: Sequence[Path | str] = (),
    watch: Callable[[int, int], None] | None = None,
) -> tuple[FamilyResult, ...]:
    """Compares every reference of the chosen families with ours.

    Args:
        data: folder of reference files. Without it, and for a family that misses a file, only the
            references run that need none; what is missing is listed as not run.
        families: names of families; all by default.
        plugins: folders of plugin files.
        watch: called with references done and references in all.

    Raises:
        ValidationError: an unknown family, a folder that is not there or has no file of the
            families, or a file that breaks a rule.
        PluginError: a validation that raises or gives something else than cases; names its plugin.
    """
    chosen = choose(find_validations(plugins), families)
    _check_folder(data, chosen)
    work = [(offer, _missing(offer, data), _rows(offer, data)) for offer in chosen]
    total, done = sum(len(rows) for _, _, rows in work), 0
    results = []
    for offer, missing, rows in work:
        outcomes: list[Outcome] = list(missing)
        for place, row in enumerate(rows, 1):
            outcomes += _compare(offer, row, f"row {place} of {len(rows)}")
            done += 1
            if watch:
                watch(done, total)
        results.append(gather(offer, outcomes))
    return tuple(results)


def _check_folder(data: Path | None, chosen: Sequence[Offer]) -> None:
    """A folder that helps no family is a mistake; one that helps some is not."""
    if data is None:
        return
    if not data.is_dir():
        raise ValidationError(f"data folder {data} does not exist; name one with reference files")
    wanted = dict.fromkeys(file for offer in chosen for file in offer.value.files)
    if wanted and not any((data / file).is_file() for file in wanted):
        raise ValidationError(
            f"data folder {data} has none of {', '.join(wanted)}; name the folder above them"
        )


def _missing(offer: Offer, data: Path | None) -> list[NotRun]:
    """The files that a family cannot read."""
    reason = "not in the data folder" if data else "needs the data folder, which --data names"
    files = [file for file in offer.value.files if data is None or not (data / file).is_file()]
    return [NotRun(name=file, reason=reason) for file in files]


def _rows(offer: Offer, data: Path | None) -> Sequence[Any]:
    folder = None if _missing(offer, data) else data
    try:
        return tuple(offer.value.rows(folder))
    except CodesignError:
        raise  # a mistake in a reference file, which the message names
    except OF_OTHERS as error:  # a plugin may fail in any way; name it and say where
        raise fault(offer, f"raised {raised(error, offer.value)} while it read its rows") from error


def _compare(offer: Offer, row: Any, place: str) -> list[Outcome]:
    try:
        found = list(offer.value.compare(row))
    except OF_OTHERS as error:  # a plugin may fail in any way; name it and say where
        raise fault(offer, f"raised {raised(error, offer.value)} in {place}") from error
    if not found:
        raise fault(offer, f"gives nothing for {place}; give NotRun with the reason")
    return found
