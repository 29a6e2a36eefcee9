"""``codesign mapping show``, and ``codesign simulate --mapping``: for people and for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Codesign

from codesign import Trace, load_trace, save_trace
from codesign.simulation import explain
from codesign.testing import convolution, elementwise, matmul
from codesign.workload.record import Access, Op, Region, Tensor


def named(op: Op, name: str) -> Op:
    """An operator with tensors of its own."""

    def own(access: Access) -> Access:
        return replace(access, tensor=replace(access.tensor, name=f"{name}.{access.tensor.name}"))

    return replace(
        op,
        name=name,
        inputs=tuple(own(one) for one in op.inputs),
        outputs=tuple(own(one) for one in op.outputs),
    )


CONV = named(convolution(64, 64, 28, 3, padding=1), "conv1")
PRODUCT = named(matmul(48, 64, 40, bias=True, dtype="fp32"), "linear")
ADD = named(elementwise((64, 100), ("add",), inputs=2), "add")
STEP = named(matmul(1, 64, 64), "step")
HARDWARE = ("--hardware", "edge-npu")
ALONE = ("--residency", "none")
FIXED = """conv1:
  tile: {co: 32, oy: 4, ox: 10}
  order: [co, oy, ox]
  hold: []
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A trace of four operators, one of them in a loop."""
    items = (CONV, PRODUCT, ADD, Region("loop", 5, (STEP,)))
    tensors: dict[str, Tensor] = {}
    for op, _ in Trace("t", items, ()).ops():
        tensors |= {access.tensor.name: access.tensor for access in op.operands}
    path = tmp_path / "model.json"
    save_trace(Trace("t", items, tuple(tensors.values())), path)
    return path


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A file with one fixed mapping."""
    path = tmp_path / "mine.yaml"
    path.write_text(FIXED)
    return path


def shown(codesign: Codesign, model: Path, op: Op | str, *options: Any) -> str:
    name = op if isinstance(op, str) else op.name
    ran = codesign("mapping", "show", model, *HARDWARE, *ALONE, "--op", name, *options)
    assert (ran.code, ran.err) == (0, "")
    return str(ran.out)


def section(text: str, title: str) -> list[str]:
    """Lines of a part of the report."""
    lines = text.splitlines()
    start = lines.index(title)
    end = next((n for n in range(start + 1, len(lines)) if not lines[n]), len(lines))
    return lines[start + 1 : end]


def loops(text: str, title: str = "Loop nest, the outermost first") -> list[str]:
    return section(text, title)[1:]


@pytest.mark.parametrize("op", [CONV, PRODUCT, ADD, STEP], ids=lambda op: str(op.name))
def test_the_report_has_all_that_it_promises(codesign: Codesign, model: Path, op: Op) -> None:
    text = shown(codesign, model, op)
    lines = text.splitlines()
    assert lines[0].startswith(f"{op.name} on ")
    for title in (
        "Loop nest, the outermost first",
        "What comes and goes",
        "What tiles take of memories",
        "Bytes by memory, and what the engine does",
        "Cycles by cause",
        "Bounds",
    ):
        assert len(section(text, title)) >= 2
    heads = [line.split()[0] for line in lines[2:7]]
    assert heads == ["engine", "work", "time", "energy", "bound"]


def test_a_nest_is_indented_from_the_outside_to_the_inside(
    codesign: Codesign, model: Path, mine: Path
) -> None:
    lines = loops(shown(codesign, model, CONV, "--mapping", mine))
    nest = [line for line in lines if " for " in line or "side by side" in line]
    heads = [line.index("for" if " for " in line else "side by side") for line in nest]
    assert heads == [heads[0] + 2 * n for n in range(len(nest))]
    assert [line.split()[:5] for line in nest[:3]] == [
        ["dram", "for", "co", "in", "2"],
        ["dram", "for", "oy", "in", "7"],
        ["dram", "for", "ox", "in", "3"],
    ]
    assert [line.split()[0] for line in nest[-2:]] == ["columns", "rows"]


def test_beside_each_loop_stands_what_comes_and_what_stays(
    codesign: Codesign, model: Path, mine: Path
) -> None:
    lines = loops(shown(codesign, model, CONV, "--mapping", mine))
    co, oy, ox = lines[:3]
    # 32 of 64 filters of 64 x 3 x 3 weights; 6 rows of 12 pixels in 64 channels
    assert co.endswith("loads weight 18,432 B; again input")
    assert oy.endswith("keeps weight")
    assert "loads input 4,608 B; stores output 1,280 B; keeps weight" in ox


def test_what_stays_once_it_is_there_is_said_so(
    codesign: Codesign, model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "held.yaml"
    path.write_text(FIXED.replace("[]", "[input]"))
    lines = loops(shown(codesign, model, CONV, "--mapping", path))
    assert lines[0].endswith("loads weight 18,432 B; keeps input")
    assert "the first time loads input 4,608 B" in lines[2]


def test_an_operator_without_products_is_one_loop(codesign: Codesign, model: Path) -> None:
    text = shown(codesign, model, ADD)
    lines = loops(text)
    assert any("for piece of elements in" in line for line in lines)
    assert "6,400 elements" in text
    assert section(text, "Cycles by cause")[1].startswith("work ")


def test_an_engine_that_tells_no_loops_has_tiles_and_no_pieces_of_elements(
    codesign: Codesign, model: Path
) -> None:
    options = ("--hardware", "ethos-u55-128", *ALONE)
    texts = [codesign("mapping", "show", model, *options, "--op", x).out for x in ("conv1", "add")]
    (found,) = [line for line in loops(texts[0]) if " for " in line]
    (tiles,) = [line.split()[2] for line in texts[0].splitlines() if line.startswith("engine ")]
    assert found.split()[:5] == ["sram", "for", "tile", "in", tiles]
    assert "elements" not in found
    assert any("for piece of elements in" in line for line in loops(texts[1]))


def test_an_operator_of_a_region_says_how_often_it_runs(codesign: Codesign, model: Path) -> None:
    assert "5 times a run" in shown(codesign, model, STEP)
    assert "once a run" in shown(codesign, model, CONV)


def test_operands_on_chip_are_said_to_lie_there(codesign: Codesign, model: Path) -> None:
    ran = codesign("mapping", "show", model, *HARDWARE, "--op", "step")
    weight = next(line for line in ran.out.splitlines() if line.startswith("weight "))
    assert "in sram" in weight


def test_a_fixed_mapping_stands_beside_the_best_one_found(
    codesign: Codesign, model: Path, mine: Path
) -> None:
    text = shown(codesign, model, CONV, "--mapping", mine)
    rows = {line.split("  ")[0]: line for line in text.splitlines()}
    for word in ("time", "energy", "cycles", "tiles", "loaded", "stored", "bound", "engine"):
        assert word in rows
    free = shown(codesign, model, CONV)
    assert loops(text, "Loop nest of the best one found") == loops(free)
    assert "fixed mapping" not in free
    assert "fixed mapping" in text


def test_json_is_the_explanation_and_nothing_else(
    codesign: Codesign, model: Path, mine: Path
) -> None:
    (found,) = json.loads(shown(codesign, model, CONV, "--mapping", mine, "--json"))
    (one,) = explain(load_trace(model), "edge-npu", "conv1", residency="none", mapping=mine)
    assert found["operator"] == "conv1"
    assert found["engine"] == one.engine.name
    assert found["time_s"] == one.seconds
    assert found["energy_j"] == one.energy_j
    assert found["cycles"] == one.plan.cycles
    assert found["cycles_by_cause"] == dict(one.cycles)
    assert found["busy_s"] == dict(one.limits)
    assert found["bound"] == one.bound
    assert [loop["name"] for loop in found["loops"]] == [loop.name for loop in one.nest]
    assert [x["moved"] for x in found["operands"]] == [x.moved for x in one.operands]
    (room,) = found["rooms"]
    assert room["taken_bytes"] == one.plan.buffer_bytes
    assert room["taken_bytes"] == (
        room["held_bytes"]
        + room["input_slots"] * room["input_slot_bytes"]
        + room["result_slots"] * room["result_slot_bytes"]
    )
    (free,) = json.loads(shown(codesign, model, CONV, "--json"))
    assert found["best"] == free
    assert "best" not in free


def test_the_report_says_what_json_says(codesign: Codesign, model: Path) -> None:
    text = shown(codesign, model, CONV)
    (found,) = json.loads(shown(codesign, model, CONV, "--json"))
    assert f"{found['tiles']:,} tiles" in text
    total = section(text, "Cycles by cause")[-1]
    assert total.split()[:2] == ["all", f"{found['cycles']:,}"]
    for operand in found["operands"]:
        line = next(x for x in text.splitlines() if x.startswith(f"{operand['name']} "))
        assert line.endswith(f"{operand['moved']:,}")


@pytest.mark.parametrize("columns", [60, 80, 100, 140])
@pytest.mark.parametrize("op", [CONV, ADD], ids=lambda op: str(op.name))
def test_no_line_is_wider_than_the_terminal(
    codesign: Codesign,
    model: Path,
    mine: Path,
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
    op: Op,
) -> None:
    terminal = {"COLUMNS": str(columns), "LINES": "40", "FORCE_COLOR": "1", "TERM": "dumb"}
    for name, value in terminal.items():
        monkeypatch.setenv(name, value)
    ran = codesign("mapping", "show", model, *HARDWARE, "--op", op.name, "--mapping", mine)
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert len(lines) > 20
    assert max(map(len, lines)) <= columns


def test_options_reach_the_mapper(codesign: Codesign, model: Path) -> None:
    small = shown(codesign, model, CONV, "--set", "npu.rows=8")
    rows = next(line for line in loops(small) if line.startswith("rows"))
    assert rows.split()[-1] == "8"
    assert "on npu" in shown(codesign, model, PRODUCT, "--on", "linear=npu")


def test_a_simulation_says_what_a_decision_costs(
    codesign: Codesign, model: Path, mine: Path
) -> None:
    ran = codesign("simulate", model, *HARDWARE, *ALONE, "--mapping", mine, "--json")
    (line,) = [text for text in json.loads(ran.out)["assumptions"] if "fixed mapping" in text]
    assert line.startswith("conv1: fixed mapping ")
    assert "the best one found" in line
    free = codesign("simulate", model, *HARDWARE, *ALONE, "--json")
    assert not [x for x in json.loads(free.out)["assumptions"] if "fixed mapping" in x]
    assert json.loads(free.out)["latency_s"] < json.loads(ran.out)["latency_s"]


MISTAKES = {
    "no such operator": (("--op", "conv2"), "t has no operator 'conv2'; did you mean 'conv1'?"),
    "no such file": (("--op", "conv1", "--mapping", "none.yaml"), "none.yaml: no such file"),
    "no such engine": (("--op", "conv1", "--on", "conv1=nobody"), "unknown engine 'nobody'"),
    "no such hardware": (("--op", "conv1", "--hardware", "edge-npv"), "did you mean 'edge-npu'?"),
    "no such policy": (("--op", "conv1", "--residency", "all"), "residency must be one of"),
    "a format that nothing takes": (
        ("--op", "linear", "--dtype", "fp64"),
        "no engine of edge-npu takes 'linear': npu: no MAC rate or energy for fp64*fp64; has "
        "int8*int8; vector: takes no contraction",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(codesign: Codesign, model: Path, mistake: str) -> None:
    words, expected = MISTAKES[mistake]
    ran = codesign("mapping", "show", model, *HARDWARE, *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert expected in ran.err


FILES = {
    "conv2: {tile: {co: 8}}": "1: 'conv2' matches no operator; did you mean 'conv1'?",
    "conv1: {tile: {cx: 8}}": "1: conv1: tile: no loop 'cx'; known: ",
    "conv1: {tile: {co: 65}}": "1: conv1: tile: co must be at most its extent 64, got 65",
    "conv1: {tile: {co: 0}}": "1: conv1: tile: co must be a whole number of at least 1, got 0",
    "conv1: {hold: [wieght]}": "1: conv1: hold: no operand 'wieght'; did you mean 'weight'?",
    "conv1: {engine: nup}": "1: conv1: engine: no engine 'nup'; did you mean 'npu'?",
    "conv1: {engine: vector}": "1: conv1: engine: vector does not take it: takes no contraction",
    "conv1: {order: [ci, co]}": "1: conv1: order: groups run outermost and a reduction innermost",
    "conv1: {tile: {co: 64, oy: 28}}": "1: conv1: tile: its 50,176 partial sums take 200,704 B of "
    "the 65,536 B of accumulator of npu",
    "add: {tile: {m: 8}}": "1: add: tile: no loop 'm'; known: elements",
    "linear: {tiles: {m: 8}}": "1: linear: unknown key 'tiles'; did you mean 'tile'?",
}


@pytest.mark.parametrize("command", ["simulate", "mapping"])
@pytest.mark.parametrize("text", FILES)
def test_a_mistake_in_a_file_names_file_operator_and_key(
    codesign: Codesign, model: Path, tmp_path: Path, text: str, command: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    words = ("simulate", model) if command == "simulate" else ("mapping", "show", model)
    more = ("--op", "linear") if command == "mapping" else ()
    ran = codesign(*words, *HARDWARE, *more, "--mapping", path)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert f"error: {path}:{FILES[text]}" in ran.err


def test_a_buffer_that_is_too_small_is_named(
    codesign: Codesign, model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("conv1: {tile: {oy: 2}, hold: [input, weight]}")
    ran = codesign("simulate", model, *HARDWARE, "--mapping", path, "--set", "sram.size=64 KiB")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {path}:1: conv1: its tiles take ")
    assert " B of sram, which grants 32,768 B: input " in ran.err
