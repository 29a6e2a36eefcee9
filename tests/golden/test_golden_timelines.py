"""Timelines of the corpus are sound, whole or cut short."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
from corpus import CORPUS, PRESETS

from codesign import simulate
from codesign.testing import check_timeline
from codesign.workload.record import Trace


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("make", CORPUS, ids=lambda make: make.__name__)
def test_a_timeline_of_the_corpus_is_sound(make: Callable[[], Trace], preset: str) -> None:
    result = simulate(make(), preset)
    for limit in (None, 4):
        document = result.timeline(limit)
        check_timeline(document)
        events = [e for e in document["traceEvents"] if e["name"] == "dynamic power"]
        power = [(event["ts"], event["args"]["W"]) for event in events]
        spent = math.fsum(w * (b - a) * 1e-6 for (a, w), (b, _) in pairwise(power))
        assert spent == pytest.approx(result.energy_split.dynamic_j, rel=1e-9)
        assert document["otherData"]["arrows_left_out"] == 0
