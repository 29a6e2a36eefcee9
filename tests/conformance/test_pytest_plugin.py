"""The checks as tests of pytest, in a process of their own: collected only where asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from broken_plugins import written

from codesign.pytest_plugin import codesign_checks


def ran(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    words = ("-q", "-rA", "-p", "no:cacheprovider", "--rootdir", str(folder), *words)
    command = [sys.executable, "-m", "pytest", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_option_collects_every_check_of_a_plugin(tmp_path: Path) -> None:
    module = written(tmp_path, "link")
    found = ran(tmp_path, "--codesign-plugin", str(module), str(module.parent / "tests"))
    assert found.returncode == 0, found.stdout
    assert "kind probe (defaults): keeps its promises" in found.stdout
    assert "28 passed" in found.stdout  # fourteen by the option, fourteen by the test that it wrote


def test_a_check_that_fails_says_what_to_change_without_a_traceback(tmp_path: Path) -> None:
    module = written(tmp_path, "link", ("; assumed.", "."))
    found = ran(tmp_path, "--codesign-plugin", str(module), "--deselect", "nothing", str(tmp_path))
    assert found.returncode == 1
    assert "Probe.energy: its default has no source; end its entry in 'Attributes:'" in found.stdout
    lines = [line for line in found.stdout.splitlines() if line.startswith("FAILED")]
    (by_option,) = [line for line in lines if "codesign:probe.py" in line]
    assert "energies and powers have a source" in by_option


def test_a_plugin_that_is_not_there_is_an_error_of_use(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
    found = ran(tmp_path, "--codesign-plugin", "nowhere.py")
    assert found.returncode == 4
    assert "--codesign-plugin: nowhere.py does not exist" in found.stderr + found.stdout


def test_unused_it_loads_nothing_of_the_simulator(tmp_path: Path) -> None:
    (tmp_path / "test_light.py").write_text(
        "import sys\n\n\ndef test_light():\n"
        "    assert 'codesign.pytest_plugin' in sys.modules\n"
        "    assert not {'numpy', 'torch', 'codesign.testing'} & {*sys.modules}\n"
    )
    found = ran(tmp_path, "--noconftest")
    assert "1 passed" in found.stdout, found.stdout


@pytest.mark.parametrize("check", codesign_checks("link", "link"))
def test_the_parameters_are_called_without_arguments(check: object) -> None:
    assert callable(check)
    check()


def test_what_cannot_be_checked_is_skipped() -> None:
    (one,) = [p for p in codesign_checks("dram", "dram") if "YAML" in str(p.id)]
    with pytest.raises(pytest.skip.Exception, match="device is no plain value"):
        one.values[0]()
