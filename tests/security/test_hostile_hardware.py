"""Hardware files from strangers: hardware or one clear line, within bounded memory, never code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from hostile_parts import Mutate, is_one_line, mutations, peak_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codesign.errors import HardwareError
from codesign.hardware.component import Engine, Link, Memory
from codesign.hardware.spec import Hardware, read_hardware
from codesign.hardware.yaml_source import MAX_NODES


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


def test_a_device_is_not_read_as_hardware() -> None:
    with pytest.raises(HardwareError, match="/dev/zero: no such file"):
        read_hardware(Path("/dev/zero"), KINDS, "/dev/zero")


def _read(data: bytes, folder: Path) -> Hardware:
    path = folder / "m.yaml"
    path.write_bytes(data)
    return read_hardware(path, KINDS, "m.yaml")


def test_the_hardware_that_is_damaged_below_is_valid(tmp_path: Path) -> None:
    assert list(_read(YAML, tmp_path).components) == ["e", "s", "l", "d"]


@given(mutate=mutations())
@settings(
    max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_hardware_file_is_hardware_or_one_line(mutate: Mutate, tmp_path: Path) -> None:
    try:
        machine = _read(mutate(YAML), tmp_path)
    except HardwareError as error:
        is_one_line(error, "m.yaml:")
    else:
        assert len(machine.digest) == 64


@given(data=st.binary(max_size=200))
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_are_hardware_or_one_line(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(HardwareError) as caught:
        _read(data, tmp_path)
    is_one_line(caught.value)


@given(text=st.text(alphabet="ab:-[]{}&*!|>'\"%#?, \n\t", max_size=60))
@settings(
    max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_yaml_punctuationis_one_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(HardwareError) as caught:
        _read(text.encode(), tmp_path)
    is_one_line(caught.value)


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
def test_a_hostile_hardware_fileis_one_line(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(HardwareError, match=f"^m.yaml:{message}") as caught:
        _read(data, tmp_path)
    is_one_line(caught.value)


def test_a_yaml_bomb_takes_no_memory(tmp_path: Path) -> None:
    rows = [b"k0: &k0 [x]"]
    rows += [b"k%d: &k%d [%s]" % (n, n, b", ".join([b"*k%d" % (n - 1)] * 9)) for n in range(1, 30)]
    peak = peak_of(lambda: _read(b"\n".join(rows), tmp_path), "anchors and aliases are not read")
    assert peak < 2**22


def test_hardware_words_are_not_turned_into_other_types(tmp_path: Path) -> None:
    text = YAML.replace(b"name: m", b"name: no").replace(
        b"precision: int8\n", b"description: 1:30\n"
    )
    machine = _read(text, tmp_path)
    assert (machine.name, machine.description) == ("no", "1:30")
