"""Which plugins are loaded: words that leave some out, and what fails without stopping the rest."""

from __future__ import annotations

import json
import warnings
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path

import pytest
from conftest import Codesign

import codesign as package
from codesign.errors import CodesignError, HardwareError, PluginError
from codesign.explore.executors import find_executor
from codesign.explore.search.searchers import find_searcher
from codesign.hardware.spec import load_hardware
from codesign.models import resolve_model
from codesign.plugin_choice import Choice, PluginWarning, Source, is_rule
from codesign.plugins import Registry, registry
from codesign.result.exporters import find_exporter
from codesign.workload.annotate import find_format

BOARD = "name: board\ncomponents:\n  part: {kind: dream, buffer: sram}\n"
HOOK_FAILS = """
from codesign import hookimpl

@hookimpl
def codesign_components():
    raise KeyError("licence")
"""


class Installed(Distribution):
    """A distribution of one entry point."""

    def read_text(self, filename: str) -> str | None:
        return "Name: dream-parts\nVersion: 2.1\n" if filename == "METADATA" else None

    def locate_file(self, path: object) -> Path:
        return Path(str(path))


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The installed plugin ``dream``, whose module fails; the file may be changed."""
    import codesign.plugins as module

    found = entry_points
    entry = EntryPoint("dream", "dream_parts", "codesign")
    entry = entry._for(Installed())  # type: ignore[attr-defined]  # as importlib does it
    monkeypatch.setattr(module, "entry_points", lambda group: [*found(group=group), entry])
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "dream_parts", raising=False)
    registry.cache_clear()
    file = tmp_path / "dream_parts.py"
    file.write_text("raise ImportError('needs dreamlib')\n")
    return file


@pytest.fixture(autouse=True)
def _forgotten() -> object:
    yield
    registry.cache_clear()


def test_words_are_sorted_into_folders_and_rules() -> None:
    choice = Choice.of(["mine", Path("yours"), "no:gpu", "no:pim*", "only:codesign"])
    assert choice == Choice((Path("mine"), Path("yours")), ("gpu", "pim*"), ("codesign",))
    assert [is_rule(word) for word in ("no:gpu", "only:gpu", "gpu", Path("no"))] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("words", "name", "rule"),
    [
        (["no:gpu"], "gpu", "no:gpu"),
        (["no:gpu"], "pim", ""),
        (["no:*pu"], "gpu", "no:*pu"),
        (["no:dist"], "gpu", "no:dist"),
        (["only:gpu"], "gpu", ""),
        (["only:gpu", "only:cpu"], "pim", "only:gpu only:cpu"),
        (["only:dist"], "pim", ""),
        (["only:dist", "no:gpu"], "gpu", "no:gpu"),
        ([], "gpu", ""),
    ],
)
def test_a_rule_names_a_plugin_or_its_distribution(words: list[str], name: str, rule: str) -> None:
    assert Choice.of(words).blocked_by(Source(name, "module", "dist", "1")) == rule


def test_what_is_left_out_is_not_loaded_and_listed_as_blocked() -> None:
    loaded = Registry(["no:gpu", "no:pim*"])
    assert "gpu" not in loaded.components()
    assert "gpu" not in loaded.plugins()
    blocked = {one.name: one.reason for one in loaded.sources() if one.state == "blocked"}
    assert blocked == {"gpu": "left out by no:gpu", "pim": "left out by no:pim*"}
    assert Registry(["only:link", "only:sram"]).components().keys() == {"link", "sram"}
    assert Registry(["only:codesign"]).components().keys() == Registry().components().keys()


def test_a_file_of_the_same_name_takes_the_place_of_what_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "sram.py").write_text(
        "from codesign import hookimpl\n@hookimpl\ndef codesign_models(): return {}\n"
    )
    with pytest.raises(PluginError, match="rename one or leave one out"):
        Registry([tmp_path])
    assert Registry([tmp_path, "no:sram"]).plugins()["sram"] == str(tmp_path / "sram.py")
    assert Registry([tmp_path / "sram.py", "no:sram"]).plugins()["sram"] == str(
        tmp_path / "sram.py"
    )


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("no:", "plugins: 'no:' names no plugin; write for example no:gpu"),
        ("only:", "plugins: 'only:' names no plugin; write for example only:gpu"),
        ("no:gpuu", "no installed plugin is called 'gpuu'; did you mean 'gpu'"),
        ("no:x*", "no installed plugin is called 'x*'"),
    ],
)
def test_a_slip_in_a_rule_is_told(word: str, message: str) -> None:
    with pytest.raises(PluginError, match=message.replace("*", r"\*")):
        Registry([word])


def test_a_simulation_can_leave_a_plugin_out(sample: Path) -> None:
    whole = package.simulate(str(sample), "edge-npu")
    without = package.simulate(str(sample), "edge-npu", plugins=["no:gpu"])
    assert without.digest == whole.digest
    with pytest.raises(HardwareError, match="unknown kind 'systolic' for component 'npu'"):
        load_hardware("edge-npu", plugins=["no:systolic"])


def test_a_study_remembers_which_plugins_it_left_out(sample: Path) -> None:
    def digest(*words: str) -> str:
        space = {"npu.rows": [8, 16]}
        return package.Study(
            model=str(sample),
            hardware="edge-npu",
            objectives=["latency_s"],
            hardware_space=space,
            plugins=words,
        ).digest

    assert len({digest(), digest("no:gpu"), digest("no:pim")}) == 3


def test_a_broken_installed_plugin_does_not_stop_what_does_not_need_it(
    broken: Path, sample: Path
) -> None:
    with pytest.warns(PluginWarning, match=r"plugin 'dream' \(dream_parts\) failed to load: Impo"):
        loaded = registry()
    assert loaded.lost() == (
        "; plugin 'dream' (dream_parts) failed to load: ImportError: needs dreamlib at "
        f"{broken}:1; mend it, or leave it out with --plugins no:dream"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)
        assert package.simulate(str(sample), "edge-npu").macs > 0


@pytest.mark.filterwarnings("ignore::codesign.plugin_choice.PluginWarning")
def test_who_misses_what_it_offers_is_told_in_one_line(broken: Path, tmp_path: Path) -> None:
    board = tmp_path / "board.yaml"
    board.write_text(BOARD)
    for ask in (
        lambda: load_hardware(board),
        lambda: load_hardware("dream-board"),
        lambda: resolve_model("dream_net"),
        lambda: find_exporter("dream"),
        lambda: find_searcher("dream"),
        lambda: find_executor("dream"),
        lambda: find_format("dream"),
    ):
        with pytest.raises(CodesignError, match="failed to load: ImportError: needs dreaml") as e:
            ask()
        assert "\n" not in str(e.value)
        assert "leave it out with --plugins no:dream" in str(e.value)


@pytest.mark.filterwarnings("ignore::codesign.plugin_choice.PluginWarning")
def test_left_out_a_broken_plugin_says_nothing(broken: Path) -> None:
    loaded = Registry(["no:dream"])
    assert loaded.lost() == ""
    assert {one.name: one.state for one in loaded.sources()}["dream"] == "blocked"


@pytest.mark.filterwarnings("ignore::codesign.plugin_choice.PluginWarning")
def test_a_hook_that_fails_leaves_its_plugin_out(broken: Path) -> None:
    broken.write_text(HOOK_FAILS)
    loaded = Registry()
    assert "sram" in loaded.components()
    assert "failed: codesign_components raised KeyError: 'licence'" in loaded.lost()
    assert "dream" not in loaded.plugins()


def test_the_list_shows_what_failed_what_is_blocked_and_whose_it_is(
    broken: Path, codesign: Codesign
) -> None:
    listed = json.loads(codesign("plugins", "list", "--plugins", "no:gpu", "--json").out)
    found = {one["name"]: one for one in listed}
    assert found["dream"] == {
        "name": "dream",
        "origin": "dream_parts",
        "distribution": "dream-parts",
        "version": "2.1",
        "state": "failed",
        "reason": f"failed to load: ImportError: needs dreamlib at {broken}:1",
        "offers": {},
    }
    assert (found["gpu"]["state"], found["gpu"]["offers"]) == ("blocked", {})
    assert (found["sram"]["state"], found["sram"]["distribution"]) == ("loaded", "codesign")
    ran = codesign("plugins", "list", "--plugins", "no:gpu")
    assert ran.code == 0
    assert "dream_parts (dream-parts 2.1)" in ran.out
    assert "BLOCKED: left out by no:gpu" in ran.out
    assert "note: plugin 'dream' failed to load: ImportError: needs dreamlib" in ran.err


def test_the_list_shows_a_broken_file_too(codesign: Codesign, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import nothing_like_this\n")
    (tmp_path / "odd.py").write_text(HOOK_FAILS)
    listed = json.loads(codesign("plugins", "list", "--plugins", tmp_path, "--json").out)
    reasons = {one["name"]: one["reason"] for one in listed if one["state"] == "failed"}
    bad, odd = (tmp_path / f"{name}.py" for name in ("bad", "odd"))
    missing = "ModuleNotFoundError: No module named 'nothing_like_this'"
    licence = "codesign_components raised KeyError: 'licence'"
    assert reasons == {
        "bad": f"failed to load: {missing} at {bad}:1",
        "odd": f"failed: {licence} at {odd}:6 in codesign_components",
    }


def test_a_command_notes_a_broken_plugin_in_one_line(
    broken: Path, codesign: Codesign, sample: Path
) -> None:
    ran = codesign("simulate", sample, "--hardware", "edge-npu", "--json")
    assert ran.code == 0
    (note,) = [line for line in ran.err.splitlines() if "dream" in line]
    assert note.startswith("note: plugin 'dream' (dream_parts) failed to load: ImportError: needs")
    assert json.loads(ran.out)["macs"] > 0


def test_a_check_of_a_broken_plugin_fails_and_says_why(broken: Path, codesign: Codesign) -> None:
    ran = codesign("plugins", "check", "dream-parts")
    assert ran.code == 1
    assert "failed  plugin dream: loads: plugin 'dream' (dream_parts) failed to load" in ran.out


def test_hooks_that_raise_are_named_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(HOOK_FAILS)
    with pytest.raises(PluginError, match=r"plugin 'odd' \(.*odd\.py\) failed: codesign_comp"):
        Registry([tmp_path]).components()
