"""What a result rests on: laws that it keeps, errors, assumptions, values, versions."""

from __future__ import annotations

from collections import Counter

from codesign.report.checks import find_checks
from codesign.report.document import Section, Table, table
from codesign.report.saved import Saved

_TWO_DIGESTS = (
    "A trace has one digest as captured, which codesign trace MODEL -o FILE prints, and one as "
    "run, which stands here: with the annotations of the run, in the number format of the "
    "hardware, and in the order of its schedule. They are equal where none of these changes it."
)


def provenance(saved: Saved) -> tuple[Section, ...]:
    """The last sections of a page."""
    return _checks(saved), _errors(saved), _assumptions(saved), _hardware(saved), _origin(saved)


def _checks(saved: Saved) -> Section:
    found = find_checks(saved)
    kept = sum(check.holds for check in found)
    rows = [("holds" if check.holds else "BROKEN", check.law, check.told) for check in found]
    words = (
        f"{kept} of {len(found)} laws hold, checked on the files of the folder when this page was "
        "made."
    )
    listed = table("Laws", ("result", "law", "what was compared"), rows, is_open=True)
    return Section("checks-heading", "Checks", (words,), tables=(listed,))


def _errors(saved: Saved) -> Section:
    name, title = "errors-heading", "Expected errors"
    if not saved.parts:
        said = "The folder does not say which part makes which statement; see assumptions."
        return Section(name, title, (said,))
    rows = [
        (part.name, part.kind, " ".join(part.notes) or "no error is known") for part in saved.parts
    ]
    words = "What each part says of its own model: how wrong it is known to be, or what it omits."
    listed = table("Statements of the parts", ("part", "kind", "statement"), rows, is_open=True)
    return Section(name, title, (words,), tables=(listed,))


def _assumptions(saved: Saved) -> Section:
    points = tuple(saved.summary.assumptions)
    words = () if points else ("None.",)
    return Section("assumptions-heading", "Assumptions", words, points=points)


def _hardware(saved: Saved) -> Section:
    status = Counter(value.status for value in saved.values)
    told = ", ".join(f"{number:,} {name}" for name, number in status.most_common())
    by_part: dict[str, list[tuple[str, ...]]] = {}
    for value in saved.values:
        row = (value.field, value.value, value.status, value.source, value.note)
        by_part.setdefault(value.component, []).append(row)
    heads = ("field", "value", "status", "source", "note")
    tables = tuple(_values(name, heads, rows) for name, rows in by_part.items())
    words = f"{len(saved.values):,} values by the status of their source: {told or 'none'}."
    return Section("hardware-heading", "Hardware values", (words,), tables=tables)


def _values(name: str, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    return table(f"{name}: {len(rows):,} values", heads, rows)


def _origin(saved: Saved) -> Section:
    said = saved.summary
    rows = (
        ("model", said.model),
        ("hardware", said.hardware),
        ("version of codesign", said.version),
        ("digest of the result", said.digest),
        ("digest of the trace as run", said.trace_digest),
        ("digest of the hardware", said.hardware_digest),
        ("fabric events", f"{said.fabric_events:,}"),
    )
    words = "Equal digests are equal results, to the bit."
    listed = table("Versions and digests", ("what", "value"), rows, is_open=True)
    return Section("origin-heading", "Provenance", (words, _TWO_DIGESTS), tables=(listed,))
