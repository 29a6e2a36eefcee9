"""``codesign plugins new``: what it writes is installed, tested and simulated, or nothing is."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from conftest import Codesign

from codesign.templates import USES
from codesign.testing.imports import check_imports

PROGRAM = ("-c", "from codesign.cli import main; main()")
STUDY = """
model: {trace}
hardware: edge-npu
hardware_space:
  npu.rows: [8, 16]
  npu.cols: [8, 16]
objectives: [latency_s, energy_j]
plugins: [{plugins}]
"""


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


@pytest.mark.parametrize("kind", USES)
def test_it_says_what_it_wrote_and_what_to_do_next(
    kind: str, codesign: Codesign, tmp_path: Path
) -> None:
    folder = tmp_path / "made"
    ran = codesign("plugins", "new", kind, "our_part", "-o", folder)
    assert ran.code == 0
    *wrote, last = ran.out.splitlines()
    assert sorted(wrote) == [f"wrote {folder / name}" for name in files(folder)]
    assert last == f"next: codesign plugins check {folder / 'our_part.py'}"
    assert {"our_part.py", "tests/test_our_part.py", "README.md"} < {*files(folder)}


@pytest.mark.parametrize("kind", USES)
def test_nothing_of_the_template_is_left(kind: str, codesign: Codesign, tmp_path: Path) -> None:
    codesign("plugins", "new", kind, "our_part", "-o", tmp_path / "made")
    for path in (tmp_path / "made").rglob("*.*"):
        text = path.read_text()
        assert not [word for word in ("my_plugin", "my-plugin", "MyPlugin", "KIND") if word in text]
    module = tmp_path / "made" / "our_part.py"
    compile(module.read_text(), str(module), "exec")
    check_imports([module])


def test_an_engine_is_under_sixty_lines(codesign: Codesign, tmp_path: Path) -> None:
    codesign("plugins", "new", "engine", "our_array", "-o", tmp_path / "made")
    text = (tmp_path / "made" / "our_array.py").read_text()
    assert len(text.splitlines()) < 60
    assert "class OurArray(Engine):" in text


def test_without_a_folder_it_takes_that_of_the_name(
    codesign: Codesign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    codesign("plugins", "new", "memory", "our_ram")
    assert (tmp_path / "our_ram" / "our_ram.yaml").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("engin", "our_part"), "unknown kind of plugin 'engin'; did you mean 'engine'?"),
        (("engine", "Our-Part"), "must be a word of 2 to 40 small letters"),
        (("engine", "lambda"), "that is no keyword, got 'lambda'"),
        (("engine", "x" * 41), "must be a word of 2 to 40 small letters"),
        (("engine", "our_"), "must be a word of 2 to 40 small letters"),
        (("engine", "systolic"), "'systolic' is taken by a plugin or package; take another name"),
        (("engine", "torch"), "'torch' is taken by a plugin or package; take another name"),
    ],
)
def test_a_mistake_writes_nothing(
    words: tuple[str, str], message: str, codesign: Codesign, tmp_path: Path
) -> None:
    ran = codesign("plugins", "new", *words, "-o", tmp_path / "made")
    assert ran.code == 2
    assert message in ran.err
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "made").exists()


def test_a_folder_that_is_there_is_left_alone(codesign: Codesign, tmp_path: Path) -> None:
    ran = codesign("plugins", "new", "engine", "our_part", "-o", tmp_path)
    assert ran.code == 2
    assert f"{tmp_path} is there already; give another folder with -o" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(codesign: Codesign, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = codesign("plugins", "new", "engine", "our_part", "-o", tmp_path / "file" / "made")
    assert ran.code == 2
    assert "give another folder with -o" in ran.err


@pytest.mark.parametrize("kind", ["engine", "memory", "link"])
def test_a_new_part_is_simulated(
    kind: str, codesign: Codesign, tmp_path: Path, sample: Path
) -> None:
    made = tmp_path / "made"
    codesign("plugins", "new", kind, "our_part", "-o", made)
    board = made / "our_part.yaml"
    ran = codesign("simulate", sample, "--hardware", board, "--plugins", made, "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["energy_by_component_j"]["own"] > 0


def test_a_new_exporter_writes_a_result(codesign: Codesign, tmp_path: Path, sample: Path) -> None:
    made, out = tmp_path / "made", tmp_path / "energies.txt"
    codesign("plugins", "new", "exporter", "our_lines", "-o", made)
    words = ("--hardware", "edge-npu", "--plugins", made, "--export", f"our_lines={out}")
    assert codesign("simulate", sample, *words).code == 0
    assert out.read_text().startswith("npu\t")


def test_a_new_searcher_and_a_new_executor_find_the_front(
    codesign: Codesign, tmp_path: Path, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a study may name plugins of the current folder only
    names = {"searcher": "our_order", "executor": "our_farm"}
    for kind, name in names.items():
        codesign("plugins", "new", kind, name, "-o", tmp_path / name)
    study = tmp_path / "study.yaml"
    folders = ", ".join(str(tmp_path / name) for name in names.values())
    study.write_text(STUDY.format(trace=sample, plugins=folders))
    words = ("--sampler", "our_order", "--executor", "our_farm", "--budget", "9", "--json")
    ran = codesign("search", study, "-o", tmp_path / "found", *words)
    found = json.loads(ran.out)
    assert (found["sampler"], len(found["order"])) == ("our_order", 4)
    assert found["ended"] == "the sampler knows no further point"


def environment(folder: Path) -> Path:
    """The interpreter of an environment that sees all that is installed here."""
    venv.create(folder)
    python = folder / "bin" / "python"
    base = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", vars=base))
    here = [*site.getsitepackages(), *(path for path in sys.path if path.endswith("-packages"))]
    lines = [f"import site; site.addsitedir({path!r})\n" for path in dict.fromkeys(here)]
    (packages / "here.pth").write_text("".join(lines))
    return python


def test_a_new_distribution_is_installed_tested_and_simulated(
    codesign: Codesign, tmp_path: Path, sample: Path
) -> None:
    made = tmp_path / "made"
    codesign("plugins", "new", "engine", "our_array", "-o", made)
    python = environment(tmp_path / "env")
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def run(*words: str | Path) -> str:
        done = subprocess.run(
            [python, *words], cwd=made, env=variables, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    offline = ["install", "--no-build-isolation", "--no-deps", "--no-index", "--quiet", str(made)]
    subprocess.run([*pip, *offline], check=True, env=variables)
    listed = json.loads(run(*PROGRAM, "plugins", "list", "--json"))
    (mine,) = [one for one in listed if one["name"] == "our_array"]
    assert (mine["distribution"], mine["version"]) == ("our-array", "0.1.0")
    assert mine["offers"] == {"codesign_components": ["our_array"]}
    words = ("simulate", str(sample), "--hardware", "our_array.yaml", "--json")
    assert json.loads(run(*PROGRAM, *words))["energy_by_component_j"]["own"] > 0
    (made / "our_array.py").rename(tmp_path / "our_array.py")  # what is installed remains
    assert "0 failed" in run(*PROGRAM, "plugins", "check", "our-array")
