"""Searchers through their hook: given what they name, refused where they do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from search_parts import Scripted, search, wide

from codesign.errors import PluginError, StudyError
from codesign.explore.search.searchers import Searcher, find_searcher
from codesign.plugins import registry

PLUGIN = """
from codesign import hookimpl
from codesign.explore.search.choices import values_at
from codesign.explore.search.searchers import Searcher

class First:
    def __init__(self, {arguments}):
        {body}

    def ask(self):
        self.next += 7
        return values_at(self.space, self.next)

    def tell(self, point, outcome):
        pass

@hookimpl
def codesign_searchers():
    return {{"first": {offered}}}
"""
BODY = "self.space, self.next = space, seed"


def plugin(
    folder: Path,
    arguments: str = "space, seed",
    body: str = BODY,
    offered: str = "Searcher(First)",
) -> list[Path]:
    text = PLUGIN.format(arguments=arguments, body=body, offered=offered)
    (folder / "first.py").write_text(text)
    return [folder]


def test_the_shipped_samplers_come_through_the_door_of_any_other() -> None:
    offers = registry().offers("codesign_searchers")
    assert list(offers) == ["gp", "nsga2", "random", "tpe"]
    assert {offer.owner for offer in offers.values()} == {"searchers"}
    assert [name for name in offers if find_searcher(name).value.takes("storage")] == [
        "gp",
        "nsga2",
        "tpe",
    ]


def test_a_plugin_asks_for_the_points_of_a_search(tmp_path: Path) -> None:
    study = wide(plugins=plugin(tmp_path))
    found = search(study, tmp_path / "found", sampler="first", seed=3, budget=4)
    assert found.order == (10, 17, 24, 31)
    assert (found.sampler, found.seed) == ("first", 3)


def test_it_is_given_the_arguments_that_it_names(tmp_path: Path) -> None:
    body = f"{BODY}; assert keeps(0) and reference is None and goals == study.goals"
    folders = plugin(tmp_path, "study, space, goals, seed, keeps, reference", body)
    found = search(wide(plugins=folders), tmp_path / "found", sampler="first", budget=1)
    assert len(found.order) == 1


def test_one_that_takes_everything_is_given_everything() -> None:
    assert Searcher(lambda **_: Scripted()).takes("storage")
    assert not Searcher(lambda space: Scripted()).takes("seed")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"offered": "First"}, "must return a map from names to Searcher objects, got <class"),
        ({"body": "1 / 0"}, "searcher 'first' raised ZeroDivisionError: division by zero"),
        ({"body": "raise SystemExit(3)"}, "searcher 'first' raised SystemExit: 3"),
        ({"offered": "Searcher(lambda seed: seed)"}, r"has no ask\(\) and tell\(point, outcome\)"),
        ({"arguments": "space, colour"}, "searcher 'first' raised TypeError"),
    ],
)
def test_what_a_plugin_does_wrong_is_told_with_its_file(
    changes: dict[str, str], message: str, tmp_path: Path
) -> None:
    study = wide(plugins=plugin(tmp_path, **changes))
    with pytest.raises(PluginError, match=message) as error:
        search(study, tmp_path / "found", sampler="first", budget=2)
    assert "first.py" in str(error.value)


@pytest.mark.parametrize(
    ("text", "place"), [("self.next += 7", "in ask"), ("        pass", "in tell")]
)
def test_one_that_exits_when_it_is_asked_or_told_is_named(
    text: str, place: str, tmp_path: Path
) -> None:
    folders = plugin(tmp_path)
    file = tmp_path / "first.py"
    file.write_text(file.read_text().replace(text.strip(), "raise SystemExit(0)"))
    with pytest.raises(PluginError, match=f"searcher 'first' raised SystemExit: 0 at .*{place}"):
        search(wide(plugins=folders), tmp_path / "found", sampler="first", seed=3, budget=2)


def test_a_package_that_is_missing_is_told(tmp_path: Path) -> None:
    folders = plugin(tmp_path, offered="Searcher(First, ('nothing_like_this',))")
    with pytest.raises(StudyError, match="needs nothing_like_this, which is not installed; pip in"):
        find_searcher("first", folders)


def test_only_one_that_takes_a_storage_shares_one(tmp_path: Path) -> None:
    study = wide(plugins=plugin(tmp_path))
    with pytest.raises(StudyError, match="only samplers of Optuna's share a storage"):
        search(study, tmp_path / "found", sampler="first", storage=tmp_path / "shared")
    assert not (tmp_path / "found").exists()
