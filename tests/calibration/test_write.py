"""The file that a calibration writes: all of the old one, what is new, and nothing by accident."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measured import PRESET, TRUTH, machine, synthetic

from codesign import Hardware, load_hardware
from codesign.calibration import Calibration, calibrate, write_hardware
from codesign.calibration.rewrite import edited, new_fields, new_scalars
from codesign.errors import CalibrationError
from codesign.hardware.spec import list_hardware
from codesign.hardware.yaml_source import parse_yaml


@cache
def fitted() -> Calibration:
    return calibrate(synthetic(100), machine())


@cache
def source() -> Path:
    return next(one.path for one in list_hardware() if one.name == PRESET)


def write(found: Calibration, folder: Path, name: str = "mine.yaml") -> Hardware:
    write_hardware(found, source(), folder / name)
    return load_hardware(folder / name)


def refused(target: Path, path: Path | None = None) -> str:
    before = sorted(target.parent.iterdir()) if target.parent.is_dir() else []
    with pytest.raises(CalibrationError) as caught:
        write_hardware(fitted(), path or source(), target)
    assert "\n" not in str(caught.value)
    assert not before or sorted(target.parent.iterdir()) == before
    return str(caught.value)


def test_a_written_file_is_the_calibrated_hardware(tmp_path: Path) -> None:
    found = fitted()
    read = write(found, tmp_path)
    assert read.engines == found.hardware.engines
    assert read.name == "mine"
    assert read.memories == machine().memories


def test_each_new_value_says_what_it_was_fitted_to(tmp_path: Path) -> None:
    found = fitted()
    rows = {row.field: row for row in write(found, tmp_path).provenance if row.component == "gpu"}
    for field in (*TRUTH, "calibration", "calibrated_range.contraction fp16*fp16 m", "protocol"):
        assert rows[field].status == "fitted"
        assert (
            rows[field].source
            == f"made up; {len(found.fit.fitted)} points, digest {found.fit.digest[:12]}"
        )
    assert rows["units"].status == "published"


def test_everything_else_stays_as_it_was_written(tmp_path: Path) -> None:
    write(fitted(), tmp_path)
    before = source().read_text().splitlines()
    after = (tmp_path / "mine.yaml").read_text().splitlines()
    gone = [line for line in before if line not in after]
    changed = {"t0", "compute_efficiency", "memory_efficiency", "protocol", "name", "description"}
    assert {line.split(":")[0].strip() for line in gone} == changed
    kept = [line for line in before if line not in gone]
    first = after.index(kept[0])
    assert [line for line in after[first:] if line in kept] == kept


def test_the_description_and_a_header_say_that_it_is_calibrated(tmp_path: Path) -> None:
    read = write(fitted(), tmp_path)
    old = machine().description
    assert "uncalibrated" in old
    assert read.description == old.replace("uncalibrated", "gpu calibrated")
    header = (tmp_path / "mine.yaml").read_text().split(f"\n#\n# {PRESET}: ")[0]
    words = " ".join(line.removeprefix("# ") for line in header.splitlines())
    assert words.startswith(f"mine: {PRESET} with constants of gpu fitted by codesign calibrate to")
    assert f"digest {fitted().fit.digest[:12]}: mean error 0.0% on 80 points of the fit, " in words
    assert all(len(line) <= 100 for line in header.splitlines())


def test_a_file_can_be_calibrated_again(tmp_path: Path) -> None:
    once = write(fitted(), tmp_path)
    found = calibrate(synthetic(100, {**TRUTH, "t0": 9e-6}), once)
    write_hardware(found, tmp_path / "mine.yaml", tmp_path / "again.yaml")
    again = load_hardware(tmp_path / "again.yaml")
    assert again.engines == found.hardware.engines
    assert getattr(again.engines[0], "t0", 0.0) == pytest.approx(9e-6, rel=0.05)
    assert again.description == once.description


COMMENTED = """\
# before
t0: {value: 1 us, source: x, status: assumed} # behind
# between
compute_efficiency:
  # inside
  value: 0.5
  source: x
  status: assumed
# after a block

memory_efficiency: 0.9   # at the end
"""


def commented(folder: Path) -> Path:
    """The preset with comments around and inside of what is replaced, and behind the name."""
    lines = source().read_text().splitlines()
    fields = ("t0:", "compute_efficiency:", "memory_efficiency:")
    kept = [line for line in lines if not line.strip().startswith(fields)]
    place = next(number for number, line in enumerate(kept) if "    protocol:" in line)
    kept[place:place] = [f"    {line}".rstrip() for line in COMMENTED.splitlines()]
    path = folder / "commented.yaml"
    text = "\n".join([*kept, "# last", ""])
    path.write_text(text.replace(f"\nname: {PRESET}\n", "\nname: commented # of the name\n"))
    return path


def test_comments_on_their_own_lines_stay_where_they_are(tmp_path: Path) -> None:
    path = commented(tmp_path)
    found = calibrate(synthetic(100), load_hardware(path))
    write_hardware(found, path, tmp_path / "new.yaml")
    lines = (tmp_path / "new.yaml").read_text().splitlines()
    words = ("# before", "# between", "# inside", "# after a block", "# last")
    assert [line.strip() for line in lines if line.strip() in words] == list(words)
    assert 'name: "new" # of the name' in lines
    assert not any("# behind" in line or "# at the end" in line for line in lines)
    places = [
        next(i for i, line in enumerate(lines) if line.strip().startswith(word))
        for word in (
            "# before",
            "t0:",
            "# between",
            "compute_efficiency:",
            "# inside",
            "# after a block",
            "memory_efficiency:",
        )
    ]
    assert places == sorted(places)


NAMES = ("123", "null", "true", "#a", "a: b", "-x", "it's", 'say "so"', "[red]", "é", "1e5", "~")


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_file_is_a_name(tmp_path: Path, name: str) -> None:
    assert write(fitted(), tmp_path, f"{name}.yaml").name == name


def test_a_file_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("precious")
    assert refused(path).endswith("is already there; name another file, or remove it")
    assert path.read_text() == "precious"
    (tmp_path / "dangling.yaml").symlink_to(tmp_path / "nothing.yaml")
    assert "is already there" in refused(tmp_path / "dangling.yaml")


@pytest.mark.parametrize(
    ("target", "rule"),
    [
        ("mine.txt", "a hardware file is called *.yaml, got "),
        ("nowhere/mine.yaml", "does not exist; make it first"),
        ("folder.yaml", "folder.yaml is a folder; name a file"),
        (f"{'x' * 217}.yaml", "must be a printable word of at most 221 bytes, got 'xxxx"),
        (f"{'é' * 120}.yaml", "must be a printable word of at most 221 bytes, got "),
        ("a\nb.yaml", "must be a printable word of at most 221 bytes, got 'a\\nb.yaml'; rename it"),
        (os.fsdecode(b"\xff.yaml"), "must be a printable word"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, target: str, rule: str) -> None:
    (tmp_path / "folder.yaml").mkdir()
    assert rule in refused(tmp_path / target)


def test_the_longest_name_is_written(tmp_path: Path) -> None:
    name = "x" * 216
    assert write(fitted(), tmp_path, f"{name}.yaml").name == name


def test_the_source_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / f"{PRESET}.yaml"
    path.write_text(source().read_text())
    message = refused(path, path)
    assert message.endswith("is the file that is calibrated; name another one")
    assert path.read_text() == source().read_text()


def test_hardware_that_was_changed_for_the_run_is_not_written(tmp_path: Path) -> None:
    """The file would hold constants of another memory than it describes."""
    found = calibrate(synthetic(100), machine().with_("hbm.bandwidth", 4e12))
    with pytest.raises(CalibrationError, match="is not the hardware that was calibrated"):
        write_hardware(found, source(), tmp_path / "mine.yaml")
    assert not list(tmp_path.iterdir())


def test_an_engine_on_one_line_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    lines = source().read_text().split("\n\n")
    start = next(number for number, part in enumerate(lines) if part.startswith("components:"))
    body = "components:\n  gpu: {kind: gpu, buffer: l2}"
    path = tmp_path / "flow.yaml"
    text = "\n\n".join([*lines[:start], body, *lines[start + 1 :]])
    path.write_text(text.replace(f"name: {PRESET}", "name: flow"))
    found = calibrate(synthetic(60), load_hardware(path))
    with pytest.raises(CalibrationError, match="must stand in lines of its own"):
        write_hardware(found, path, tmp_path / "out.yaml")
    assert not (tmp_path / "out.yaml").exists()


def test_a_file_without_a_description_gets_one(tmp_path: Path) -> None:
    path = tmp_path / "bare.yaml"
    lines = source().read_text().splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("description:")))
    found = calibrate(synthetic(60), load_hardware(path))
    write_hardware(found, path, tmp_path / "mine.yaml")
    assert load_hardware(tmp_path / "mine.yaml").description == "gpu calibrated"


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=12)
YAML = """\
name: a # b
description: >-
  two
  lines

components:
  x:
    kind: k
    list:
    - 1
    # of the list
    - 2
    text: "one
      two"
    # after

  y: {}
"""


def changed(scalars: Mapping[str, str], fields: Mapping[str, str]) -> str:
    lines, root = YAML.splitlines(), parse_yaml(YAML.encode(), "it")
    changes = new_scalars(lines, root, scalars) | new_fields(lines, root, "x", fields)
    return "\n".join([*edited(lines, changes), ""])


@given(name=WORDS, value=WORDS)
def test_changes_are_those_that_they_name_and_no_others(name: str, value: str) -> None:
    scalars = {"name": quoted(name), "description": quoted(value)}
    fields = {"text": f"text: {quoted(value)}", "new": f"new: {quoted(name)}"}
    found = parse_yaml(changed(scalars, fields).encode(), "it").plain()
    assert found == {
        "name": name,
        "description": value,
        "components": {"x": {"kind": "k", "list": [1, 2], "text": value, "new": name}, "y": {}},
    }


def test_a_value_goes_with_its_lines_and_leaves_the_comments_between() -> None:
    after = changed({"name": "c"}, {"list": "list: []"})
    old = "list:\n    - 1\n    # of the list\n    - 2\n"
    assert after == YAML.replace(old, "list: []\n    # of the list\n").replace("name: a", "name: c")


@pytest.mark.parametrize(
    ("line", "behind"),
    [
        ("name: a", ""),
        ("name: a  # b", "  # b"),
        ("name: a#b", ""),
        ('name: "a # b"', ""),
        ("name: 'it''s # b' # c", " # c"),
        ('name: "say \\" # b" # c # d', " # c # d"),
    ],
)
def test_what_is_said_behind_a_name_stays(line: str, behind: str) -> None:
    text = f"{line}\ncomponents: {{}}\n"
    root = parse_yaml(text.encode(), "it")
    found = edited(text.splitlines(), new_scalars(text.splitlines(), root, {"name": "new"}))
    assert found[0] == f"name: new{behind}"
