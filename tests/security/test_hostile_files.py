"""Files from strangers: a valid object or one clear line, within bounded memory, never code."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codesign.errors import CodesignError, HardwareError, TraceError
from codesign.hardware.component import Engine, Link, Memory
from codesign.hardware.spec import Hardware, read_hardware
from codesign.hardware.yaml_source import MAX_NODES
from codesign.workload.file import load_trace
from codesign.workload.limits import MAX_BYTES, MAX_DEPTH, parse_json
from codesign.workload.record import Trace

ROOT = Path(__file__).parents[2]
TRACE = (ROOT / "traces" / "v1_sample.json").read_bytes()
DOCUMENT: dict[str, Any] = json.loads(TRACE)
HEAD = '{"format": "codesign-trace", "version": 1, "name": '


@dataclass(frozen=True, kw_only=True)
class _Engine(Engine):
    kind: ClassVar[str] = "engine"


@dataclass(frozen=True, kw_only=True)
class _Memory(Memory):
    kind: ClassVar[str] = "memory"


@dataclass(frozen=True, kw_only=True)
class _Link(Link):
    kind: ClassVar[str] = "link"


KINDS = {"engine": _Engine, "memory": _Memory, "link": _Link}
YAML = b"""\
name: m
precision: int8
components:
  e: {kind: engine, buffer: s, leakage: {value: 1 mW, source: "a b", status: assumed}}
  s: {kind: memory, size: 1 MiB}
  l: {kind: link, connects: [d, s]}
  d:
    kind: memory
    size: 1 GiB
"""
Mutate = Callable[[bytes], bytes]


@st.composite
def _mutations(draw: st.DrawFn) -> Mutate:
    """A few flips, cuts, insertions or repetitions at random places."""
    steps = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["flip", "cut", "insert", "repeat", "drop"]),
                st.integers(0, 2**16),
                st.one_of(st.binary(min_size=1, max_size=4), st.sampled_from([*b'[]{}",:-0e&*!#'])),
            ),
            min_size=1,
            max_size=3,
        )
    )

    def mutate(data: bytes) -> bytes:
        for how, place, what in steps:
            piece = bytes([what]) if isinstance(what, int) else what
            at = place % max(1, len(data))
            data = {
                "flip": data[:at] + piece + data[at + len(piece) :],
                "cut": data[:at],
                "insert": data[:at] + piece + data[at:],
                "repeat": data[:at] + data[at : at + 40] + data[at:],
                "drop": data[:at] + data[at + len(piece) :],
            }[how]
        return data

    return mutate


def _is_one_line(error: CodesignError, start: str = "") -> None:
    assert str(error).startswith(start)
    assert "\n" not in str(error)
    assert len(str(error)) < 1500


@given(mutate=_mutations())
@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_trace_is_a_trace_or_one_line(mutate: Mutate, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_bytes(mutate(TRACE))
    try:
        trace = load_trace(path)
    except TraceError as error:
        _is_one_line(error)
    else:
        assert isinstance(trace, Trace)
        assert trace.macs >= 0
        assert len(trace.digest) == 64


@given(mutate=_mutations())
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_compressed_trace_is_a_trace_or_one_line(mutate: Mutate, tmp_path: Path) -> None:
    path = tmp_path / "t.json.gz"
    path.write_bytes(mutate(gzip.compress(TRACE, mtime=0)))
    try:
        load_trace(path)
    except TraceError as error:
        _is_one_line(error)


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
        _is_one_line(error)
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
    for size in range(0, len(data), 29):
        path.write_bytes(data[:size])
        with pytest.raises(TraceError, match=r"t\.json\.gz: (cannot be read|the file ends)"):
            load_trace(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"the file ends too early \(line 1, column 1\)"),
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
def test_a_hostile_text_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(text, encoding="utf-8")
    with pytest.raises(TraceError, match=rf"t\.json: {message}") as caught:
        load_trace(tmp_path / "t.json")
    _is_one_line(caught.value)


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


def _peak(action: Callable[[], object], message: str) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(CodesignError, match=message) as caught:
            action()
        _is_one_line(caught.value)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_line_of_two_hundred_megabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    with path.open("wb") as stream:
        stream.write(HEAD.encode())
        stream.seek(200 * 10**6)
        stream.write(b'"}')
    peak = _peak(lambda: load_trace(path), r"t\.json: must be at most 104,857,600 bytes; split")
    assert peak < 2.5 * MAX_BYTES


def test_a_gzip_bomb_is_not_inflated(tmp_path: Path) -> None:
    path = tmp_path / "t.json.gz"
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    block = packer.compress(bytes(2**24))
    pieces = [block, *(packer.compress(bytes(2**24)) for _ in range(7)), packer.flush()]
    path.write_bytes(b"".join(pieces))
    assert path.stat().st_size < 2**21
    peak = _peak(lambda: load_trace(path), r"t\.json\.gz: must be at most 104,857,600 bytes")
    assert peak < 3 * MAX_BYTES


def test_millions_of_tiny_values_are_refused_before_they_are_built(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_bytes(b"[" + b"[]," * 8_000_000 + b"[]]")
    peak = _peak(lambda: load_trace(path), r"must hold at most 10,000,000 values")
    assert peak < 5 * 24_000_003


@pytest.mark.parametrize(
    ("name", "told"), [("missing.json", "no such file"), ("folder", "is a folder")]
)
def test_what_is_no_file_is_one_line(name: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(TraceError, match=f"{name}: {told}; give a trace file"):
        load_trace(tmp_path / name)


def test_a_device_is_not_read_as_a_file() -> None:
    with pytest.raises(TraceError, match="/dev/zero: no such file"):
        load_trace("/dev/zero")
    with pytest.raises(HardwareError, match="/dev/zero: no such file"):
        read_hardware(Path("/dev/zero"), KINDS, "/dev/zero")


def _read(data: bytes, folder: Path) -> Hardware:
    path = folder / "m.yaml"
    path.write_bytes(data)
    return read_hardware(path, KINDS, "m.yaml")


def test_the_hardware_that_is_damaged_below_is_valid(tmp_path: Path) -> None:
    assert list(_read(YAML, tmp_path).components) == ["e", "s", "l", "d"]


@given(mutate=_mutations())
@settings(
    max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_hardware_file_is_hardware_or_one_line(mutate: Mutate, tmp_path: Path) -> None:
    try:
        machine = _read(mutate(YAML), tmp_path)
    except HardwareError as error:
        _is_one_line(error, "m.yaml:")
    else:
        assert len(machine.digest) == 64


@given(data=st.binary(max_size=200))
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_are_hardware_or_one_line(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(HardwareError) as caught:
        _read(data, tmp_path)
    _is_one_line(caught.value)


@given(text=st.text(alphabet="ab:-[]{}&*!|>'\"%#?, \n\t", max_size=60))
@settings(
    max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_yaml_punctuation_is_one_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(HardwareError) as caught:
        _read(text.encode(), tmp_path)
    _is_one_line(caught.value)


BOMB = b"""\
a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
name: *c
"""


HOSTILE = [
    (BOMB, "1: anchors and aliases are not read; write the value out"),
    (b"name: *x", "1: anchors and aliases are not read"),
    (b"name: &x y", "1: anchors and aliases are not read"),
    (b"name: m\nx: !!python/object/apply:os.system [echo]", "2: tags such as .* are not read"),
    (b"name: !!python/name:os.system", "1: tags such as"),
    (b"name: !custom y", "1: tags such as '!custom' are not read; remove it"),
    (b"name: !!str y", "1: tags such as"),
    (b"[" * 50_000, "1: must nest at most 16 deep; flatten it"),
    (b"a: " + b"{a: " * 400, "1: must nest at most 16 deep"),
    (b"\n".join(b" " * n + b"a:" for n in range(200)), "17: must nest at most 16 deep"),
    (b"- a\n" * (MAX_NODES + 1), f"{MAX_NODES}: must hold at most 20,000 values"),
    (b"x" * (2**20 + 1), " must be at most 1,048,576 bytes"),
    (b"", "1: the file is empty"),
    (b"# nothing\n", "1: the file is empty"),
    (b"---\n---\n", "2: must be one YAML document"),
    (b"name: m\n---\nname: m", "2: must be one YAML document"),
    (b"name: m\nname: n", "2: duplicate key 'name', first on line 1; remove one"),
    (b"? [a]\n: b", "1: a key must be a word"),
    (b"? {a: b}\n: b", "1: a key must be a word"),
    (b"'': b", "1: a key must be a word"),
    (b'"a\\nb": b', "1: a key must be a word"),
    (b"name: [", "1: not valid YAML: "),
    (b"name: m\n\tx: 1", "2: not valid YAML: "),
    (b"name: \x00", "1: not valid YAML: special characters are not allowed"),
    (b"name: m\nx: \xff", "2: not UTF-8; save the file as UTF-8"),
    (b"%YAML 9.9\n---\na", "1: not valid YAML"),
    (b"just text", "1: must be a map with the keys name"),
    (b"<<: {name: m}", "1: unknown key '<<'"),
]


@pytest.mark.parametrize(("data", "message"), HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_hardware_file_is_one_line(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(HardwareError, match=f"^m.yaml:{message}") as caught:
        _read(data, tmp_path)
    _is_one_line(caught.value)


def test_a_yaml_bomb_takes_no_memory(tmp_path: Path) -> None:
    rows = [b"k0: &k0 [x]"]
    rows += [b"k%d: &k%d [%s]" % (n, n, b", ".join([b"*k%d" % (n - 1)] * 9)) for n in range(1, 30)]
    peak = _peak(lambda: _read(b"\n".join(rows), tmp_path), "anchors and aliases are not read")
    assert peak < 2**22


def test_hardware_words_are_not_turned_into_other_types(tmp_path: Path) -> None:
    text = YAML.replace(b"name: m", b"name: no").replace(
        b"precision: int8\n", b"description: 1:30\n"
    )
    machine = _read(text, tmp_path)
    assert (machine.name, machine.description) == ("no", "1:30")
