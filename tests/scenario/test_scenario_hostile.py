"""Whatever stands in a scenario file, reading it ends in a scenario or in one line."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.errors import ScenarioError
from codesign.scenario.file import load_scenario
from codesign.scenario.schedule import schedule
from codesign.scenario.spec import Scenario

EXAMPLE = (Path(__file__).parents[2] / "examples" / "streaming_recogniser.yaml").read_text()
TOKENS = re.findall(r"[\w.]+|[^\w.]", EXAMPLE)
NUMBERS = [
    "-1",
    "0",
    "2",
    "1e300",
    "1e400",
    ".nan",
    "1e18",
    "99999999999999999",
    "80",
    "ms",
    "/s",
    "B",
]
MARKS = ["~", "[]", "{}", "[[]]", "''", "*", "&", "!", "-", ":", "?", "#", "true", "null"]
NAMES = ["encoder", "tokens", "after", "rate", "seed", "within", "beam", "background", "residency"]
WORDS = st.sampled_from(NUMBERS + MARKS + NAMES)


def outcome(data: bytes) -> Scenario | str:
    """The scenario, or what is wrong with it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.yaml"
        path.write_bytes(data)
        try:
            found = load_scenario(path)
            schedule(found)
        except ScenarioError as error:
            return str(error)
        return found


def is_told_well(data: bytes) -> bool:
    found = outcome(data)
    return isinstance(found, Scenario) or (0 < len(found) < 1000 and "\n" not in found)


def test_the_example_is_fine_as_it_is() -> None:
    assert isinstance(outcome(EXAMPLE.encode()), Scenario)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(TOKENS) - 1), WORDS), min_size=1, max_size=3))
def test_words_in_the_wrong_place_are_told_in_one_line(changes: list[tuple[int, str]]) -> None:
    tokens = list(TOKENS)
    for place, word in changes:
        tokens[place] = word
    assert is_told_well("".join(tokens).encode())


@settings(max_examples=200)
@given(st.data())
def test_lines_that_are_gone_or_double_are_told_in_one_line(data: st.DataObject) -> None:
    lines = EXAMPLE.splitlines(keepends=True)
    places = data.draw(st.lists(st.integers(0, len(lines) - 1), min_size=1, max_size=12))
    assert is_told_well("".join(lines[place] for place in places).encode())


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_bytes_are_told_in_one_line(data: bytes) -> None:
    found = outcome(data)
    assert isinstance(found, str)
    assert "case.yaml:" in found
    assert "\n" not in found


def test_a_file_that_would_run_for_ever_is_refused_at_once() -> None:
    for old, new in (("80 ms", "80 ps"), ("4 /s", "4e11 /s"), ("times: 2", "times: 999999999999")):
        assert EXAMPLE.count(old) >= 1
        changed = EXAMPLE[EXAMPLE.index("name:") :].replace(old, new)
        found = outcome(changed.encode())
        assert isinstance(found, str)
        assert "1,000,000" in found
    many = EXAMPLE.replace("outputs:", "utterances: 99999\noutputs:")
    assert "more than 1,000,000 runs" in str(outcome(many.encode()))
