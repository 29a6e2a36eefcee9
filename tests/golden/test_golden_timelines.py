"""Timelines of the corpus and of every preset are sound, whole or cut short."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from corpus import CORPUS, PRESETS, convolutions, recurrent

from codesign import simulate
from codesign.result.result import Result
from codesign.testing import check_timeline
from codesign.workload.record import Trace
from codesign.zoo.transducer import Transducer

ALL = sorted(path.stem for path in (Path(__file__).parents[2] / "hardware").glob("*.yaml"))


def check(result: Result) -> None:
    """Whole or cut short, a timeline is sound, and its counters hold what was charged."""
    sizes = {m.name: m.size for m in result.machine.memories if not m.off_chip}
    for limit in (None, 4):
        document = result.timeline(limit)
        check_timeline(document)
        events = document["traceEvents"]
        power = [(e["ts"], e["args"]["W"]) for e in events if e["name"] == "dynamic power"]
        spent = math.fsum(w * (b - a) * 1e-6 for (a, w), (b, _) in pairwise(power))
        assert spent == pytest.approx(result.energy_split.dynamic_j, rel=1e-9)
        assert document["otherData"]["arrows_left_out"] == 0
        for name, size in sizes.items():
            held = [e["args"]["B"] for e in events if e["name"] == f"{name} residents"]
            assert 0 <= min(held) <= max(held) <= size


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("make", CORPUS, ids=lambda make: make.__name__)
def test_a_timeline_of_the_corpus_is_sound(make: Callable[[], Trace], preset: str) -> None:
    check(simulate(make(), preset))


@pytest.mark.parametrize("preset", ALL)
def test_a_timeline_of_any_preset_is_sound(preset: str) -> None:
    encoder = Transducer(layers=2, width=64, joint=64).encoder(16)
    for trace in (recurrent(), convolutions(), encoder):
        check(simulate(trace, preset))


@pytest.mark.parametrize("residency", ["none", "greedy"])
def test_a_timeline_of_a_zoo_model_is_sound_whatever_stays(residency: Any) -> None:
    encoder = Transducer(layers=2, width=64, joint=64).encoder(16)
    for schedule in (None, "layer-major:4"):
        check(simulate(encoder, "edge-npu", residency=residency, schedule=schedule))
