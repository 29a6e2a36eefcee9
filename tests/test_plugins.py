"""Finding plugins: through entry points, in folders, and a clear word when something is off."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import pytest

import codesign
from codesign.errors import PluginError
from codesign.hardware.component import Component, Engine, Link, Memory
from codesign.hardware.spec import list_hardware, load_hardware
from codesign.models import list_models
from codesign.plugins import Registry, registry
from codesign.testing import matmul
from codesign.workload.record import Trace

SHIPPED = {
    "systolic": Engine,
    "vector": Engine,
    "dsp": Engine,
    "cpu": Engine,
    "ethos_u": Engine,
    "gpu": Engine,
    "sparse_array": Engine,
    "sram": Memory,
    "dram": Memory,
    "link": Link,
}

KIND = """
from dataclasses import dataclass
from typing import ClassVar
from codesign.hardware.component import Memory
from codesign.hookspecs import hookimpl

@dataclass(frozen=True, kw_only=True)
class Mram(Memory):
    kind: ClassVar[str] = "{kind}"

@hookimpl
def codesign_components():
    return [Mram]
"""


def _write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(text)
    return folder


def _package(folder: Path, name: str, kind: str) -> Path:
    """A plugin of two modules, the second of which has the class."""
    text = KIND.format(kind=kind)
    start = text.index("@hookimpl")
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "memory.py").write_text(text[:start])
    hooks = "from codesign.hookspecs import hookimpl\nfrom .memory import Mram\n"
    (folder / name / "__init__.py").write_text(hooks + text[start:])
    return folder


def _copy_installed(name: str, folder: Path) -> Path:
    """Copies a shipped plugin, a file or a package, and says where it is now."""
    installed = Path(str(importlib.import_module(f"codesign_plugins.{name}").__file__))
    if installed.name == "__init__.py":
        return Path(shutil.copytree(installed.parent, folder / name))
    return Path(shutil.copy(installed, folder / f"{name}.py"))


def test_the_shipped_kinds_come_through_the_same_door_as_any_other() -> None:
    found = registry().components()
    for kind, base in SHIPPED.items():
        assert issubclass(found[kind], base)
        assert found[kind].kind == kind
    assert all(registry().plugins()[kind].startswith("codesign_plugins.") for kind in SHIPPED)


def test_a_folder_adds_kinds(tmp_path: Path) -> None:
    found = registry((_write(tmp_path, "mram", KIND.format(kind="mram")),))
    assert "mram" in found.components()
    assert found.plugins()["mram"] == str(tmp_path / "mram.py")
    assert "mram" not in registry().components()


def test_one_set_of_folders_is_loaded_once(tmp_path: Path) -> None:
    folder = _write(tmp_path, "mram", KIND.format(kind="mram"))
    first, again = (registry((folder,)).components()["mram"] for _ in range(2))
    assert first is again


def test_folders_may_be_text(tmp_path: Path) -> None:
    folder = _write(tmp_path, "mram", KIND.format(kind="mram"))
    assert registry([str(folder)]) is registry((folder,))
    assert "mram" in Registry([str(folder)]).components()


def test_a_cleared_cache_looks_at_the_folders_anew(tmp_path: Path) -> None:
    folder = _write(tmp_path, "mram", KIND.format(kind="mram"))
    before = registry((folder,))
    _write(tmp_path, "more", KIND.format(kind="rram"))
    assert "rram" not in registry((folder,)).components()
    registry.cache_clear()
    after = registry((folder,))
    assert after is not before
    assert "rram" in after.components()


def test_every_public_function_takes_folders_as_text(tmp_path: Path) -> None:
    folders = [str(_write(tmp_path, "mram", KIND.format(kind="mram")))]
    op = matmul(4, 4, 4)
    trace = Trace("alone", (op,), tuple(access.tensor for access in op.operands))
    assert codesign.simulate(trace, "edge-npu", plugins=folders).macs == 64
    assert load_hardware("edge-npu", plugins=folders).name == "edge-npu"
    assert "edge-npu" in {preset.name for preset in list_hardware(folders)}
    assert "gpt2" in list_models(folders)


def test_files_that_start_with_an_underscore_are_left_alone(tmp_path: Path) -> None:
    folder = _write(tmp_path, "_helper", "raise RuntimeError('must not run')")
    _write(tmp_path, "mine", KIND.format(kind="mram"))
    assert "_helper" not in Registry((folder,)).plugins()


def test_two_owners_of_one_kind_are_both_named(tmp_path: Path) -> None:
    folder = _write(tmp_path, "mine", KIND.format(kind="sram"))
    with pytest.raises(
        PluginError,
        match=r"^'sram' is offered by both plugin 'mine' \(.*mine\.py\) and plugin 'sram' \(code",
    ):
        Registry((folder,)).components()


def test_two_plugins_of_one_name_are_both_named(tmp_path: Path) -> None:
    folder = _write(tmp_path, "sram", KIND.format(kind="mram"))
    with pytest.raises(
        PluginError, match=r"plugin 'sram' is offered by both codesign_plugins.sram"
    ):
        Registry((folder,))


def test_the_same_file_name_in_two_folders_is_a_clash(tmp_path: Path) -> None:
    folders = [_write(tmp_path / n, "mram", KIND.format(kind=n)) for n in ("one", "two")]
    with pytest.raises(PluginError, match=r"offered by both .*one/mram.py and .*two/mram.py; ren"):
        Registry(folders)


def test_one_plugin_that_offers_a_kind_twice_is_refused(tmp_path: Path) -> None:
    text = KIND.format(kind="mram").replace("[Mram]", "[Mram, Mram]")
    with pytest.raises(PluginError, match=r"plugin 'mram' \(.*\) offers 'mram' twice"):
        Registry((_write(tmp_path, "mram", text),)).components()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nothing_like_this", "ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("def broken(:", "SyntaxError: "),
        ("raise ValueError('first\\nsecond')", "ValueError: first"),
        ("raise ValueError", "ValueError"),
    ],
)
def test_a_plugin_that_fails_to_load_is_named_in_one_line(
    text: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(
        PluginError, match=rf"plugin 'bad' \(.*bad\.py\) failed to load: {message}"
    ) as e:
        Registry((_write(tmp_path, "bad", text),))
    assert "\n" not in str(e.value)


def test_an_unknown_hook_is_refused_at_registration(tmp_path: Path) -> None:
    text = KIND.format(kind="mram").replace("def codesign_components", "def codesign_component")
    with pytest.raises(PluginError, match=r"plugin 'mram'.*unknown hook 'codesign_component'"):
        Registry((_write(tmp_path, "mram", text),))


def test_a_hook_with_an_argument_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    text = KIND.format(kind="mram").replace("components()", "components(colour)")
    with pytest.raises(PluginError, match=r"plugin 'mram'.*failed to load"):
        Registry((_write(tmp_path, "mram", text),))


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ("7", "must return a list, got 7; write return"),
        ("['sram2']", "codesign_components must return Component classes, got 'sram2'"),
        ("[int]", "codesign_components must return Component classes, got <class 'int'>"),
        ("1 / 0", "codesign_components raised ZeroDivisionError: division by zero"),
    ],
)
def test_a_hook_that_returns_the_wrong_thing_names_its_plugin(
    result: str, message: str, tmp_path: Path
) -> None:
    text = KIND.format(kind="mram").replace("[Mram]", result)
    with pytest.raises(PluginError, match=rf"plugin 'odd'.*{message}"):
        Registry((_write(tmp_path, "odd", text),)).components()


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="nowhere does not exist; give a folder"):
        Registry((tmp_path / "nowhere",))


@pytest.mark.parametrize("kind", sorted(SHIPPED))
def test_a_shipped_plugin_stands_alone_in_another_folder(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codesign.plugins.entry_points", lambda group: [])
    _copy_installed(kind, tmp_path)
    found = Registry((tmp_path,)).components()
    assert kind in found
    assert issubclass(found[kind], Component)


def test_a_shipped_plugin_copied_to_a_folder_takes_the_place_of_the_installed_one(
    tmp_path: Path,
) -> None:
    copies = {name: _copy_installed(name, tmp_path) for name in SHIPPED}
    copied = Registry((tmp_path,))
    assert {name: copied.plugins()[name] for name in SHIPPED} == {
        name: str(path) for name, path in copies.items()
    }
    assert copied.components().keys() == Registry().components().keys()


def test_a_copied_package_with_one_module_edited_is_a_clash(tmp_path: Path) -> None:
    with (_copy_installed("systolic", tmp_path) / "pace.py").open("a") as module:
        module.write("# edited\n")
    with pytest.raises(PluginError, match="plugin 'systolic' is offered by both codesign_plugins"):
        Registry((tmp_path,))


@pytest.mark.parametrize("name", ["table.csv", "below/deep.py"])
def test_a_copied_package_with_another_file_below_is_a_clash(tmp_path: Path, name: str) -> None:
    file = _copy_installed("systolic", tmp_path) / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("")
    with pytest.raises(PluginError, match="plugin 'systolic' is offered by both codesign_plugins"):
        Registry((tmp_path,))


def test_a_relative_folder_is_that_of_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("mram", "rram"):
        (tmp_path / kind).mkdir()
        _write(tmp_path / kind / "mine", "memory", KIND.format(kind=kind))
        monkeypatch.chdir(tmp_path / kind)
        assert kind in registry(("mine",)).components()
    assert registry(("mine",)) is registry(("mine",))


def test_a_plugin_that_ends_the_process_is_an_error(tmp_path: Path) -> None:
    _write(tmp_path, "leaves", "import sys\nsys.exit(0)\n")
    with pytest.raises(PluginError, match="failed to load: SystemExit: 0"):
        Registry((tmp_path,))


def test_a_hook_that_ends_the_process_is_an_error(tmp_path: Path) -> None:
    text = KIND.format(kind="mram").replace("return [Mram]", "raise SystemExit(3)")
    with pytest.raises(PluginError, match="codesign_components raised SystemExit: 3"):
        Registry((_write(tmp_path, "leaves", text),)).components()


def test_a_package_in_a_folder_is_one_plugin(tmp_path: Path) -> None:
    found = Registry((_package(tmp_path, "mram", "mram"),))
    assert found.plugins()["mram"] == str(tmp_path / "mram")
    assert found.components()["mram"].kind == "mram"


def test_a_package_that_changed_is_loaded_anew_with_all_its_modules(tmp_path: Path) -> None:
    folder = _package(tmp_path, "mram", "mram")
    assert "mram" in Registry((folder,)).components()
    _package(tmp_path, "mram", "rram_of_that_package")
    assert "rram_of_that_package" in Registry((folder,)).components()


def test_a_folder_without_modules_or_with_an_underscore_is_no_plugin(tmp_path: Path) -> None:
    _package(tmp_path, "_helper", "mram")
    (tmp_path / "presets").mkdir()
    _write(tmp_path, "mine", KIND.format(kind="mram"))
    assert {*Registry((tmp_path,)).plugins()} == {*Registry().plugins(), "mine"}
