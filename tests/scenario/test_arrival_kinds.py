"""Arrivals come through a hook: those of codesign as those of anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign.errors import CodesignError, PluginError, ScenarioError
from codesign.plugins import registry
from codesign.scenario.arrival import After, Periodic, Rate
from codesign.scenario.file import load_scenario
from codesign.scenario.schedule import schedule

PLUGIN = '''
from dataclasses import dataclass

from codesign import hookimpl
from codesign.scenario.arrival_kinds import ArrivalKind, Key
from codesign.scenario.reader import quantity, whole
from codesign.scenario.release import Arrival, Release
from codesign.errors import ScenarioError
from codesign.units import ticks


@dataclass(frozen=True)
class Burst(Arrival):
    """So many at once, at one moment."""

    runs: int
    at_s: float = 0.0

    def __post_init__(self):
        if self.runs > 9:
            raise ScenarioError(f"runs must be at most 9, got {self.runs}; lower it")
        if self.runs == 7:
            raise ZeroDivisionError("seven")

    def releases(self, window, produced):
        return (Release(window.start + ticks(self.at_s)),) * self.runs

    def __str__(self):
        return f"{self.runs} at once"


@hookimpl
def codesign_arrivals():
    keys = {"runs": Key(whole, is_needed=True), "at": Key(quantity("s"), "at_s")}
    return {"burst": ArrivalKind(Burst, keys)}
'''
CASE = """\
name: case
duration: 1 ms
streams:
  camera:
    model: none
    arrival:
      kind: burst
      runs: 3
      at: 2 us
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "burst.py").write_text(PLUGIN)
    (tmp_path / "case.yaml").write_text(CASE)
    return tmp_path


def test_the_shipped_kinds_come_through_the_same_door_as_any_other() -> None:
    offers = registry().offers("codesign_arrivals")
    assert {name: offer.value.make for name, offer in offers.items()} == {
        "after": After,
        "periodic": Periodic,
        "rate": Rate,
    }
    assert {offer.owner for offer in offers.values()} == {"arrivals"}


def test_a_plugin_adds_a_kind_with_keys_of_its_own(folder: Path) -> None:
    found = load_scenario(folder / "case.yaml", [folder / "plugins"])
    assert str(found.streams[0].arrival) == "3 at once"
    assert [release.tick for release in schedule(found)["camera"][0]] == [2 * 10**6] * 3


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("runs: 3", "run: 3", ":8: unknown key 'run' of arrival of camera (burst); did you mean"),
        ("      runs: 3\n", "", ":6: arrival of camera (burst) needs the key 'runs'; add it"),
        ("at: 2 us", "at: 2 B", ":9: at: expected a unit of s, got '2 B'"),
        ("runs: 3", "runs: 10", ":6: runs must be at most 9, got 10; lower it"),
        ("runs: 3", "runs: 7", ":6: arrival of camera (burst) raised ZeroDivisionError: seven"),
        ("burst", "brust", ":7: arrival of camera: unknown kind 'brust'; did you mean 'burst'?"),
    ],
)
def test_a_mistake_in_its_keys_names_the_line(folder: Path, old: str, new: str, words: str) -> None:
    (folder / "case.yaml").write_text(CASE.replace(old, new))
    with pytest.raises(ScenarioError) as told:
        load_scenario(folder / "case.yaml", [folder / "plugins"])
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_without_the_plugin_the_kind_is_unknown(folder: Path) -> None:
    with pytest.raises(ScenarioError, match="unknown kind 'burst'; known: after, periodic, rate"):
        load_scenario(folder / "case.yaml")


def test_two_owners_of_one_kind_are_both_named(folder: Path) -> None:
    (folder / "plugins" / "burst.py").write_text(PLUGIN.replace('{"burst":', '{"rate":'))
    with pytest.raises(PluginError, match="'rate' is offered by both plugin 'arrivals'"):
        load_scenario(folder / "case.yaml", [folder / "plugins"])


def test_a_plugin_that_offers_something_else_is_named(folder: Path) -> None:
    (folder / "plugins" / "burst.py").write_text(PLUGIN.replace("ArrivalKind(Burst, keys)", "5"))
    with pytest.raises(CodesignError, match=r"plugin 'burst' .*: codesign_arrivals must return a"):
        load_scenario(folder / "case.yaml", [folder / "plugins"])
