"""Results in further formats: those that come with codesign, offered as any plugin offers its."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from codesign.errors import OF_OTHERS, CodesignError, PluginError, did_you_mean
from codesign.hookspecs import hookimpl
from codesign.plugins import Offer, registry
from codesign.raised import raised
from codesign.whole_file import write_whole

if TYPE_CHECKING:
    from codesign.result.result import Result

HOOK = "codesign_exporters"
Exporter: TypeAlias = "Callable[[Result, Path], object]"
"""Writes a result to the file that it is given, and nothing else."""


def write_csv(result: Result, path: Path) -> None:
    """One row per operator, with the columns of ``Result.operators`` and their names above."""
    columns = result.operators
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(columns)
        rows.writerows(zip(*columns.values(), strict=True))


def write_perfetto(result: Result, path: Path) -> None:
    """The timeline as a Chrome trace, which Perfetto opens."""
    from codesign.result.timeline.write import dump

    path.write_text(dump(result.timeline()), encoding="utf-8")


@hookimpl
def codesign_exporters() -> Mapping[str, Exporter]:
    """The formats ``csv`` and ``perfetto``."""
    return {"csv": write_csv, "perfetto": write_perfetto}


def find_exporter(name: str, plugins: Sequence[Path | str] = ()) -> Offer:
    """The exporter that a plugin offers by a name.

    Args:
        name: for example ``csv``.
        plugins: folders of plugin files.

    Raises:
        CodesignError: there is none of that name.
        PluginError: what a plugin offers is no function.
    """
    loaded = registry(plugins)
    offers = loaded.offers(HOOK)
    if name not in offers:
        hint = did_you_mean(name[:60], offers)
        raise CodesignError(f"unknown export format {name[:60]!r}{hint}{loaded.lost()}")
    offer = offers[name]
    if not callable(offer.value):
        raise PluginError(
            f"plugin {offer.owner!r} ({offer.origin}): {HOOK} must return a map from names to "
            f"functions of a result and a path, got {offer.value!r}"
        )
    return offer


def export_result(
    result: Result, path: str | Path, format: str, *, plugins: Sequence[Path | str] = ()
) -> None:
    """Writes a result to one file, which appears whole or not at all.

    Args:
        result: of a run.
        path: the file.
        format: a name of the hook ``codesign_exporters``.
        plugins: folders of plugin files.

    Raises:
        CodesignError: no such format, or the file cannot be written.
        PluginError: the exporter fails, or writes no file.
    """
    offer, file = find_exporter(format, plugins), Path(path)
    place = f"plugin {offer.owner!r} ({offer.origin}): exporter {format!r}"

    def write(draft: Path) -> None:
        try:
            offer.value(result, draft)
        except (CodesignError, OSError):
            raise
        except OF_OTHERS as error:  # a plugin may fail anyhow; say where
            raise PluginError(f"{place} raised {raised(error, offer.value)}") from error
        if not draft.is_file():
            raise PluginError(f"{place} wrote no file; let it write to the path that it is given")

    try:
        write_whole(file, write)
    except OSError as error:
        raise CodesignError(
            f"cannot write {str(file)!r}: {error.strerror or error}; give a file in a folder that "
            "can be written"
        ) from error
