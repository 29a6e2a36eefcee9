"""A hardware file with fitted constants: the file it came from, with some fields set anew."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codesign.calibration.rewrite import edited, new_fields, new_scalars
from codesign.calibration.run import Calibration
from codesign.errors import CalibrationError, HardwareError
from codesign.hardware.machine import Hardware
from codesign.hardware.provenance import Provenance
from codesign.hardware.spec import read_hardware
from codesign.hardware.yaml_source import Node, read_yaml
from codesign.whole_file import write_whole

_SUFFIXES = (".yaml", ".yml")
_LONGEST = 255 - len(f"..{'0' * 32}")  # bytes of a name, with those of the draft beside it
_SOURCES = 3
"""Sources that the origin of a value names."""
_WIDTH = 98


def write_hardware(found: Calibration, source: Path, target: Path) -> None:
    """Writes the file of a hardware with the constants of a calibration.

    All else stays as it is written, comments on lines of their own included. Each new value says
    what it was fitted to, a header says how well, the description that it is calibrated, and the
    name of the hardware becomes that of the new file. Nothing is written unless the file can be
    loaded and is the calibrated hardware.

    Args:
        found: the calibration.
        source: the file that the hardware was read from.
        target: a ``.yaml`` file that is not there yet.

    Raises:
        CalibrationError: a place that cannot be written, see ``check_target``, a source whose
            engine is not written in lines of its own, or one that is other hardware.
    """
    check_target(source, target)
    before = _read(source, found, source)
    root = read_yaml(source, str(source))
    text = calibrated_text(found, before, root, source.read_text("utf-8"), target.stem)

    def write(draft: Path) -> None:
        draft.write_text(text, "utf-8")
        if not _is_hardware(draft, found, target):
            raise CalibrationError(
                f"{source} is not the hardware that was calibrated: some of its values were "
                "changed for the run; write them into the file first"
            )

    try:
        write_whole(target, write)
    except OSError as error:
        raise CalibrationError(
            f"{target} cannot be written: {error.strerror}; name another one"
        ) from error


def check_target(source: Path, target: Path) -> None:
    """Checks that a file can be written, before anything is fitted.

    Raises:
        CalibrationError: another suffix, a name that cannot be one, no folder, or a file that is
            already there.
    """
    if target.suffix not in _SUFFIXES:
        raise CalibrationError(f"a hardware file is called *.yaml, got {target}; rename it")
    if not target.name.isprintable() or len(os.fsencode(target.name)) > _LONGEST:
        raise CalibrationError(
            f"the name of a hardware file must be a printable word of at most {_LONGEST} bytes, "
            f"got {target.name[:60]!r}; rename it"
        )
    if not target.parent.is_dir():
        raise CalibrationError(f"folder {target.parent} does not exist; make it first")
    if target.is_dir():
        raise CalibrationError(f"{target} is a folder; name a file")
    if target.exists() and target.samefile(source):
        raise CalibrationError(f"{target} is the file that is calibrated; name another one")
    if target.exists() or target.is_symlink():
        raise CalibrationError(f"{target} is already there; name another file, or remove it")
    if not os.access(target.parent, os.W_OK):
        raise CalibrationError(f"folder {target.parent} cannot be written; name another one")


def calibrated_text(found: Calibration, before: Hardware, root: Node, text: str, name: str) -> str:
    """The text of a hardware file with the fields of an engine set anew.

    Args:
        found: the calibration.
        before: what the file describes.
        root: its entries.
        text: the file.
        name: of the new hardware.

    Raises:
        CalibrationError: the engine does not stand in lines of its own.
    """
    rows = {row.field: row for row in before.provenance if row.component == found.engine}
    origins = _Origins(found, rows)
    old = before.components[found.engine]
    fields = {
        field: f"{field}: {origins.written(field, value, getattr(old, field))}"
        for field, value in found.changes.items()
    }
    scalars = {"name": _json(name), "description": _json(_description(found, before))}
    lines = text.removeprefix("\ufeff").splitlines()
    changes = new_scalars(lines, root, scalars) | new_fields(lines, root, found.engine, fields)
    header = [f"# {line}" for line in textwrap.wrap(_header(found, before, name), _WIDTH)]
    return "\n".join([*header, "#", *edited(lines, changes), ""])


def _read(path: Path, found: Calibration, called: Path) -> Hardware:
    """Reads a file with the kinds of the calibrated hardware."""
    kinds = {type(part).kind: type(part) for part in found.hardware.components.values()}
    return read_hardware(path, kinds, str(called), found.hardware.around)


def _is_hardware(draft: Path, found: Calibration, target: Path) -> bool:
    """Whether a new file is the calibrated hardware."""
    try:
        read = _read(draft, found, target)
    except HardwareError as error:
        raise CalibrationError(
            f"{error}; that would be the new file: write it beside the old one, or mend that"
        ) from error
    return dict(read.components) == dict(found.hardware.components)


def _header(found: Calibration, before: Hardware, name: str) -> str:
    fit = found.fit
    errors = [f"mean error {fit.fit_errors[0].mean:.1%} on {len(fit.fitted):,} points of the fit"]
    errors += [f"{one.mean:.1%} on {one.points:,} held back" for one in fit.held_back_errors[:1]]
    return (
        f"{name}: {before.name} with constants of {found.engine} fitted by codesign calibrate to "
        f"{fit.fitted.protocol} times, digest {fit.digest[:12]}: {', '.join(errors)}. What follows "
        f"is the file of {before.name}; what its header says of constants and errors of "
        f"{found.engine} is how they were before."
    )


def _description(found: Calibration, before: Hardware) -> str:
    told = f"{found.engine} calibrated"
    parts = before.description.split("; ") if before.description else []
    return "; ".join([*(part for part in parts if part not in ("uncalibrated", told)), told])


@dataclass(frozen=True)
class _Origins:
    """Where the new values of fields are from.

    Attributes:
        found: the calibration.
        rows: origins of the values before by field, or by ``table.key``.
    """

    found: Calibration
    rows: Mapping[str, Provenance]

    @property
    def source(self) -> str:
        """Of a value that this fit has set."""
        fit = self.found.fit
        names, more = fit.fitted.sources[:_SOURCES], len(fit.fitted.sources) - _SOURCES
        rest = f" and {more} more" if more > 0 else ""
        return f"{', '.join(names)}{rest}; {len(fit.fitted)} points, digest {fit.digest[:12]}"

    def written(self, field: str, value: object, before: object) -> str:
        """A value with its origin; entries of a table that are as before keep theirs."""
        old = before if isinstance(before, Mapping) else {}
        table = value if isinstance(value, Mapping) else {}
        kept = {key for key in table if key in old and _json(old[key]) == _json(table[key])}
        if not kept:
            return _with_origin(value, self._source(field, value, before))
        rows = {key: self.rows.get(f"{field}.{key}") for key in kept}
        entries = (
            f"{_json(key)}: {_as_before(one, row) if row else _with_origin(one, self.source)}"
            for key, one in table.items()
            for row in (rows.get(key),)
        )
        return f"{{{', '.join(entries)}}}"

    def _source(self, field: str, value: object, before: object) -> str:
        """Also that of the value before if it is a part of the new one."""
        row, is_part = self.rows.get(field), False
        if isinstance(value, str) and isinstance(before, str):
            is_part = bool(before) and before in value and before != value
        elif isinstance(value, Sequence) and isinstance(before, Sequence):
            is_part = bool(before) and set(before) < set(value)
        return f"{row.source}; {self.source}" if row and is_part else self.source


def _with_origin(value: object, source: str, status: str = "fitted", note: str = "") -> str:
    remark = f", note: {_json(note)}" if note else ""
    return f"{{value: {_json(value)}, source: {_json(source)}, status: {status}{remark}}}"


def _as_before(value: object, row: Provenance) -> str:
    return _with_origin(value, row.source, row.status, row.note)


def _json(value: object) -> str:
    """A value as YAML reads it; text is quoted, so that it stays text."""
    return json.dumps(value, ensure_ascii=False)
