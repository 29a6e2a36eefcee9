"""What comes once before a first run: told apart, and in the figures of the run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Codesign
from strategies import Sketch, machine

from codesign import Residency, save_trace, simulate
from codesign.errors import MappingError
from codesign.mapping.placement import Placement
from codesign.replay.run import replay
from codesign.result.result import Result, build_result
from codesign.workload.record import Trace

WIDTH = 32
MATRICES = WIDTH * WIDTH + WIDTH * 24
"""Bytes of both weights in the int8 of the machine."""


def model() -> Trace:
    sketch = Sketch("kept")
    x = sketch.pointwise("relu", sketch.matmul("body", sketch.input("x", 4, WIDTH), WIDTH))
    sketch.matmul("head", x, 24)
    return sketch.trace()


def ran(*, across_runs: bool) -> Result:
    asked = Residency("greedy", across_runs=across_runs)
    return simulate(model(), machine(), residency=asked)


def played(placement: Placement) -> Result:
    return build_result(placement, machine(), replay(placement, machine()))


def test_a_run_is_its_set_up_and_what_a_later_run_takes() -> None:
    first = ran(across_runs=True)
    later = played(replace(first.placement, setup=()))
    assert first.set_up is not None
    assert later.set_up is None
    assert first.latency_s == pytest.approx(first.set_up.seconds + later.latency_s, abs=1e-12)
    assert first.set_up.seconds > 0


def test_the_bytes_of_a_set_up_are_those_that_no_later_run_moves() -> None:
    first = ran(across_runs=True)
    later = played(replace(first.placement, setup=()))
    assert first.set_up is not None
    assert first.set_up.bytes == first.placement.setup_bytes == MATRICES
    assert first.offchip_bytes["weight"] == MATRICES
    assert later.offchip_bytes.get("weight", 0) == 0


def test_without_anything_that_stays_from_run_to_run_there_is_no_set_up() -> None:
    once = ran(across_runs=False)
    assert once.set_up is None
    assert once.placement.setup_bytes == 0
    assert "set_up" not in once.summary()
    assert not any("set-up" in line for line in once.assumptions)


def test_the_assumptions_say_which_run_the_figures_are_of() -> None:
    (line,) = [line for line in ran(across_runs=True).assumptions if "set-up" in line]
    assert line == (
        f"a set-up before the first run loads {MATRICES:,} B from dram that stay from run to run; "
        "figures of a run are of the first one, with its set-up"
    )


@pytest.mark.parametrize("policy", ["region", "none"])
def test_what_keeps_nothing_across_runs_is_refused(policy: str) -> None:
    with pytest.raises(MappingError) as told:
        Residency(policy, across_runs=True)  # type: ignore[arg-type]
    assert str(told.value) == (
        "across_runs keeps what the policies 'greedy' and 'optimal' choose or pins name, got "
        f"policy {policy!r} without pins; take the policy 'greedy'"
    )
    kept = Residency(policy, pins=("head.weight",), across_runs=True)  # type: ignore[arg-type]
    assert simulate(model(), "edge-npu", residency=kept).set_up is not None


def test_the_command_line_tells_the_set_up_apart(codesign: Codesign, tmp_path: Path) -> None:
    save_trace(model(), tmp_path / "kept.json")
    words = ("simulate", tmp_path / "kept.json", "--hardware", "edge-npu", "--across-runs")
    kept = Residency("greedy", across_runs=True)
    found = simulate(str(tmp_path / "kept.json"), "edge-npu", residency=kept)
    assert found.set_up is not None
    out = codesign(*words, "--residency", "greedy").out
    (line,) = [line for line in out.splitlines() if line.startswith("set-up")]
    assert "of it, once: loads 1.792 kB that stay; the run behind it " in line
    summary = json.loads(codesign(*words, "--residency", "greedy", "--json").out)
    assert summary["set_up"] == {"seconds": found.set_up.seconds, "bytes": MATRICES}
    plain = codesign(*words[:-1], "--residency", "greedy").out
    assert not any(line.startswith("set-up") for line in plain.splitlines())


def test_the_command_line_refuses_to_keep_nothing(codesign: Codesign, tmp_path: Path) -> None:
    refused = codesign("simulate", "resnet18", "--hardware", "edge-npu", "--across-runs")
    assert refused.code == 2
    assert refused.err.startswith("error: across_runs keeps what the policies 'greedy'")


def test_why_takes_the_same_option(codesign: Codesign, tmp_path: Path) -> None:
    save_trace(model(), tmp_path / "kept.json")
    words = (tmp_path / "kept.json", "--hardware", "edge-npu", "--residency", "greedy")
    found = json.loads(codesign("why", *words, "--across-runs", "--json").out)
    assert any("setup" in part["op"] for part in found["parts"])
