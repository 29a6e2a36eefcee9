"""``--objective`` of ``codesign simulate`` and ``codesign mapping show``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Codesign

from codesign import Trace, save_trace
from codesign.testing import convolution
from codesign.workload.record import Tensor

OP = convolution(512, 512, 7, 3, padding=1)
HARDWARE = ("--hardware", "edge-npu", "--set", "sram.size=64 KiB", "--residency", "none")
WORDS = ("latency", "energy", "edp", "latency^0.3*energy^0.7")


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A trace of one convolution."""
    tensors: dict[Tensor, None] = {access.tensor: None for access in OP.operands}
    path = tmp_path / "model.json"
    save_trace(Trace("t", (OP,), tuple(tensors)), path)
    return str(path)


def shown(codesign: Codesign, model: str, *options: str) -> dict[str, Any]:
    """Seconds and joules of the operator, and the objective."""
    run = codesign("mapping", "show", model, *HARDWARE, "--op", OP.name, "--json", *options)
    assert run.code == 0, run.err
    (found,) = json.loads(run.out)
    return {key: found[key] for key in ("time_s", "energy_j", "objective")}


def test_show_takes_any_objective(codesign: Codesign, model: str) -> None:
    found = {word: shown(codesign, model, "--objective", word) for word in WORDS}
    assert [one["objective"] for one in found.values()] == list(WORDS)
    assert found["energy"]["energy_j"] < found["latency"]["energy_j"]
    assert found["energy"]["time_s"] >= found["latency"]["time_s"]
    plain = shown(codesign, model)
    assert plain["objective"] is None
    assert plain["energy_j"] == found["latency"]["energy_j"]
    assert plain["time_s"] == found["latency"]["time_s"]


def test_the_best_beside_a_fixed_mapping_has_the_objective_of_both(
    codesign: Codesign, model: str, tmp_path: Path
) -> None:
    fixed = tmp_path / "fixed.yaml"
    fixed.write_text(json.dumps({OP.name: {"tile": {"co": 64}}}))
    options = (*HARDWARE, "--op", OP.name, "--objective", "energy", "--mapping", fixed)
    (found,) = json.loads(codesign("mapping", "show", model, *options, "--json").out)
    assert found["objective"] == found["best"]["objective"] == "energy"


def test_show_names_an_objective_that_weighs_energy(codesign: Codesign, model: str) -> None:
    show = ("mapping", "show", model, *HARDWARE, "--op", OP.name)
    text = codesign(*show, "--objective", "energy*latency^2").out
    assert "objective latency^2*energy what the mapping makes small" in " ".join(text.split())
    for options in ((), ("--objective", "latency")):
        assert "objective" not in codesign(*show, *options).out


def test_simulate_takes_it_and_says_so(codesign: Codesign, model: str) -> None:
    documents = {}
    for word in ("latency", "energy"):
        run = codesign("simulate", model, *HARDWARE, "--objective", word, "--json")
        assert run.code == 0, run.err
        documents[word] = json.loads(run.out)
    assert documents["energy"]["energy_j"] < documents["latency"]["energy_j"]
    text = codesign("simulate", model, *HARDWARE, "--objective", "energy").out
    assert "objective energy: plans are searched for the least energy" in " ".join(text.split())


@pytest.mark.parametrize("command", ["simulate", "mapping show"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("enrgy", "did you mean 'energy'"),
        ("latency^-2", "got '-2' in 'latency^-2'"),
        ("latency^0", "must weigh latency or energy"),
        ("latency+energy", "did you mean"),
        ("", "product of powers"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    codesign: Codesign, model: str, command: str, text: str, said: str
) -> None:
    words = [*command.split(), model, *HARDWARE, "--objective", text]
    run = codesign(*words, *(("--op", OP.name) if command == "mapping show" else ()))
    assert run.code == 2
    assert run.out == ""
    assert run.err.count("\n") == 1
    assert said in run.err


def test_a_mistake_is_told_before_a_model_is_read(codesign: Codesign) -> None:
    run = codesign("simulate", "no_such_model", *HARDWARE, "--objective", "power")
    assert run.code == 2
    assert "got 'power'" in run.err
