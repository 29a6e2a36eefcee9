"""Laws and cases of the trace file: what is written comes back, and the bytes never vary."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from sample_traces import chain, convolution, elementwise, everything, packed, tensor, traces

from codesign.errors import TraceError
from codesign.workload.encode import canonical_bytes, encode_trace
from codesign.workload.file import content_digest, load_trace, save_trace
from codesign.workload.nest import matmul_nest
from codesign.workload.record import Access, Attribute, Branch, Op, Region, Tensor, Trace

SAMPLE = Path(__file__).parents[2] / "traces" / "v1_sample.json"
SAMPLE_DIGEST = "b384210530dd6885538c91b14a235d4db6ee3581d58e5cf07579e7fdc06688f5"


@given(trace=traces())
@settings(max_examples=60, deadline=None)
def test_every_trace_comes_back_equal(
    trace: Trace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("file") / "t.json"
    save_trace(trace, path)
    assert load_trace(path) == trace


@given(trace=traces())
@settings(max_examples=60, deadline=None)
def test_a_digest_survives_the_file(trace: Trace, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("file") / "t.json.gz"
    save_trace(trace, path)
    assert load_trace(path).digest == trace.digest


@pytest.mark.parametrize("name", ["t.json", "t.json.gz"])
@pytest.mark.parametrize("make", [everything, convolution, packed, lambda: chain("a", "b")])
def test_every_field_comes_back(make: object, name: str, tmp_path: Path) -> None:
    trace = make()  # type: ignore[operator]
    save_trace(trace, tmp_path / name)
    assert load_trace(tmp_path / name) == trace


def test_the_full_sample_leaves_no_field_at_its_default() -> None:
    found = _objects(everything())
    found[Tensor] += _objects(packed())[Tensor]
    unused = [
        f"{cls.__name__}.{field.name}"
        for cls, records in found.items()
        for field in dataclasses.fields(cls)
        if all(getattr(record, field.name) in ((), "", 0, None) for record in records)
    ]
    # no axis of this trace is padded; the convolution covers it
    assert unused == ["Axis.offset"]


def test_types_of_attributes_are_kept(tmp_path: Path) -> None:
    attributes: tuple[tuple[str, Attribute], ...]
    attributes = (("a", True), ("b", 1), ("c", 1.0), ("d", "1"), ("e", (1, 2)), ("f", ()))
    save_trace(_with_attributes(attributes), tmp_path / "t.json")
    (op, _), *_ = load_trace(tmp_path / "t.json").ops()
    assert [(name, type(value)) for name, value in op.attributes] == [
        (name, type(value)) for name, value in attributes
    ]


@pytest.mark.parametrize("value", [math.inf, -math.inf, -0.0, 5e-324, 0.1 + 0.2])
def test_floats_are_kept_to_the_bit(value: float, tmp_path: Path) -> None:
    save_trace(_with_attributes((("fill", value),)), tmp_path / "t.json")
    (op, _), *_ = load_trace(tmp_path / "t.json").ops()
    assert repr(op.attribute("fill")) == repr(value)


def test_the_file_of_a_minus_infinity_is_still_strict_json(tmp_path: Path) -> None:
    save_trace(_with_attributes((("fill", -math.inf),)), tmp_path / "t.json")
    document = json.loads((tmp_path / "t.json").read_text(), parse_constant=pytest.fail)
    assert document["items"][0]["attributes"] == {"fill": {"float": "-inf"}}


def test_a_packed_boolean_keeps_its_single_bit(tmp_path: Path) -> None:
    mask = tensor("mask", (64,), "input", "bool1")
    trace = Trace("t", (), (mask, tensor("bytes", (64,), "input", "bool")))
    save_trace(trace, tmp_path / "t.json")
    assert [t.bytes for t in load_trace(tmp_path / "t.json").tensors] == [8, 64]


def test_the_frozen_sample_is_read_forever() -> None:
    trace = load_trace(SAMPLE)
    assert trace.digest == SAMPLE_DIGEST
    assert (trace.name, len(trace.tensors), trace.regions[0].steps) == ("v1-sample", 17, 5)


def test_the_frozen_sample_is_written_as_it_was_read(tmp_path: Path) -> None:
    save_trace(load_trace(SAMPLE), tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == SAMPLE.read_bytes()


def test_the_digest_is_the_hash_of_the_canonical_json() -> None:
    trace = everything()
    canonical = canonical_bytes(encode_trace(trace))
    assert content_digest(trace) == hashlib.sha256(canonical).hexdigest()
    assert json.loads(canonical)["name"] == "everything"


@pytest.mark.parametrize("field", ["name", "items", "tensors", "coverage", "notes"])
def test_the_digest_depends_on_every_field_of_a_trace(field: str) -> None:
    trace = everything()
    assert trace.replace(**{field: getattr(chain("a"), field)}).digest != trace.digest


def test_bytes_and_digest_are_the_same_in_every_process(tmp_path: Path) -> None:
    code = (
        "import hashlib, sys; from sample_traces import everything; "
        "from codesign.workload.file import save_trace; "
        "save_trace(everything(), sys.argv[1]); "
        "print(everything().digest, hashlib.sha256(open(sys.argv[1], 'rb').read()).hexdigest())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "t.json.gz")],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(seen) == 1


def test_compressed_and_plain_files_hold_the_same_text(tmp_path: Path) -> None:
    save_trace(everything(), tmp_path / "t.json")
    save_trace(everything(), tmp_path / "t.json.gz")
    assert gzip.decompress((tmp_path / "t.json.gz").read_bytes()) == (
        (tmp_path / "t.json").read_bytes()
    )


def test_a_compressed_file_carries_no_time_and_no_name(tmp_path: Path) -> None:
    for name in ("first.json.gz", "second.json.gz"):
        save_trace(everything(), tmp_path / name)
        os.utime(tmp_path / name, (1, 1))
    first, second = sorted(tmp_path.iterdir())
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes()[4:8] == bytes(4)


def test_equal_nests_are_stored_once(tmp_path: Path) -> None:
    trace = _products(100)
    save_trace(trace, tmp_path / "t.json")
    document = json.loads((tmp_path / "t.json").read_text())
    assert len(document["nests"]) == 1
    assert len({id(op.nest) for op, _ in load_trace(tmp_path / "t.json").ops()}) == 1


def test_a_decoder_of_twelve_hundred_operators_stays_under_a_megabyte(tmp_path: Path) -> None:
    save_trace(_products(1200), tmp_path / "t.json")
    assert (tmp_path / "t.json").stat().st_size < 2**20


def test_one_line_of_the_file_holds_one_tensor_or_item(tmp_path: Path) -> None:
    save_trace(_products(10), tmp_path / "t.json")
    rows = (tmp_path / "t.json").read_text().splitlines()
    assert sum(row.startswith('{"op"') for row in rows) == 10
    assert sum('"role"' in row for row in rows) == 12


def test_a_newer_version_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('{"format": "codesign-trace", "version": 2}')
    with pytest.raises(TraceError, match=r"t\.json: version must be 1, got 2.*newer codesign"):
        load_trace(tmp_path / "t.json")


def test_a_failed_save_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    save_trace(chain("a"), path)
    before = path.read_bytes()
    twice = chain("a").replace(items=chain("a").items * 2)
    with pytest.raises(TraceError, match=r"was not written.*duplicate operator name 'a'"):
        save_trace(twice, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.json"]


def test_a_save_into_a_missing_folder_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="cannot be written: No such file or directory; choose"):
        save_trace(chain("a"), tmp_path / "nowhere" / "t.json")


def test_a_write_that_dies_half_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(TraceError, match="No space left on device"):
        save_trace(chain("a"), tmp_path / "t.json")
    assert list(tmp_path.iterdir()) == []


def test_a_tensor_that_differs_from_the_table_is_not_written(tmp_path: Path) -> None:
    trace = chain("a")
    wider = tuple(dataclasses.replace(t, shape=(8,)) for t in trace.tensors)
    with pytest.raises(TraceError, match="its tensors differ from the table"):
        save_trace(trace.replace(tensors=wider), tmp_path / "t.json")


def test_unsorted_attributes_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="attributes are not sorted"):
        save_trace(_with_attributes((("b", 1), ("a", 1))), tmp_path / "t.json")


def test_a_branch_with_a_chance_that_is_no_number_is_not_written(tmp_path: Path) -> None:
    trace = Trace("t", (Branch("b", math.nan, (), ()),), ())
    with pytest.raises(TraceError, match=r"items\[0\]\.probability: must be a finite number"):
        save_trace(trace, tmp_path / "t.json")


def test_the_format_document_names_every_key() -> None:
    text = (SAMPLE.parent / "FORMAT.md").read_text()
    keys = sorted(set(_keys(json.loads(SAMPLE.read_text()))))
    assert [key for key in keys if f"`{key}`" not in text] == []


def test_the_example_of_the_format_document_is_a_trace_as_we_write_it(tmp_path: Path) -> None:
    text = (SAMPLE.parent / "FORMAT.md").read_text()
    example = text.split("```json\n")[1].split("```")[0]
    (tmp_path / "t.json").write_text(example)
    trace = load_trace(tmp_path / "t.json")
    assert (trace.name, trace.macs) == ("tiny", 32 * 64)
    save_trace(trace, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == example


def _keys(value: object) -> list[str]:
    if isinstance(value, list):
        return [key for item in value for key in _keys(item)]
    if not isinstance(value, dict):
        return []
    below = [key for name, item in value.items() if name != "attributes" for key in _keys(item)]
    return [*value, *below]


def _objects(value: object) -> dict[type, list[object]]:
    found: dict[type, list[object]] = {}

    def visit(value: object) -> None:
        if isinstance(value, tuple):
            for item in value:
                visit(item)
        elif dataclasses.is_dataclass(value):
            found.setdefault(type(value), []).append(value)
            for field in dataclasses.fields(value):
                visit(getattr(value, field.name))

    visit(value)
    return found


def _with_attributes(attributes: tuple[tuple[str, Attribute], ...]) -> Trace:
    x, y = tensor("x", (4,), "input"), tensor("y", (4,), "output")
    op = dataclasses.replace(elementwise("op", x, y), attributes=attributes)
    return Trace("t", (op,), (x, y))


def _products(count: int) -> Trace:
    x, w = tensor("x", (1, 64), "input"), tensor("model.layers.0.weight", (64, 64), "weight")
    outs = [tensor(f"model.layers.{i}.out", (1, 64), "activation") for i in range(count)]
    turned, nest = Access(w, (64, 64), (1, 64)), matmul_nest(1, 1, 64, 64)
    ops = tuple(
        Op(f"model.layers.{i}.linear", "contraction", (x.access(), turned), (out.access(),), nest)
        for i, out in enumerate(outs)
    )
    return Trace("products", ops, (x, w, *outs))


def test_regions_keep_their_steps_out_of_the_file_size(tmp_path: Path) -> None:
    sizes = []
    for steps in (1, 10**6):
        inner = chain("a")
        trace = inner.replace(items=(Region("r", steps, inner.items),))
        save_trace(trace, tmp_path / "t.json")
        sizes.append((tmp_path / "t.json").stat().st_size)
    assert sizes[1] - sizes[0] == len("000000")


@pytest.mark.parametrize("path", [None, 3, "", b"t.json"])
def test_a_path_that_is_none_is_refused(path: Any) -> None:
    rule = "the path of a trace file must be a str or a Path, got "
    with pytest.raises(TraceError, match=rule):
        load_trace(path)
    with pytest.raises(TraceError, match=rule):
        save_trace(load_trace(SAMPLE), path)


def test_what_is_no_trace_is_not_saved(tmp_path: Path) -> None:
    not_one: Any = {"name": "t"}
    with pytest.raises(TraceError, match="a trace must be saved, got dict; capture one"):
        save_trace(not_one, tmp_path / "t.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("data", [b"", b" \n"])
def test_an_empty_file_is_said_to_be_empty(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "t.json").write_bytes(data)
    with pytest.raises(TraceError, match=r"t\.json: the file is empty; write the trace again"):
        load_trace(tmp_path / "t.json")
