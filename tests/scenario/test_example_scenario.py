"""The scenario in examples/ is the one that the documentation shows, and says what it promises."""

from __future__ import annotations

from pathlib import Path

from docs_runner import blocks

from codesign.scenario.file import load_scenario
from codesign.scenario.schedule import schedule

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "streaming_recogniser.yaml"


def test_the_documentation_shows_the_example() -> None:
    page = (ROOT / "docs" / "scenarios.md").read_text()
    shown = [block.text for block in blocks(page) if block.file == "recogniser.yaml"]
    assert shown == [EXAMPLE.read_text()]


def test_the_example_makes_the_runs_of_the_study() -> None:
    """2 s hold 25 chunks, 50 frames and 8 tokens; join_out runs frames + tokens times."""
    found = schedule(load_scenario(EXAMPLE))
    counts = {name: sum(map(len, parts)) for name, parts in found.items()}
    assert counts == {"encoder": 25, "frames": 50, "prediction": 8, "tokens": 8}
