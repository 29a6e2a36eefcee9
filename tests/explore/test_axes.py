"""Values that no point can have are refused before any work; combinations fail as points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from study_parts import study, tiny

from codesign.errors import CodesignError, StudyError
from codesign.explore.axes import AxisError
from codesign.explore.search.bench import Bench
from codesign.explore.study import Study
from codesign.explore.study_file import read_study
from codesign.hardware.machine import Hardware

HARDWARE = Path(__file__).parents[2] / "hardware" / "edge-npu.yaml"

WAITS = {"dram.power_down_after": ["1 us", "5 us"], "dram.self_refresh_after": ["2 us", "9 us"]}
"""A memory that would refresh itself before it powers down, in one of four combinations."""


@pytest.mark.parametrize(
    ("changes", "name", "place", "message"),
    [
        ({"hardware_space": {"npu.rows": [16, 0]}}, "npu.rows", 1, "must be >= 1, got 0; raise"),
        ({"hardware_space": {"npu.rows": [0, 16]}}, "npu.rows", 0, "its value 0 breaks a rule"),
        ({"hardware_space": {"sram.size": ["64 KiB", "64 KiX"]}}, "sram.size", 1, "'64 KiX'"),
        ({"hardware_space": {"npu.dataflow": ["ws", "rs"]}}, "npu.dataflow", 1, "'ws', 'os' or"),
        ({"schedule_space": {"residency": ["none", "nine"]}}, "residency", 1, "mean 'none'?"),
        ({"schedule_space": {"engines": ["first"]}}, "engines", 0, "got 'first'"),
        ({"schedule_space": {"dtype": [None, "int7x"]}}, "dtype", 1, "unknown dtype 'int7x'"),
        ({"schedule_space": {"schedule": ["time"]}}, "schedule", 0, "schedule must be time-major"),
        ({"schedule_space": {"objective": ["speed"]}}, "objective", 0, "speed"),
        ({"schedule_space": {"*:weight_bits": [8, 0]}}, "*:weight_bits", 1, "1 to 128, got 0"),
        ({"schedule_space": {"codec": ["bitmp"]}}, "codec", 0, "did you mean 'bitmap'"),
        (
            {"model": "lstm_lm", "model_space": {"steps": [2, 0]}},
            "steps", 1, "steps of lstm_lm must be at least 1, got 0",
        ),
        (
            {"model": "lstm_lm", "model_space": {"batch": ["4"]}},
            "batch", 0, "batch of lstm_lm must be a whole number, got '4'",
        ),
    ],
)  # fmt: skip
def test_a_value_that_breaks_a_rule_by_itself_is_refused(
    changes: dict[str, Any], name: str, place: int, message: str
) -> None:
    with pytest.raises(AxisError) as caught:
        study(**changes)
    assert (caught.value.parameter, caught.value.place) == (name, place)
    assert str(caught.value).startswith(f"{name}: its value ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_combination_that_breaks_a_rule_fails_as_a_point(tmp_path: Path) -> None:
    # a trace, since a function would import torch
    made = study(model=tiny(), model_space={}, hardware="edge-npu-lpddr5", hardware_space=WAITS)
    found = made.run(tmp_path, exhaustive=True)
    assert (len(found.done), len(found.failed)) == (3, 1)
    assert {row["dram.power_down_after"] for row in found.failed} == {"5 us"}
    assert {row["dram.self_refresh_after"] for row in found.failed} == {"2 us"}


def test_a_value_that_another_one_can_mend_is_not_refused(tmp_path: Path) -> None:
    # converters of 6 bits, as in the file, need clipping; those of 20 bits do not
    space = {"cim.adc_bits": [6, 20], "cim.clipping": [True, False]}
    found = study(hardware="aimc1", hardware_space=space).run(tmp_path, exhaustive=True)
    broken = [row for row in found.failed if "or declare 'clipping: true'" in row["message"]]
    assert [tuple(row[path] for path in space) for row in broken] == [(6, False)] * 2
    with pytest.raises(AxisError, match=r"cim\.clipping: its value False .* use fewer rows"):
        study(hardware="aimc1", hardware_space={"cim.clipping": [True, False]})


LANED = """\
from dataclasses import dataclass
from typing import ClassVar

from codesign_plugins.sram import Sram

from codesign import hookimpl
from codesign.errors import HardwareError
from codesign.units import Count


@dataclass(frozen=True, kw_only=True)
class Laned(Sram):
    kind: ClassVar[str] = "laned"
    lanes: Count = 4
    ways: Count = 1
    depth: Count = 1

    def check(self):
        if self.lanes > 4 and (self.ways < 2 or self.depth < 2):
            raise HardwareError("sram.lanes above 4 need two ways and a depth of two; add them")


@hookimpl
def codesign_components():
    return [Laned]
"""
"""A memory whose lanes need two other fields together."""
LANES = {"sram.lanes": [4, 8], "sram.ways": [1, 2], "sram.depth": [1, 2]}


def laned(folder: Path, space: dict[str, list[int]], **changes: Any) -> Study:
    """A study of that memory."""
    (folder / "laned.py").write_text(LANED)
    document = yaml.safe_load(HARDWARE.read_text())
    document["components"]["sram"]["kind"] = "laned"
    document["components"]["sram"]["depth"] = 2
    (folder / "laned.yaml").write_text(yaml.safe_dump(document))
    given = {"model": tiny(), "model_space": {}, "hardware": folder / "laned.yaml"}
    return study(**given, hardware_space=space, plugins=[folder / "laned.py"], **changes)


def test_a_value_that_two_others_mend_together_is_not_refused(tmp_path: Path) -> None:
    found = laned(tmp_path, LANES).run(tmp_path / "out", exhaustive=True)
    assert (len(found.done), len(found.failed)) == (5, 3)
    assert [row["sram.lanes"] for row in found.failed] == [8] * 3
    with pytest.raises(AxisError, match=r"sram\.lanes: its value 8 breaks a rule at each of its"):
        laned(tmp_path, {**LANES, "sram.depth": [1]})


def test_a_value_that_is_mended_where_another_is_not_there_is_not_refused(tmp_path: Path) -> None:
    # the file has a depth of two, which holds where the study gives none
    space = {"npu.rows": [8, 16], "sram.lanes": [4, 8], "sram.ways": [1, 2], "sram.depth": [1]}
    made = laned(tmp_path, space, conditions={"sram.depth": "npu.rows > 8"})
    found = made.run(tmp_path / "out", exhaustive=True)
    assert (len(found.done), len(found.failed)) == (5, 3)
    assert {row["npu.rows"] for row in found.done if row["sram.lanes"] == 8} == {8}


@pytest.mark.parametrize("count", [256, 257])
def test_beside_more_combinations_than_are_tried_a_broken_rule_of_many_fails_at_its_points(
    count: int, tmp_path: Path
) -> None:
    rates = [f"{n} GB/s" for n in range(1, count + 1)]
    space: dict[str, list[Any]] = {"sram.lanes": [4, 8], "dram.bandwidth": rates}
    if count == 256:
        with pytest.raises(AxisError, match=r"sram\.lanes: its value 8 breaks a rule"):
            laned(tmp_path, space)
        return
    made = laned(tmp_path, space)
    with Bench(made, tmp_path / "out") as bench:
        outcome = bench.measure({"sram.lanes": 8, "dram.bandwidth": "1 GB/s"})
    assert (outcome.state, "sram.lanes above 4 need two ways" in outcome.message) == (
        "failed",
        True,
    )


MANY: dict[str, list[Any]] = {
    "npu.rows": [*range(1, 21)],
    "npu.cols": [*range(1, 21)],
    "dram.bandwidth": [f"{n} GB/s" for n in range(1, 21)],
}
"""Beside these 8,000 combinations none is tried."""
EXTRAS = {
    "conditions": {"sram.size": "npu.rows > 3"},
    "zipped": [["sram.size", "sram.leakage"]],
}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("sram.size", "64 KiX", "expected a unit of B, got '64 KiX'; write for example '1 MiB'"),
        ("sram.size", "3 pJ", "expected a unit of B, got '3 pJ'"),
        ("sram.size", 0, "sram.size must be >= 1, got 0; raise it"),
        ("sram.size", True, "expected a number in B, got 'True'"),
        ("npu.dataflow", "rs", "npu.dataflow must be 'ws', 'os' or 'is', got 'rs'; choose one"),
        ("npu.buffer", "srma", "npu.buffer must name a memory, got 'srma'; did you mean 'sram'?"),
        ("npu.buffer", "vector", "npu.buffer must name a memory, got 'vector'"),
        ("schedule", "time", "schedule must be time-major"),
        ("weight_bits", 0, "1 to 128, got 0"),
        ("codec", "bitmp", "did you mean 'bitmap'"),
    ],
)
@pytest.mark.parametrize("extra", [{}, {"conditions"}, {"zipped"}], ids=repr)
def test_a_value_that_nothing_mends_is_refused_in_a_space_of_any_size(
    path: str, value: object, message: str, extra: set[str]
) -> None:
    good: dict[str, Any] = {"npu.dataflow": "ws", "npu.buffer": "sram", "schedule": "time-major"}
    good |= {"weight_bits": 4, "codec": "bitmap"}
    own = [good.get(path, "64 KiB"), value]
    part = "hardware_space" if "." in path else "schedule_space"
    spaces: dict[str, dict[str, list[Any]]] = {"hardware_space": {**MANY}, "schedule_space": {}}
    if extra:
        spaces["hardware_space"] |= {"sram.size": ["1 MiB", "2 MiB"], "sram.leakage": [0, "1 mW"]}
    spaces[part][path] = own
    more: dict[str, Any] = {key: EXTRAS[key] for key in extra}
    with pytest.raises(AxisError) as caught:
        study(model=tiny(), model_space={}, **spaces, **more)
    assert (caught.value.parameter, caught.value.place) == (path, 1)
    assert message in str(caught.value)


def test_an_entry_of_a_table_that_is_not_there_is_refused_in_a_space_of_any_size() -> None:
    space = {**MANY, "vector.energies.mcc": ["1 pJ"]}
    with pytest.raises(CodesignError, match=r"vector\.energies\.mcc"):
        study(model=tiny(), model_space={}, hardware_space=space)


def test_a_value_that_others_may_mend_is_left_to_its_points_in_a_large_space() -> None:
    waits = {**WAITS, "npu.rows": MANY["npu.rows"], "npu.cols": MANY["npu.cols"]}
    made = study(model=tiny(), model_space={}, hardware="edge-npu-lpddr5", hardware_space=waits)
    assert made.space.size == 1600


def test_a_large_space_takes_as_many_checks_as_it_has_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    check = Hardware.check_value

    def counted(self: Hardware, path: str, value: object) -> None:
        asked.append(path)
        check(self, path, value)

    monkeypatch.setattr(Hardware, "check_value", counted)
    study(model=tiny(), model_space={}, hardware_space=MANY)
    assert len(asked) == sum(map(len, MANY.values()))


def test_values_that_go_together_are_tried_together() -> None:
    # alone, 1 us stands beside no refresh, and 2 us before no power-down
    made = study(hardware="edge-npu-lpddr5", hardware_space=WAITS, zipped=[list(WAITS)])
    assert made.space.size == 4


def test_a_value_that_a_constraint_leaves_out_is_not_looked_at() -> None:
    made = study(hardware_space={"npu.rows": [0, 16]}, constraints=["npu.rows > 0"])
    assert {point["npu.rows"] for point in made.space.points()} == {16}
    with pytest.raises(AxisError):
        study(hardware_space={"npu.rows": [0, 16]}, constraints=["npu.rows + width > 17"])


def test_a_broken_first_value_does_not_blame_others() -> None:
    with pytest.raises(AxisError) as caught:
        study(hardware_space={"npu.cols": [16, 32], "npu.rows": [0, 16]})
    assert caught.value.parameter == "npu.rows"


TEXT = """\
model: study_parts:tiny
model_space: {width: [16, 32]}
hardware: edge-npu
hardware_space:
  npu.rows:
    - 16
    - 32
    - 0
  npu.cols: [16,
    0]
objectives: [energy_j]
"""


@pytest.mark.parametrize(
    ("old", "line", "message"),
    [
        (
            "none",
            8,
            "npu.rows: its value 0 breaks a rule at each of its points: npu.rows must be >= 1",
        ),
        ("    - 0\n", 9, "npu.cols: its value 0 breaks"),
        ("  npu.rows:\n    - 16\n    - 32\n    - 0\n", 6, "npu.cols: its value 0 breaks"),
    ],
)
def test_a_file_is_told_the_line_of_the_value(
    old: str, line: int, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(TEXT.replace(old, ""))
    with pytest.raises(StudyError) as caught:
        read_study(path)
    assert str(caught.value).startswith(f"{path}:{line}: {message}")


def test_a_range_is_told_with_its_own_line(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        "model: study_parts:tiny\nhardware: edge-npu\nobjectives: [energy_j]\n"
        "hardware_space:\n  npu.rows: {from: 0, to: 64, step: 32}\n"
    )
    with pytest.raises(CodesignError, match=r"s\.yaml:5: npu\.rows: its value 0 breaks"):
        read_study(path)


def test_a_file_of_a_large_space_is_told_the_line_of_a_value_that_does_not_parse(
    tmp_path: Path,
) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        "model: study_parts:tiny\nhardware: edge-npu\nobjectives: [energy_j]\nhardware_space:\n"
        "  npu.rows: {from: 1, to: 40, step: 1}\n  npu.cols: {from: 1, to: 40, step: 1}\n"
        "  sram.size:\n    - 64 KiB\n    - 64 KiX\n"
    )
    with pytest.raises(CodesignError, match=r"s\.yaml:9: sram\.size: its value '64 KiX' breaks"):
        read_study(path)
