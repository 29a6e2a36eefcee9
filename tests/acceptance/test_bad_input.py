"""Bad input of every kind: one line with place and remedy, exit code 2, nothing written."""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Codesign

from codesign.testing import matmul
from codesign.workload.file import save_trace
from codesign.workload.record import Trace

PRESET = (
    importlib.resources.files("codesign_hardware")
    .joinpath("edge-npu.yaml")
    .read_text(encoding="utf-8")
    .replace("name: edge-npu", "name: board")
)
RING = "\n  side: {kind: link, connects: [dram, sram], bandwidth: 1 GB/s}\n"
BOMB = "a: &a [x, x]\n" + "".join(f"k{n}: &k{n} [*a, *a]\n" for n in range(30))


def without_bus(text: str) -> str:
    start, end = text.index("  bus:"), text.index("  dram:\n    kind")
    return text[:start] + text[end:]


HARDWARE: dict[str, tuple[Callable[[str], str], str]] = {
    "unknown field": (lambda t: t.replace("    rows:", "    rowz:"), "did you mean 'rows'"),
    "wrong unit": (lambda t: t.replace("value: 1 GHz", "value: 1 GB"), "expected a unit of Hz"),
    "cyclic graph": (lambda t: t + RING, "sram - bus - dram - side - sram"),
    "missing route": (without_bus, "add a link that connects [dram, sram]"),
    "unknown kind": (lambda t: t.replace("kind: systolic", "kind: systolc"), "'systolic'"),
    "out of range": (lambda t: t.replace("rows: {value: 64", "rows: {value: 0"), ">= 1"),
    "a YAML bomb": (lambda _: BOMB, "anchors and aliases are not read"),
    "a 200 MB line": (lambda _: "name: " + "x" * 200_000_000, "must be at most 1,048,576 bytes"),
    "no YAML": (lambda _: "\x00\x01", "board.yaml"),
    "empty": (lambda _: "", "board.yaml"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    op = matmul(4, 64, 64)
    trace = Trace("one", (op,), tuple(access.tensor for access in op.operands))
    save_trace(trace, tmp_path / "one.json")
    return tmp_path


Refused = Callable[..., str]


@pytest.fixture
def refused(folder: Path, codesign: Codesign) -> Refused:
    """Runs ``codesign simulate`` and returns the one line that it must end with."""

    def run(*words: str) -> str:
        before = sorted(path.name for path in folder.rglob("*"))
        done = codesign("simulate", *words, "--out", "out")
        assert done.code == 2
        assert done.out == ""
        assert sorted(path.name for path in folder.rglob("*")) == before
        (line,) = done.err.strip().splitlines()
        assert line.startswith("error: ")
        return line

    return run


@pytest.mark.parametrize("case", HARDWARE)
def test_a_bad_hardware_file_is_one_line(folder: Path, refused: Refused, case: str) -> None:
    change, remedy = HARDWARE[case]
    (folder / "board.yaml").write_text(change(PRESET), encoding="utf-8")
    line = refused("one.json", "--hardware", "board.yaml")
    assert "board.yaml" in line
    assert remedy in line
    assert len(line) < 600


def test_an_operator_that_no_engine_takes_lists_each_reason(folder: Path, refused: Refused) -> None:
    op = matmul(4, 64, 64, dtype="fp32")
    trace = Trace("float", (op,), tuple(access.tensor for access in op.operands))
    save_trace(trace, folder / "float.json")
    line = refused("float.json", "--hardware", "edge-npu", "--dtype", "native")
    assert "npu: no MAC rate or energy for fp32*fp32" in line
    assert "vector: takes no contraction" in line
    assert "--dtype" in line


def test_a_tensor_larger_than_any_memory_says_which_and_where(refused: Refused) -> None:
    line = refused("one.json", "--hardware", "edge-npu", "--set", "dram.size=1 KiB")
    assert "4,096 B" in line
    assert "dram.size" in line


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_trace_file_says_where_it_ends(
    folder: Path, refused: Refused, share: float
) -> None:
    whole = (folder / "one.json").read_bytes()
    (folder / "one.json").write_bytes(whole[: int(len(whole) * share)])
    line = refused("one.json", "--hardware", "edge-npu")
    assert "one.json" in line
    assert "line" in line


def test_a_trace_file_of_one_200_mb_line_is_not_read(folder: Path, refused: Refused) -> None:
    (folder / "long.json").write_bytes(b'{"format":"' + b"x" * 200_000_000 + b'"}')
    assert "must be at most 104,857,600 bytes" in refused("long.json", "--hardware", "edge-npu")


@pytest.mark.parametrize(
    ("setting", "remedy"),
    [
        ("npu.rowz=3", "did you mean 'rows'"),
        ("nqu.rows=3", "did you mean 'npu'"),
        ("npu.rows=3 GHz", "number"),
        ("npu.rows", "COMPONENT.FIELD=VALUE"),
        ("sram.size=-1 KiB", ">= 1"),
    ],
)
def test_a_bad_setting_is_one_line(refused: Refused, setting: str, remedy: str) -> None:
    assert remedy in refused("one.json", "--hardware", "edge-npu", "--set", setting)


@pytest.mark.parametrize("model", ["resnet5", "missing.json", "no.such:factory", "json:loads"])
def test_a_bad_model_is_one_line(refused: Refused, model: str) -> None:
    line = refused(model, "--hardware", "edge-npu")
    assert model.split(":")[0].split(".")[0] in line
