"""The critical path of every case of the corpus."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from corpus import CORPUS, PRESETS
from paths import check_path

from codesign import simulate
from codesign.result.why import find_why
from codesign.workload.record import Trace


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("make", CORPUS, ids=lambda make: make.__name__)
def test_the_corpus_is_explained_to_the_tick(make: Callable[[], Trace], preset: str) -> None:
    result = simulate(make(), preset)
    why = result.why()
    check_path(why, result)
    assert find_why(result.placement, result.machine, exact_events=True).parts == why.parts
    assert result.why() == why


OTHERS = ("edge-npu-lpddr5", "h100", "aim-like", "upmem-like", "ethos-u55-128", "h4h-edge")


@pytest.mark.parametrize("preset", OTHERS)
@pytest.mark.parametrize("make", CORPUS[2:5], ids=lambda make: make.__name__)
def test_other_machines_are_explained_to_the_tick(make: Callable[[], Trace], preset: str) -> None:
    """Banks that rest, engines that own memories, several engines on one buffer, decoders."""
    result = simulate(make(), preset)
    why = result.why()
    check_path(why, result)
    assert find_why(result.placement, result.machine, exact_events=True).parts == why.parts
