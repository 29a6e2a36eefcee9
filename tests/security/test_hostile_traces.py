"""Traces from strangers: a trace or one clear line, within bounded memory, never code."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from hostile_parts import Mutate, is_one_line, mutations, peak_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codesign.errors import TraceError
from codesign.workload.file import load_trace
from codesign.workload.limits import MAX_BYTES, MAX_DEPTH, parse_json
from codesign.workload.record import Trace

ROOT = Path(__file__).parents[2]
TRACE = (ROOT / "traces" / "v1_sample.json").read_bytes()
DOCUMENT: dict[str, Any] = json.loads(TRACE)
HEAD = '{"format": "codesign-trace", "version": 1, "name": '


@given(mutate=mutations())
@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_trace_is_a_trace_or_one_line(mutate: Mutate, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_bytes(mutate(TRACE))
    try:
        trace = load_trace(path)
    except TraceError as error:
        is_one_line(error)
    else:
        assert isinstance(trace, Trace)
        assert trace.macs >= 0
        assert len(trace.digest) == 64


@given(mutate=mutations())
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_compressed_trace_is_a_trace_or_one_line(mutate: Mutate, tmp_path: Path) -> None:
    path = tmp_path / "t.json.gz"
    path.write_bytes(mutate(gzip.compress(TRACE, mtime=0)))
    try:
        load_trace(path)
    except TraceError as error:
        is_one_line(error)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        children: list[tuple[Any, Any]] = list(value.items())
    else:
        children = list(enumerate(value)) if isinstance(value, list) else []
    return [path, *(place for key, item in children for place in _places(item, (*path, key)))]


PLACES = [path for path in _places(DOCUMENT) if path]
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from(
            [0, -1, 2**62, 2**63, 2**200, 1e308, 1e-320, "", "x", "h", "\ud800", "\x00"]
        ),
        st.floats(),
        st.text(max_size=5),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(place=st.sampled_from(PLACES), value=VALUES)
@settings(
    max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_value_in_any_place_is_a_trace_or_one_line(
    place: tuple[Any, ...], value: object, tmp_path: Path
) -> None:
    document = json.loads(TRACE)
    parent = document
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = value
    path = tmp_path / "t.json"
    path.write_text(json.dumps(document))
    try:
        trace = load_trace(path)
    except TraceError as error:
        is_one_line(error)
    else:
        assert float(trace.macs) >= 0
        assert [float(t.bytes) for t in trace.tensors]
        assert len([op.content for op, _ in trace.ops()]) >= 0


def test_every_truncation_of_a_trace_says_that_it_ends_too_early(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    body = TRACE.rstrip()
    for size in range(1, len(body), 41):
        path.write_bytes(body[:size])
        with pytest.raises(TraceError, match=r"t\.json: (the file ends too early|not valid JSON)"):
            load_trace(path)


def test_every_truncation_of_a_compressed_trace_is_refused(tmp_path: Path) -> None:
    path, data = tmp_path / "t.json.gz", gzip.compress(TRACE, mtime=0)
    told = r"t\.json\.gz: (cannot be read|the file (ends|is empty))"
    for size in range(0, len(data), 29):
        path.write_bytes(data[:size])
        with pytest.raises(TraceError, match=told):
            load_trace(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty; write the trace again"),
        ("[]", "not a trace file"),
        ("null", "not a trace file"),
        ("not json", "not valid JSON: Expecting value"),
        (HEAD + "NaN}", "NaN is not a number of the format"),
        (HEAD + "-Infinity}", "-Infinity is not a number of the format"),
        (HEAD + "1" * 5000 + "}", "a number has too many digits"),
        (HEAD + '1, "name": 2}', "key 'name' appears twice in one object"),
        ("[" * 100_000, "must nest at most 64 deep, got 100000"),
        ('{"a":' * 70 + "1" + "}" * 70, "must nest at most 64 deep, got 70"),
        ("\ufeff{}", "not valid JSON: Unexpected UTF-8 BOM"),
    ],
)
def test_a_hostile_textis_one_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(text, encoding="utf-8")
    with pytest.raises(TraceError, match=rf"t\.json: {message}") as caught:
        load_trace(tmp_path / "t.json")
    is_one_line(caught.value)


def test_brackets_inside_strings_do_not_count_as_depth() -> None:
    text = json.dumps(["[" * 1000, '"[[[[' * 100, "\\"])
    assert parse_json(text.encode()) == json.loads(text)
    with pytest.raises(TraceError, match=r"the file ends too early|not valid JSON"):
        parse_json(b'"' + b'\\"[' * 100_000)


@given(st.recursive(st.none() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3)))
def test_what_json_reads_is_read_the_same(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1])
def test_the_depth_limit_is_tight(depth: int) -> None:
    data = b"[" * depth + b"]" * depth
    if depth <= MAX_DEPTH:
        assert isinstance(parse_json(data), list)
    else:
        with pytest.raises(TraceError, match="must nest at most"):
            parse_json(data)


def test_regions_too_deep_for_the_format_are_one_line(tmp_path: Path) -> None:
    item: dict[str, Any] = {"region": "r", "steps": 1, "body": []}
    for level in range(100):
        item = {"region": f"r{level}", "steps": 1, "body": [item]}
    (tmp_path / "t.json").write_text(json.dumps(DOCUMENT | {"items": [item]}))
    with pytest.raises(TraceError, match="must nest at most 64 deep"):
        load_trace(tmp_path / "t.json")


def test_a_line_of_two_hundred_megabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    with path.open("wb") as stream:
        stream.write(HEAD.encode())
        stream.seek(200 * 10**6)
        stream.write(b'"}')
    peak = peak_of(lambda: load_trace(path), r"t\.json: must be at most 104,857,600 bytes; split")
    assert peak < 2.5 * MAX_BYTES


def test_a_gzip_bomb_is_not_inflated(tmp_path: Path) -> None:
    path = tmp_path / "t.json.gz"
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    block = packer.compress(bytes(2**24))
    pieces = [block, *(packer.compress(bytes(2**24)) for _ in range(7)), packer.flush()]
    path.write_bytes(b"".join(pieces))
    assert path.stat().st_size < 2**21
    peak = peak_of(lambda: load_trace(path), r"t\.json\.gz: must be at most 104,857,600 bytes")
    assert peak < 3 * MAX_BYTES


def test_millions_of_tiny_values_are_refused_before_they_are_built(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_bytes(b"[" + b"[]," * 8_000_000 + b"[]]")
    peak = peak_of(lambda: load_trace(path), r"must hold at most 10,000,000 values")
    assert peak < 5 * 24_000_003


@pytest.mark.parametrize(
    ("name", "told"), [("missing.json", "no such file"), ("folder", "is a folder")]
)
def test_what_is_no_fileis_one_line(name: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(TraceError, match=f"{name}: {told}; give a trace file"):
        load_trace(tmp_path / name)


def test_a_device_is_not_read_as_a_file() -> None:
    with pytest.raises(TraceError, match="/dev/zero: no such file"):
        load_trace("/dev/zero")
