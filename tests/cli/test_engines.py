"""``--engines``, ``--on`` and ``--split``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Codesign
from strategies import Sketch

import codesign as library
from codesign import Engines
from codesign.cli.options import read_engines
from codesign.errors import MappingError

TWO = """
name: two
description: two arrays
components:
  npu0: {kind: systolic, buffer: sram0, rows: 16, cols: 16}
  npu1: {kind: systolic, buffer: sram1, rows: 16, cols: 16}
  vector: {kind: vector, buffer: sram0}
  sram0: {kind: sram, size: 64 KiB, bandwidth: 64 GB/s}
  sram1: {kind: sram, size: 64 KiB, bandwidth: 64 GB/s}
  bus0: {kind: link, connects: [dram, sram0], bandwidth: 32 GB/s}
  bus1: {kind: link, connects: [dram, sram1], bandwidth: 32 GB/s}
  dram: {kind: flat_dram, device: toy, size: 1 GiB, bandwidth: 64 GB/s}
"""


@pytest.fixture
def branches(tmp_path: Path) -> Path:
    sketch = Sketch("branches")
    x = sketch.input("x", 64, 128)
    for name in "abc":
        sketch.matmul(name, x, 128)
    library.save_trace(sketch.trace(), tmp_path / "branches.json")
    return tmp_path / "branches.json"


@pytest.fixture
def two(tmp_path: Path) -> Path:
    path = tmp_path / "two.yaml"
    path.write_text(TWO)
    return path


def run(codesign: Codesign, branches: Path, two: Path, *options: str) -> dict[str, object]:
    ran = codesign("simulate", branches, "--hardware", two, "--json", *options)
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(ran.out)
    assert isinstance(found, dict)
    return found


def test_the_default_is_earliest(codesign: Codesign, branches: Path, two: Path) -> None:
    plain = run(codesign, branches, two)
    assert plain["digest"] == run(codesign, branches, two, "--engines", "earliest")["digest"]


def test_a_rule_moves_operators_to_its_engine(
    codesign: Codesign, branches: Path, two: Path
) -> None:
    used = run(codesign, branches, two, "--on", "kind:contraction=npu1")["energy_by_component_j"]
    assert isinstance(used, dict)
    assert used["npu1"] > 0
    assert used["npu0"] == 0


def test_splitting_is_told_in_the_notes(codesign: Codesign, branches: Path, two: Path) -> None:
    ran = codesign("simulate", branches, "--hardware", two, "--split")
    assert ran.code == 0
    assert "several at once" in " ".join(ran.out.split())


def test_options_become_engines() -> None:
    rules = ["a=b=npu", "kind:softmax = vector"]
    assert read_engines("optimal", rules, split=True) == Engines(
        "optimal", {"a=b": "npu", "kind:softmax": "vector"}, split=True
    )


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (["npu"], "--on takes PATTERN=ENGINE, got 'npu'"),
        (["=npu"], "--on takes PATTERN=ENGINE"),
        (["a="], "--on takes PATTERN=ENGINE"),
        (["a=x", "a=y"], "--on gives 'a' twice"),
    ],
)
def test_a_rule_of_another_form_is_refused(rules: list[str], words: str) -> None:
    with pytest.raises(MappingError, match=words):
        read_engines("earliest", rules, split=False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--engines", "best"), "engines must be a policy, got 'best'; known: alone, earliest"),
        (("--engines", "alone", "--split"), "engines 'alone' runs each operator on one engine"),
        (("--on", "zzz=npu0"), "the rule 'zzz' matches no operator"),
        (("--on", "*=npu9"), "names the unknown engine 'npu9'; did you mean 'npu1'"),
        (("--on", "*=vector"), "must run on vector by a rule, which does not take it"),
    ],
)
def test_mistakes_are_told_in_one_line(
    codesign: Codesign, branches: Path, two: Path, options: tuple[str, ...], words: str
) -> None:
    ran = codesign("simulate", branches, "--hardware", two, *options)
    assert ran.code == 2
    assert ran.out == ""
    assert words in ran.err
    assert ran.err.count("\n") == 1
