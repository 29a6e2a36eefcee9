"""Validation figures that a page repeats, from the summary of ``docs/validation.md``.

A page has them between two marks, ``<!-- figures: FAMILY ... -->`` and ``<!-- figures: end -->``: a
table of what no constant was fitted to, and one of what was. ``python tests/docs_tables.py`` renews
them all; a test compares.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SUMMARY = ROOT / "docs" / "validation.md"
_MARKED = re.compile(
    r"(<!-- figures: (?!end)([\w -]+?) -->\n).*?(<!-- figures: end -->)", re.DOTALL
)
HEADLINES = (
    ("scalesim", "cycles"),
    ("onnxim", "cycles"),
    ("vela", "cycles"),
    ("mapping", "energy (J)"),
    ("tpuv3", "cycles"),
    ("dram-kernel", "bandwidth (B/s)"),
    ("cim", "energy per MAC (J)"),
    ("cim-silicon", "energy per MAC (J)"),
    ("pim-hbm", "cycles"),
    ("dstc", "time over dense"),
    ("gpu-gemm", "time, constants of the A100 (us)"),
    ("gpu-gemm", "host time, refitted (us)"),
    ("sparse-2to4", "dense time over sparse time"),
)
"""Family and quantity of the lines that ``figures: headlines`` stands for."""
_HEADS = ("family", "quantity", "cases", "exact", "mean error", "bias", "worst")
_APART = {
    "no": "Nothing of ours was fitted to these cases:",
    "yes": "A constant of ours was fitted to these, so they are a calibration and no proof:",
}


def figures(summary: str) -> list[dict[str, str]]:
    """The lines of the summary of a validation page, by the heads of its columns.

    Args:
        summary: text of the page.
    """
    lines = iter(summary.splitlines())
    head = next(line for line in lines if line.startswith("| family |"))
    next(lines)  # the dashes
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append(dict(zip(_cells(head), _cells(line), strict=True)))
    return rows


def tables(rows: Sequence[dict[str, str]], families: Sequence[str]) -> str:
    """The figures of some families, calibrated ones apart.

    Args:
        rows: lines of the summary.
        families: which of them; ``calibrated`` or ``uncalibrated`` before them takes one sort only.
            ``headlines`` alone is one quantity of some families, see ``HEADLINES``.

    Raises:
        AssertionError: a family, or a quantity of the headlines, without a figure.
    """
    if list(families) == ["headlines"]:
        of = {
            name: [row for row in rows if (row["family"], row["quantity"]) == name]
            for name in HEADLINES
        }
        assert all(of.values()), f"no figures of {[name for name in of if not of[name]]}"
        return tables([row for found in of.values() for row in found], [name for name, _ in of])
    sorts = {"calibrated": ("yes",), "uncalibrated": ("no",)}.get(families[0], ("no", "yes"))
    names = [name for name in families if name not in ("calibrated", "uncalibrated")]
    known = {row["family"] for row in rows}
    assert known.issuperset(names), f"no figures of {sorted(set(names) - known)}"
    parts = []
    for sort in sorts:
        found = [row for row in rows if row["family"] in names and row["calibrated"] == sort]
        if found:
            parts.append(f"{_APART[sort]}\n\n{_table(found)}")
    return "\n".join(parts)


def renewed(text: str, summary: str) -> str:
    """A page with the figures that the summary has."""
    rows = figures(summary)

    def replaced(match: re.Match[str]) -> str:
        return f"{match[1]}\n{tables(rows, match[2].split())}\n{match[3]}"

    return _MARKED.sub(replaced, text)


def families_shown(text: str) -> set[str]:
    """The families whose figures a page repeats."""
    marks = [match[2].split() for match in _MARKED.finditer(text)]
    return {name for mark in marks for name in mark} - {"calibrated", "uncalibrated", "headlines"}


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def _table(rows: Sequence[dict[str, str]]) -> str:
    lines = [_HEADS, ["---"] * len(_HEADS), *([row[head] for head in _HEADS] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    for page in PAGES:
        text = renewed(page.read_text(), SUMMARY.read_text())
        changed = text != page.read_text()
        page.write_text(text)
        if changed:
            sys.stdout.write(f"{page.relative_to(ROOT)}: figures changed\n")
