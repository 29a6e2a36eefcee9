"""Validations small enough to know every figure of, and plugins that offer them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from codesign.plugins import Offer
from codesign.validation import Case, NotRun, Validation
from codesign.validation.families import FamilyResult, gather

PLUGIN = """
from codesign import hookimpl
from codesign.validation import Case, NotRun, Validation, read_table

def rows(data):
    if data is None:
        return [("typed", 11.0, 10.0)]
    table = read_table(data / "chips/{name}.csv", ("run", "ours", "theirs"))
    return [(row.text("run"), row.number("ours"), row.number("theirs")) for row in table]

def compare(row):
    name, ours, theirs = row
    if name == "broken chip":
        return [NotRun(name=name, reason="it never ran")]
    return [Case(name=name, quantity="power", unit="W", ours=ours, theirs=theirs)]

@hookimpl
def codesign_validations():
    return {{"{name}": Validation(
        title="power of {name}", source="data sheet of {name}", rows=rows, compare=compare,
        files=("chips/{name}.csv",), note="nothing is fitted",
    )}}
"""
"""A family of one file and one typed row; the comparison takes our figure from the row."""


def plugin(folder: Path, name: str = "chip", change: Callable[[str], str] = str) -> Path:
    """A folder with the plugin ``toy_NAME`` that offers the family ``NAME``."""
    folder.mkdir(exist_ok=True)
    (folder / f"toy_{name}.py").write_text(change(PLUGIN.format(name=name)))
    return folder


def chips(folder: Path, *rows: str, name: str = "chip") -> Path:
    """A data folder with the file of the family ``NAME``."""
    (folder / "chips").mkdir(parents=True, exist_ok=True)
    (folder / "chips" / f"{name}.csv").write_text("\n".join(["run,ours,theirs", *rows, ""]))
    return folder


def case(
    ours: float,
    theirs: float = 100.0,
    name: str = "run",
    quantity: str = "cycles",
    calibrated: bool = False,
    note: str = "",
) -> Case:
    """A case of which only what matters is said."""
    return Case(
        name=name, quantity=quantity, ours=ours, theirs=theirs, calibrated=calibrated, note=note
    )


def validation(outcomes: Iterable[Case | NotRun] = (), title: str = "a title") -> Validation[None]:
    """A validation whose one row gives these outcomes."""
    found = list(outcomes)
    return Validation(
        title=title, source="a source", rows=lambda data: [None], compare=lambda row: found
    )


def result(*outcomes: Case | NotRun, family: str = "toy", title: str = "a title") -> FamilyResult:
    """What a family with these outcomes comes to."""
    made = validation(outcomes, title)
    return gather(Offer("codesign_validations", family, "toy_plugin", "toy.py", made), outcomes)
