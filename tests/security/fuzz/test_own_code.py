"""A study or a scenario runs no program that somebody else wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fuzz_seeds as seeds
import pytest
from fuzz_doors import prepare
from fuzz_guard import guarded
from hostile_tree import written

from codesign import load_hardware
from codesign.errors import CodesignError, ScenarioError, StudyError
from codesign.explore.study_file import read_study
from codesign.own_code import foreign_function
from codesign.scenario.file import load_scenario

NO_MODULES = ("..evil:run", "a b:run")
INSTALLED = (
    "subprocess:getoutput",
    "os:abort",
    "sys:exit",
    "builtins:exec",
    "torch.hub:load",
    "numpy.testing:runstring",
    "importlib.util:find_spec",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    prepare(here)
    load_hardware("m.yaml")  # a graph library compiles what it needs at its first use
    return here


def study(**changes: Any) -> Path:
    path = Path("study.yaml")
    plain = {"model": "t.json", "hardware": "m.yaml", "objectives": ["energy_j"]}
    space = {"hardware_space": {"npu.rows": [8, 16]}}
    path.write_text(written(plain | space | changes, is_yaml=True))
    return path


@pytest.mark.parametrize("name", [*INSTALLED, *NO_MODULES])
def test_a_study_names_no_function_of_an_installed_module(name: str, folder: Path) -> None:
    options = {"cmd": "touch canary"}
    for changes in ({"model": name, "options": options}, {"objectives": [f"max:{name}"]}):
        with guarded(folder) as seen, pytest.raises(StudyError, match=r"^study\.yaml:1: "):
            read_study(study(**changes))
        assert not seen
    assert not Path("canary").exists()


@pytest.mark.parametrize("name", INSTALLED)
def test_a_scenario_names_no_function_of_an_installed_module(name: str) -> None:
    streams = {"a": seeds.SCENARIO["streams"]["a"] | {"model": name}}
    text = written(seeds.SCENARIO | {"streams": streams, "outputs": ["a"]}, True)
    Path("s.yaml").write_text(text)
    with pytest.raises(ScenarioError, match=r"^s\.yaml:1: model of a: .* is installed"):
        load_scenario("s.yaml")


def test_a_function_of_the_users_own_is_called() -> None:
    Path("mine_of_fuzz.py").write_text(
        "from codesign import load_trace\n\ndef model(n=1):\n    return load_trace('t.json')\n"
    )
    assert read_study(study(model="mine_of_fuzz:model")).source.name


def with_plugin(folder: Path) -> None:
    """Makes a folder that holds a plugin."""
    folder.mkdir()
    text = "from codesign import hookimpl\n@hookimpl\ndef codesign_models(): return {}\n"
    (folder / "mine.py").write_text(text)


@pytest.mark.parametrize("plugins", ["..", "/tmp", "../other", "a/../../b"])
def test_plugins_of_a_study_lie_in_the_current_folder(plugins: str) -> None:
    with pytest.raises(StudyError, match="is not in the current folder"):
        read_study(study(plugins=[plugins]))


def test_plugins_in_the_current_folder_are_loaded() -> None:
    with_plugin(Path("parts"))
    assert read_study(study(plugins=["parts"])).plugins == ("parts",)


def test_a_folder_without_plugins_is_told_with_the_line_of_the_study() -> None:
    Path("parts").mkdir()
    with pytest.raises(StudyError, match=r"study\.yaml:\d+: plugin folder 'parts' holds no plugin"):
        read_study(study(plugins=["parts"]))


@pytest.mark.parametrize("model", ["../x.pt2", "/tmp/x.pt2"])
def test_a_program_elsewhere_is_not_loaded(model: str) -> None:
    with pytest.raises(StudyError, match="is not in the current folder"):
        read_study(study(model=model))


def test_a_link_in_the_current_folder_is_the_users(tmp_path: Path) -> None:
    with_plugin(tmp_path / "elsewhere")
    Path("parts").symlink_to(tmp_path / "elsewhere")
    assert read_study(study(plugins=["parts"])).plugins == ("parts",)


@pytest.mark.parametrize("plugins", [[1], [None], [{}], [[]]])
def test_a_folder_of_plugins_that_is_no_text_is_one_line(plugins: list[Any]) -> None:
    with pytest.raises(CodesignError) as caught:
        read_study(study(plugins=plugins))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "line",
    [
        "from subprocess import getoutput as factory",
        "import functools, os\nfactory = functools.partial(os.system, 'touch x')",
        "from codesign.whole_file import write_whole as factory",
        "import os\nfactory = os.system",
    ],
)
def test_a_file_may_not_name_what_a_module_of_the_user_only_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    name = f"own_{abs(hash(line))}"
    (tmp_path / f"{name}.py").write_text(f"{line}\ndef mine():\n    return 1\n")
    assert "and a file may name no such" in foreign_function(f"{name}:factory")
    assert foreign_function(f"{name}:mine") == ""


def test_a_checkout_of_codesign_is_no_code_of_the_user() -> None:
    assert "is installed" in foreign_function("codesign.whole_file:write_whole")
