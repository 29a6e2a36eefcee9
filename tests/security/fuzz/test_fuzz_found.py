"""Everything that hostile inputs have broken once."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import fuzz_seeds as seeds
import numpy as np
import pytest
from hostile_tree import written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import Sketch, machine

from codesign import CodesignError, save_trace, simulate
from codesign.cli.options import read_settings
from codesign.errors import (
    LONGEST,
    HardwareError,
    MappingError,
    StudyError,
    TraceError,
    ValidationError,
)
from codesign.explore.journal import Journal
from codesign.explore.space import Parameter
from codesign.explore.study_file import MOST_VALUES, read_study
from codesign.explore.swept import JOURNAL, Swept
from codesign.hardware.spec import load_hardware
from codesign.mapping.kept import forget_all
from codesign.mapping.place import place
from codesign.validation import read_table
from codesign.workload.check import MOST_WORK
from codesign.workload.dtype import DType
from codesign.workload.stored import Stored


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a trace and a machine in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.json").write_text(json.dumps(seeds.trace_documents(tmp_path)[0]))
    (tmp_path / "m.yaml").write_text(written(seeds.MACHINE, is_yaml=True))
    return tmp_path


def study(**changes: Any) -> Path:
    path = Path("study.yaml")
    path.write_text(written(seeds.STUDY | changes, is_yaml=True))
    return path


def journal(*changes: tuple[int, str, Any]) -> Path:
    """A journal with some values of some records changed; a value of ``...`` is left out."""
    records = seeds.journal()
    for number, key, value in changes:
        records[number].pop(key)
        if value is not ...:
            records[number][key] = value
    Path(JOURNAL).write_text("".join(json.dumps(record) + "\n" for record in records))
    return Path()


def test_a_range_of_a_study_that_fills_the_memory_is_refused() -> None:
    endless = {"npu.rows": {"from": 1, "to": 10**17, "step": 1}}
    with pytest.raises(StudyError, match=r"study.yaml:1: npu.rows: a range may have at most"):
        read_study(study(hardware_space=endless, zipped=[], conditions={}))
    long = {"npu.rows": {"from": 1, "to": MOST_VALUES, "step": 1}}
    found = read_study(study(hardware_space=long, zipped=[], conditions={}))
    assert found.space.radices[0] == MOST_VALUES


def test_many_values_of_a_parameter_are_compared_in_one_pass() -> None:
    class Counted(str):
        compared = 0
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            Counted.compared += 1
            return str.__eq__(self, other)

    assert len(Parameter.of("x", [Counted(n) for n in range(5000)]).values) == 5000
    assert Counted.compared < 5000


@pytest.mark.parametrize("value", [1, True, "a", [1]])
def test_values_that_are_equal_are_given_twice(value: object) -> None:
    with pytest.raises(StudyError, match="twice"):
        Parameter.of("x", ["b", value, value])


@pytest.mark.parametrize("zipped", [[1], [None], [[1, 2]], [{"a": 1}], ["npu.rows"]])
def test_parameters_that_go_together_are_named(zipped: Any) -> None:
    with pytest.raises(StudyError, match="zipped must be a list of lists of parameters"):
        read_study(study(zipped=zipped))


@pytest.mark.parametrize(
    ("number", "key", "value"),
    [
        (1, "parameters", 3),
        (1, "objectives", [["energy_j"]]),
        (1, "objectives", []),
        (1, "model", "\x1b[31m"),
        (1, "event", "unknown"),
        (1, "event", ...),
        (3, "points", -1),
        (3, "points", ...),
        (4, "point", [1]),
        (4, "point", {"a": math.inf}),
        (4, "index", "0"),
        (4, "index", []),
        (4, "violated", [["x"]]),
        (4, "figures", {"energy_j": 1.0}),
        (4, "figures", {"energy_j": 1.0, "latency_s": "fast"}),
        (4, "figures", {"energy_j": 10**400, "latency_s": 1}),
        (4, "version", ...),
        (7, "message", 3),
    ],
)
def test_a_record_of_a_journal_that_lacks_something_is_told_with_its_line(
    number: int, key: str, value: object
) -> None:
    where = journal((number, key, value))
    with pytest.raises(StudyError, match=rf"journal\.jsonl:{number + 1}: "):
        Swept.read(where)


def test_a_journal_as_it_is_written_is_read() -> None:
    found = Swept.read(journal())
    assert (len(found.done), len(found.failed), found.points) == (3, 1, 4)


def test_a_parameter_called_index_leaves_the_index_of_a_row_alone() -> None:
    found = Swept.read(journal((4, "point", {"index": [9]}), (5, "point", {"index": "x"})))
    assert [row["index"] for row in found.done] == [0, 1, 2]
    assert {row["index"] for row in found.pareto()} <= {0, 1, 2}


@pytest.mark.parametrize("line", [b"[" * 5000, b'{"event": NaN}', b'{"event": ' + b"9" * 5000])
def test_a_line_of_a_journal_that_python_cannot_read_is_no_line_of_it(line: bytes) -> None:
    path = journal() / JOURNAL
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:3], line, *lines[3:], b""]))
    with pytest.raises(StudyError, match=r"journal\.jsonl:4: not a line of a journal"):
        Swept.read(path.parent)


def test_a_text_without_an_end_is_no_torn_journal_and_stays_as_it_is() -> None:
    Path(JOURNAL).write_text("my notes")
    with pytest.raises(StudyError, match="is no journal"):
        Journal(Path(JOURNAL), "0" * 64)
    assert Path(JOURNAL).read_text() == "my notes"


@pytest.mark.parametrize("torn", ['{"for', "\0" * 100, ""])
def test_a_journal_whose_first_line_is_torn_begins_anew(torn: str) -> None:
    Path(JOURNAL).write_text(torn)
    with Journal(Path(JOURNAL), "0" * 64) as found:
        assert found.records == []
    assert Path(JOURNAL).read_text().endswith('"version":1}\n')


def test_a_study_leads_to_no_file_of_another_kind() -> None:
    with pytest.raises(StudyError, match=r"study\.yaml:1: hardware: a hardware file is called"):
        read_study(study(hardware="../../../../etc/passwd"))


@pytest.mark.parametrize("rows", [0.5, -(2**63), 0])
def test_a_study_with_rows_that_no_engine_has_is_refused(rows: float) -> None:
    values = {"npu.rows": [rows, 16], "dram.bandwidth": ["1 GB/s", "2 GB/s"]}
    with pytest.raises(StudyError, match=r"study\.yaml:1: npu\.rows: its value .* breaks a rule"):
        read_study(study(hardware_space=values, zipped=[], conditions={}))


def test_a_blank_name_at_the_end_of_an_error_leaves_no_blank() -> None:
    assert str(CodesignError("known: a, \x85")) == "known: a,"


def test_a_table_on_the_command_line_that_is_no_text_is_refused() -> None:
    with pytest.raises(HardwareError, match=r"--set sram\.size: a table must have entries"):
        read_settings(["sram.size={\ud800: 1}"])


def test_a_long_name_is_cut_in_the_middle_of_an_error() -> None:
    parts = dict(seeds.MACHINE["components"])
    parts["bus"] = parts["bus"] | {"connects": ["a/" * 600, "sram"]}
    Path("m.yaml").write_text(written(seeds.MACHINE | {"components": parts}, is_yaml=True))
    with pytest.raises(HardwareError, match=r"^m\.yaml:1: bus\.connects .* \.\.\. ") as caught:
        load_hardware("m.yaml")
    assert len(str(caught.value)) == LONGEST


def test_an_error_of_any_length_keeps_its_rule_and_its_way_out() -> None:
    text = f"file.yaml:3: the rule, got {'x' * 5000}; the way out"
    said = str(CodesignError(text))
    assert len(said) == LONGEST
    assert said.startswith(text[:600])
    assert said.endswith("; the way out")
    assert str(CodesignError(text[:LONGEST])) == text[:LONGEST]


def test_signs_that_steer_a_terminal_are_spelled_out_in_an_error() -> None:
    said = str(TraceError("a\nb \x1b[31m \u202e \ud800 é"))
    assert said == "a b \\x1b[31m \\u202e \\ud800 é"


def test_a_column_of_a_table_with_escapes_in_its_name_is_told_without_them() -> None:
    Path("t.csv").write_text("\x1b[31mkind,b\n1,2\n")
    with pytest.raises(ValidationError, match="no column 'kind'") as caught:
        read_table(Path("t.csv"), ("kind",))
    assert str(caught.value).isprintable()


def test_an_operator_of_more_work_than_a_double_counts_is_refused_before_it_is_mapped() -> None:
    sketch = Sketch("t")
    sketch.matmul("mm", sketch.input("x", 2**27, 2**13), 2**14)
    with pytest.raises(TraceError, match=r"'mm' must have at most 2\*\*53 multiply-accumulates"):
        simulate(sketch.trace(), machine())
    assert MOST_WORK == 2**53


def test_a_view_of_more_elements_than_a_double_counts_is_refused() -> None:
    document = seeds.trace_documents(Path())[0]
    document = json.loads(json.dumps(document))
    for access in ("inputs", "outputs"):
        name = document["items"][1][access][0]
        row = next(row for row in document["tensors"] if row["name"] == name)
        view = {"tensor": row["name"], "shape": [2**30, 2**30], "strides": [0, 0]}
        document["items"][1][access][0] = view
    Path("big.json").write_text(json.dumps(document))
    with pytest.raises(TraceError, match=r"'act' must have at most 2\*\*53"):
        simulate("big.json", "m.yaml")


def test_a_run_that_64_bits_cannot_count_is_refused_and_not_wrapped_around() -> None:
    sketch = Sketch("t")
    sketch.recurrent("rnn", sketch.input("x", 10**12, 64), 64, repeats=10**6)
    with pytest.raises(HardwareError, match=r"counts to 2\*\*63 - 1; run fewer steps"):
        simulate(sketch.trace(), machine(bandwidth=1e12).with_("dram.size", 10**15))


def test_a_tile_of_more_cycles_than_64_bits_count_is_refused() -> None:
    sketch = Sketch("t")
    sketch.matmul("mm", sketch.input("x", 2**14, 2**14), 2**14)
    slow = machine(clock=1e13, memory_rate=1.0, size=2**40, bandwidth=1e18)
    with pytest.raises(MappingError, match=r"takes 2\*\*60 cycles or more"):
        simulate(sketch.trace(), slow.with_("dram.size", 10**15))


def test_a_long_reduction_is_written_as_a_loop_of_the_same_tiles(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    sketch = Sketch("t")
    sketch.conv("c", sketch.input("x", 40, 7, 7), 8, 3)
    plain = simulate(sketch.trace(), machine(size=256, rows=4))
    monkeypatch.setattr("codesign.mapping.emit.MOST_WRITTEN_OUT", 2)
    forget_all()  # plans are kept by what they read of their inputs, and this is none
    request.addfinalizer(forget_all)
    folded = simulate(sketch.trace(), machine(size=256, rows=4))
    assert folded.digest == plain.digest
    loops = [[one.plan for one, _ in found.placement.assignments()] for found in (plain, folded)]
    (listed,), (looped,) = loops
    assert listed is not None
    assert looped is not None
    assert looped.loop != listed.loop
    assert [one for one, times in looped.segments() for _ in range(times)] == [
        one for one, times in listed.segments() for _ in range(times)
    ]


def test_a_reduction_of_a_hundred_million_sweeps_is_mapped_at_once() -> None:
    sketch = Sketch("t")
    sketch.conv("c", sketch.input("x", 10**8, 3, 3), 1, 3)
    found = place(sketch.trace(), machine(size=16, rows=1).with_("dram.size", 10**12))
    ((one, _),) = found.assignments()
    assert one.plan is not None
    assert one.plan.tiles >= 10**8


def test_a_result_of_a_billion_steps_is_written_with_the_first_of_them() -> None:
    sketch = Sketch("t")
    sketch.recurrent("rnn", sketch.input("x", 10**9, 8), 8)
    found = simulate(sketch.trace(), machine().with_("dram.size", 10**12))
    told = found.timeline(limit=50)
    slices = [event for event in told["traceEvents"] if event["ph"] == "X"]
    assert len(slices) == 50
    runs = sum(total.runs for _, total in found.replay.totals)
    assert runs > 3 * 10**9 - 1
    assert told["otherData"]["runs"] == runs


@pytest.mark.parametrize("bits", ["999999999999", "4097", "999999999999/7", "0"])
def test_a_codec_of_absurd_bits_is_refused_where_it_is_read(bits: str) -> None:
    document = json.loads(json.dumps(seeds.trace_documents(Path())[1]))
    row = next(row for row in document["tensors"] if "stored" in row)
    row["stored"] |= {"data": bits, "meta": "0"}
    Path("s.json").write_text(json.dumps(document))
    with pytest.raises(TraceError, match=r"s\.json: tensors\[1\]\.stored: codec 'bitmap' must"):
        simulate("s.json", "m.yaml")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, 2**53), min_size=1, max_size=5),
    st.fractions(0, 4000, max_denominator=10**12).filter(bool),
    st.fractions(0, 96, max_denominator=10**12),
)
def test_bytes_of_a_codec_are_those_of_whole_numbers_of_any_length(
    elements: list[int], data: Fraction, meta: Fraction
) -> None:
    stored = Stored("csr", data, meta)
    exact = [math.ceil(one * (data + meta) / 8) for one in elements]
    assert stored.bytes(np.array(elements, dtype=np.int64)).tolist() == exact
    assert [stored.bytes(one) for one in elements] == exact


def test_a_tensor_of_no_known_width_is_refused() -> None:
    with pytest.raises(TraceError):
        DType.parse("int99999999")


def test_a_trace_that_cannot_be_written_leaves_what_was_there() -> None:
    sketch = Sketch("t")
    sketch.matmul("mm", sketch.input("x", 2**40, 2**40), 8)
    before = Path("t.json").read_bytes()
    with pytest.raises(TraceError):
        save_trace(sketch.trace(), "t.json")
    assert Path("t.json").read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == ["m.yaml", "t.json"]
