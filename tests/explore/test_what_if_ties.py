"""Two resources that bound a transfer equally: told together, and doubled together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from paths import check_path
from strategies import Sketch, machine

from codesign.explore.changes import find_changes
from codesign.explore.what_if import what_if
from codesign.hardware.spec import Hardware
from codesign.result.result import Result
from codesign.result.why import find_why
from codesign.result.why import tied as names_of
from codesign.simulation import Prepared, prepare


def asked(rate: float, memory_rate: float) -> Prepared:
    """One operator behind a link and a memory with these rates, and a buffer that is fast."""
    sketch = Sketch("one")
    sketch.matmul("op", sketch.input("x", 4, 512), 512)
    parts = dict(machine(bandwidth=rate).components)
    parts["dram"] = replace(parts["dram"], bandwidth=memory_rate)  # type: ignore[call-arg]
    return prepare(sketch.trace(), Hardware("tied", "", None, parts))


def tied() -> tuple[Prepared, Result]:
    """The link and the memory behind it have the same rate."""
    found = asked(2e9, 2e9)
    return found, found.run()


def test_a_tie_is_told_as_one() -> None:
    _, result = tied()
    why = result.why()
    check_path(why, result)
    assert why.by("component")["bus0, dram"] > 0.5 * why.makespan
    assert why.parts == find_why(result.placement, result.machine, exact_events=True).parts
    near = asked(2e9, 2e9 + 1).run().why()
    assert "bus0, dram" not in near.by("component")
    assert near.by("cause") == pytest.approx(why.by("cause"), rel=1e-6)


def test_names_of_a_tie_are_told_apart_and_one_alone_stays() -> None:
    _, result = tied()
    (both,) = (name for name in result.why().by("component") if "," in name)
    assert names_of(both) == ("bus0", "dram")
    assert names_of("dram") == ("dram",)


def test_what_is_tied_is_doubled_together() -> None:
    prepared, result = tied()
    why = result.why()
    told = {one.change.text: one for one in what_if(prepared, result, why)}
    for text in ("bus0.bandwidth x2", "dram.bandwidth x2"):
        assert told[text].replayed == pytest.approx(1, abs=0.02)
        assert told[text].path_share > 0.5
    both = told["bus0.bandwidth x2 and dram.bandwidth x2"]
    assert both.replayed is not None
    assert both.replayed > 1.5
    assert both.predicted == pytest.approx(both.replayed, rel=0.02)
    assert both.change.settings == {"bus0.bandwidth": 4e9, "dram.bandwidth": 4e9}
    assert both.path_share == told["bus0.bandwidth x2"].path_share


def test_nothing_is_doubled_together_without_a_tie() -> None:
    result = asked(2e9, 4e9).run()
    assert not [one for one in find_changes(result, result.why()) if " and " in one.text]
