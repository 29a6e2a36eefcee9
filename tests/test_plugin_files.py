"""A folder or a file that was given as plugins and holds none is a slip, never silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Codesign

from codesign.errors import PluginError
from codesign.hardware.spec import load_hardware
from codesign.plugins import Registry

HOOK = "from codesign import hookimpl\n@hookimpl\ndef codesign_models(): return {}\n"


def test_a_helper_beside_a_plugin_need_not_be_one(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(HOOK)
    (tmp_path / "helper.py").write_text("KIND = 1")
    assert {"mine", "helper"} <= {*Registry((tmp_path,)).plugins()}


@pytest.mark.parametrize(
    ("files", "given", "message"),
    [
        (
            {},
            "",
            "plugin folder '{at}' holds no plugin: no file *.py and no package whose name b",
        ),
        (
            {"_mine.py": HOOK},
            "",
            "no package whose name begins without an underscore; give",
        ),
        ({"board.yaml": "name: board"}, "", "plugin folder '{at}' holds no plugin: no file *.py"),
        ({"inner/mine.py": HOOK}, "", "holds no plugin: no file *.py and no package"),
        (
            {"a.py": "", "b.py": "x = 1"},
            "",
            "'{at}' holds no plugin: nothing in a.py, b.py is ",
        ),
        ({f"{n}.py": "" for n in "abcd"}, "", "nothing in a.py, b.py, c.py, ... is marked with"),
        (
            {"a.py": "x = 1"},
            "a.py",
            "a.py' holds no plugin: nothing in a.py is marked with",
        ),
    ],
)
@pytest.mark.parametrize("is_strict", [True, False])
def test_a_folder_that_holds_no_plugin_is_refused(
    files: dict[str, str], given: str, message: str, is_strict: bool, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(PluginError) as caught:
        Registry([tmp_path / given], is_strict=is_strict)
    assert message.format(at=tmp_path) in str(caught.value)


def test_every_door_refuses_a_folder_without_a_plugin(tmp_path: Path, codesign: Codesign) -> None:
    for args in (
        ("plugins", "list", "--plugins", tmp_path),
        ("plugins", "show", "sram", "--plugins", tmp_path),
        ("plugins", "check", tmp_path),
        ("hardware", "list", "--plugins", tmp_path),
        ("simulate", "lstm_lm", "--hardware", "edge-npu", "--plugins", tmp_path),
    ):
        ran = codesign(*args)
        assert (ran.code, ran.out) == (2, "")
        assert f"plugin folder '{tmp_path}' holds no plugin" in ran.err
    with pytest.raises(PluginError, match="holds no plugin"):
        load_hardware("edge-npu", plugins=[tmp_path])


def test_a_file_that_fails_to_load_is_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1 / 0")
    with pytest.raises(PluginError, match="failed to load: ZeroDivisionError"):
        Registry([tmp_path])
    (found,) = (one for one in Registry([tmp_path], is_strict=False).sources() if one.name == "a")
    assert found.state == "failed"
