"""Commands that fail leave no half of an output, and an old one as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fuzz_doors import prepare, run_command
from fuzz_seeds import SCENARIO, STUDY, measurements
from hostile_tree import written

from codesign.errors import CodesignError
from codesign.whole_file import write_whole

COMMANDS = {
    "simulate": ("simulate", "bad.json", "--hardware", "m.yaml", "--out", "out"),
    "simulate, hardware": ("simulate", "t.json", "--hardware", "bad.yaml", "--out", "out"),
    "simulate, set": (
        *("simulate", "t.json", "--hardware", "m.yaml", "--set", "x.y=1", "--out", "out"),
    ),
    "simulate, mapping": (
        *("simulate", "t.json", "--hardware", "m.yaml", "--mapping", "bad.yaml", "--out", "out"),
    ),
    "trace": ("trace", "bad.json", "-o", "out/summary.json"),
    "scenario": ("scenario", "bad.yaml", "--hardware", "m.yaml", "--out", "out"),
    "scenario, hardware": ("scenario", "s.yaml", "--hardware", "bad.yaml", "--out", "out"),
    "sweep": ("sweep", "bad.yaml", "-o", "out"),
    "search": ("search", "bad.yaml", "-o", "out"),
    "calibrate": ("calibrate", "bad.csv", "--hardware", "h100", "-o", "out/new.yaml"),
    "pareto": ("pareto", "out", "--figures", "out/figures"),
}


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A folder with valid inputs, bad ones, and an output of an earlier run."""
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    (tmp_path / "study.yaml").write_text(written(STUDY, True))
    (tmp_path / "s.yaml").write_text(written(SCENARIO, True))
    (tmp_path / "bad.yaml").write_text("name: [")
    (tmp_path / "bad.json").write_text('{"format":')
    (tmp_path / "bad.csv").write_bytes(measurements().replace(b"5.37", b"nan"))
    (tmp_path / "out").mkdir()
    for name in ("summary.json", "timeline.json", "journal.jsonl"):
        (tmp_path / "out" / name).write_text(json.dumps({"old": name}))
    return contents(tmp_path)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_fails_changes_no_file(
    name: str, old: dict[str, bytes], tmp_path: Path
) -> None:
    with pytest.raises(CodesignError):
        run_command(COMMANDS[name])
    assert contents(tmp_path) == old


@pytest.mark.parametrize(
    "words",
    [
        ("sweep", "study.yaml", "-o", "new"),
        ("simulate", "t.json", "--hardware", "m.yaml", "--out", "new"),
        ("scenario", "s.yaml", "--hardware", "m.yaml", "--out", "new"),
        ("trace", "t.json", "-o", "copy.json"),
    ],
)
def test_a_command_that_succeeds_leaves_no_draft(
    words: tuple[str, ...], old: dict[str, bytes], tmp_path: Path
) -> None:
    run_command(words)
    found = contents(tmp_path)
    assert found.items() >= old.items()
    assert len(found) > len(old)
    assert not [name for name in found if Path(name).name.startswith(".")]


def test_a_writer_that_is_interrupted_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def write(draft: Path) -> None:
        draft.write_text("ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, write)
    assert contents(tmp_path) == {"a": b"old"}
