"""Files of studies mean what the same arguments mean, and mistakes in them have a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from study_parts import RATES, quality, study, tiny

from codesign.errors import StudyError
from codesign.explore.study import Study
from codesign.explore.study_file import KEYS, read_study

GOOD = """\
model: study_parts:tiny
hardware: edge-npu
model_space: {width: [16, 32]}
hardware_space:
  dram.bandwidth: [1 GB/s, 2 GB/s, 3 GB/s, 4 GB/s, 5 GB/s, 6 GB/s]
objectives: [energy_j, latency_s]
"""


def read(tmp_path: Path, text: str) -> Study:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    return read_study(path)


def test_a_file_is_the_study_of_the_same_arguments(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD).digest == study().digest


def test_every_argument_is_a_key(tmp_path: Path) -> None:
    names = Study.__init__.__kwdefaults__ or {}
    assert {*names, "model", "hardware", "objectives"} == set(KEYS)
    text = GOOD.replace("objectives: [energy_j, latency_s]", "") + (
        "objectives: [energy_j, 'max:study_parts:quality']\n"
        "schedule_space: {weight_bits: [null, 8], activation_bits: [null, 8]}\n"
        "zipped: [[weight_bits, activation_bits]]\n"
        "conditions: {dram.bandwidth: width == 16}\n"
        "constraints: [latency_s <= 1]\n"
        "residency: none\nengines: alone\ndtype: int8\nobjective: energy\n"
        "schedule: time-major\nannotations: {'*': {weight_bits: 8}}\nplugins: []\n"
        "most_events: 1000000\noptions: {rows: 3}\n"
    )
    made = study(
        objectives=["energy_j", ("max:quality", quality)],
        schedule_space={"weight_bits": [None, 8], "activation_bits": [None, 8]},
        zipped=[["weight_bits", "activation_bits"]],
        conditions={"dram.bandwidth": "width == 16"},
        constraints=["latency_s <= 1"],
        residency="none",
        engines="alone",
        dtype="int8",
        objective="energy",
        schedule="time-major",
        annotations={"*": {"weight_bits": 8}},
        rows=3,
    )
    found = read(tmp_path, text)
    assert found.digest == made.digest
    assert found.most_events == 1_000_000
    assert read_study(tmp_path / "s.yaml", most_events=7).most_events == 7


def test_a_range_has_both_its_ends(tmp_path: Path) -> None:
    made = read(tmp_path, GOOD.replace("[16, 32]", "{from: 16, to: 64, step: 16}"))
    assert made.space.parameters[0].values == (16, 32, 48, 64)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("hardware_space:", "hardware_spaec:", 4, "unknown key 'hardware_spaec'; did you mean"),
        ("model: study_parts:tiny\n", "", 1, "a study needs the key 'model'; add it"),
        ("{width: [16, 32]}", "[16]", 3, "model_space must be a map, got [16]"),
        ("[energy_j, latency_s]", "energy_j", 6, "objectives must be a list, got 'energy_j'"),
        ("[16, 32]", "{from: 1, to: 4}", 3, "write for example {from: 64, to: 256, step: 64}"),
        ("[16, 32]", "{from: 1, to: 4, step: 0}", 3, "whole numbers from, to and step"),
        ("[16, 32]", "{from: 1, to: x, step: 1}", 3, "whole numbers from, to and step"),
        ("[16, 32]", "[]", 3, "width: must have at least one value, got none"),
        ("[16, 32]", "[16, 16]", 3, "width: has the value 16 twice"),
        ("[16, 32]", "[[16]]", 3, "width: values must be finite numbers, text"),
        ("{width:", "{widht:", 3, "tiny takes no parameter 'widht'; did you mean 'width'?"),
        ("  dram.bandwidth", "  dram.bandwith", 5, "did you mean 'bandwidth'?"),
        ("  dram.bandwidth", "  dam.bandwidth", 5, "unknown component 'dam'"),
        ("latency_s]", "latency]", 6, "unknown objective 'latency'; did you mean 'latency_s'?"),
        ("latency_s]", "no_module:f]", 6, "importing 'no_module' failed"),
        ("edge-npu", "edge-npx", 2, "unknown hardware 'edge-npx'; did you mean"),
        ("study_parts:tiny", "study_parts:tinny", 1, "study_parts has no function 'tinny'"),
        ("objectives", "constraints: [widht < 3]\nobjectives", 6, "unknown name 'widht'"),
        ("objectives", "constraints: ['width <']\nobjectives", 6, "must stand here"),
        ("objectives", "residency: regoin\nobjectives", 6, "did you mean 'region'?"),
        ("{width: [16, 32]}", "{width: &a [16, 32]}", 3, "anchors and aliases are not read"),
        ("[16, 32]", "[16, 32", 3, "not valid YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    old: str, new: str, line: int, message: str, tmp_path: Path
) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(StudyError) as caught:
        read(tmp_path, GOOD.replace(old, new))
    assert f"{tmp_path / 's.yaml'}:{line}: " in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"no such file; give a \.yaml file"):
        read_study(tmp_path / "none.yaml")


@pytest.mark.parametrize("text", ["", "[]", "hello"])
def test_a_file_without_a_study_is_told(text: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"s.yaml:1: "):
        read(tmp_path, text)


def test_values_are_numbers_where_they_look_like_numbers(tmp_path: Path) -> None:
    made = read(tmp_path, GOOD.replace("[16, 32]", "[16, null, true, 1.5, '7']"))
    assert made.space.parameters[0].values == (16, None, True, 1.5, "7")
    assert made.source.capture({"width": 16}) == tiny()
    assert made.space.parameters[1].values == tuple(RATES)


def test_a_study_of_a_zoo_name_takes_its_options(tmp_path: Path) -> None:
    text = "model: lstm_lm\nhardware: edge-npu\nobjectives: [energy_j]\nmodel_space: {steps: [5]}\n"
    given: dict[str, Any] = {"steps": 5}
    captured = read(tmp_path, text + "options: {batch: 2}\n").source.capture(given)
    assert captured.tensors[0].shape or captured.macs
    with pytest.raises(StudyError, match=r"s.yaml:4: .*takes no parameter 'stesp'; did you mean"):
        read(tmp_path, text.replace("steps", "stesp"))
    with pytest.raises(StudyError, match=r"s.yaml:5: .*takes no parameter 'seq_len'"):
        read(tmp_path, text + "options: {seq_len: 2}\n")
