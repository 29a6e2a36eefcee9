"""What is no file, or no text, where a file is expected: one line, and nobody waits for it."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzz_doors import DOORS, Door, prepare
from fuzz_guard import bounded, fault_of, guarded
from strategies import Sketch, machine

from codesign import simulate
from codesign.errors import CodesignError, HardwareError
from codesign.hardware.spec import load_hardware
from codesign.report.saved import read_saved
from codesign.result.saved import load_saved

FILES = [
    door
    for door in DOORS
    if door.name not in ("constraint", "quantity", "setting")
    and "simulated" not in door.name
    and not door.name.startswith("result, ")
]
"""Doors that take the path of a file; those of results take a folder, see below."""


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _nowhere(path: Path) -> None:
    path.symlink_to(path.parent / "missing")


def _zeros(path: Path) -> None:
    path.write_bytes(b"\x00" * 5000)


def _long(path: Path) -> None:
    path.write_bytes(b'"' + b"a" * 3_000_000)


PLACES: tuple[Callable[[Path], None], ...] = (_folder, _pipe, _device, _loop, _zeros, _long)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("door", FILES, ids=lambda door: door.name)
def test_what_is_no_file_of_the_format_is_one_line(
    door: Door, place: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    path = tmp_path / door.file
    place(path)
    if door.name == "journal, resumed" and place is _zeros:
        return  # what a crash leaves of a journal, which begins anew
    with bounded(), guarded(tmp_path) as seen, pytest.raises(CodesignError) as caught:
        door.read(path)
    assert fault_of(str(caught.value), path.name if door.names_file else "") == ""
    assert not seen


@pytest.mark.parametrize("place", [_pipe, _device, _loop, _zeros, _folder])
@pytest.mark.parametrize("name", ["summary.json", "ledger.parquet"])
def test_what_is_no_file_in_the_folder_of_a_result_is_one_line(
    name: str, place: Callable[[Path], None], tmp_path: Path
) -> None:
    sketch = Sketch("t")
    sketch.matmul("mm", sketch.input("x", 4, 8), 8)
    simulate(sketch.trace(), machine()).save(tmp_path / "run")
    (tmp_path / "run" / name).unlink()
    place(tmp_path / "run" / name)
    for read in (load_saved, read_saved):
        with bounded(), pytest.raises(CodesignError) as caught:
            read(tmp_path / "run")
        assert fault_of(str(caught.value), "") == ""


@pytest.mark.parametrize("place", [_pipe, _device, _nowhere, _loop])
def test_a_device_that_a_hardware_file_names_is_a_file_or_one_line(
    place: Callable[[Path], None], tmp_path: Path
) -> None:
    place(tmp_path / "part.yaml")
    (tmp_path / "m.yaml").write_text(
        "name: m\ncomponents:\n  d: {kind: dram, device: ./part.yaml, size: 1 GiB}\n"
    )
    with guarded(tmp_path), pytest.raises(HardwareError) as caught:
        load_hardware(tmp_path / "m.yaml")
    assert "part.yaml" in str(caught.value)


@pytest.mark.parametrize("name", ["trace, compressed", "supernet block"])
def test_a_small_file_that_unpacks_to_gigabytes_is_refused(name: str, tmp_path: Path) -> None:
    door = next(door for door in DOORS if door.name == name)
    path = tmp_path / door.file
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(2**24)
    path.write_bytes(b"".join([*(packer.compress(block) for _ in range(64)), packer.flush()]))
    assert path.stat().st_size < 2**21
    with bounded(), guarded(tmp_path), pytest.raises(CodesignError, match="at most"):
        door.read(path)


@pytest.mark.parametrize("name", ["trace, compressed", "supernet block"])
def test_a_packed_file_inside_a_packed_file_is_not_unpacked_twice(
    name: str, tmp_path: Path
) -> None:
    door = next(door for door in DOORS if door.name == name)
    path = tmp_path / door.file
    path.write_bytes(gzip.compress(gzip.compress(b"{}")))
    with guarded(tmp_path), pytest.raises(CodesignError, match="UTF-8"):
        door.read(path)
