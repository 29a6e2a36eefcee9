"""The critical path over time: what took turns stands as shares, not as an order."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_reader import page_of
from report_case import generated, with_folded_why, with_why
from strategies import Sketch, machine

from codesign import simulate
from codesign.errors import ReportError
from codesign.quantities import quantity
from codesign.report.figures.path import path_stacks
from codesign.report.figures.timeline import draw_timeline
from codesign.report.items import Slices, find_items
from codesign.report.saved import Saved, read_saved
from codesign.report.timeline_data import timeline_data


@pytest.fixture
def folded(tmp_path: Path) -> Saved:
    """Four microseconds, of which the second half of the critical path is a loop."""
    with_folded_why(generated(tmp_path / "result", 4), 4_000_000)
    return read_saved(tmp_path / "result")


def path_of(saved: Saved) -> Slices:
    return find_items(saved).slices[-1]


def test_a_folded_stretch_is_one_box_of_shares(folded: Saved) -> None:
    path = path_of(folded)
    assert path.starts.tolist() == [0, 2_000_000]
    assert path.ends.tolist() == [2_000_000, 4_000_000]
    assert path.labels == ("bandwidth · dram · head · weight", "folded: 50 parts in turns")
    assert path.shares == (
        (("bandwidth", 2_000_000),),
        (("compute", 600_000), ("bandwidth", 1_400_000)),
    )


def test_what_is_not_folded_stays_in_order_of_time(tmp_path: Path) -> None:
    folder = generated(tmp_path, 4)
    with_why(folder, 4_000_000)
    path = path_of(read_saved(folder))
    assert [shares[0][0] for shares in path.shares] == ["compute", "bandwidth"] * 2
    assert {len(shares) for shares in path.shares} == {1}


def test_two_stretches_behind_each_other_are_two_boxes(tmp_path: Path) -> None:
    folder = generated(tmp_path, 4)
    with_folded_why(folder, 4_000_000)
    whole = json.loads((folder / "why.json").read_text())
    whole["segments"][2]["stretch"] = 2
    (folder / "why.json").write_text(json.dumps(whole))
    labels = path_of(read_saved(folder)).labels
    assert labels[1:] == (
        "compute · npu · head (50 times)",
        "bandwidth · dram · head · weight (50 times)",
    )


@given(st.lists(st.integers(1, 40), min_size=1, max_size=80), st.integers(1, 60))
def test_folding_many_parts_keeps_the_time_of_each_cause(lengths: list[int], most: int) -> None:
    parts = np.array(lengths, dtype=np.int64)
    ends = np.cumsum(parts)
    causes = [("compute", "bandwidth", "set-up")[place % 3] for place in range(len(lengths))]
    path = Slices(
        "critical path",
        ends - parts,
        ends,
        tuple(causes),
        tuple(causes),
        parts,
        parts,
        is_path=True,
        shares=tuple(((cause, ticks),) for cause, ticks in zip(causes, lengths, strict=True)),
    )
    small = path.folded(most)
    for cause in set(causes):
        before, after = (
            sum(ticks for some in one.shares for name, ticks in some if name == cause)
            for one in (path, small)
        )
        assert before == after
    for start, end, shares in zip(small.starts, small.ends, small.shares, strict=True):
        assert sum(ticks for _, ticks in shares) == end - start


def test_the_script_gets_the_picoseconds_of_each_cause(folded: Saved) -> None:
    data = timeline_data(folded, find_items(folded))
    path = data["tracks"][2]
    assert path["name"] == "critical path"
    assert path["kinds"] == ["compute", "bandwidth"]
    assert path["mixes"] == {"1": [[0, 600_000], [1, 1_400_000]]}
    assert len(path["colours"]) == 2
    assert [name for name, _ in data["key"]] == ["compute", "bandwidth"], "nothing is grey"


def test_a_figure_stacks_the_shares_over_the_whole_stretch(folded: Saved) -> None:
    drawn = draw_timeline(folded)
    (gid,) = [
        gid for gid, titles in drawn.titles.items() if any("in turns" in one for one in titles)
    ]
    assert drawn.titles[gid][1:] == (
        "folded: 50 parts in turns: from 2.000 µs, 2.000 µs, compute 30.0 % of it",
        "folded: 50 parts in turns: from 2.000 µs, 2.000 µs, bandwidth 70.0 % of it",
    )
    (boxes,) = [one for one in drawn.figure.axes[0].collections if one.get_gid() == gid]
    corners = [np.asarray(path.vertices) for path in boxes.get_paths()]
    spans = [(float(box[:, 0].min()), float(box[:, 0].max())) for box in corners]
    assert spans == [(0, 2), (2, 4), (2, 4)], "microseconds"
    tall = [float(np.ptp(box[:, 1])) for box in corners]
    assert tall[1:] == pytest.approx([0.3 * tall[0], 0.7 * tall[0]])
    assert "share of causes that took turns" in drawn.figure.axes[0].get_title()


def test_the_page_says_that_the_place_in_a_box_is_no_time(tmp_path: Path) -> None:
    folder = generated(tmp_path / "result", 4)
    with_why(folder, 4_000_000)
    plain, _ = page_of(folder, tmp_path / "plain.html")
    with_folded_why(folder, 4_000_000)
    page, _ = page_of(folder, tmp_path / "page.html")
    said = "Its causes took turns in truth"
    assert any(said in words for words in page.texts["p"])
    assert not any(said in words for words in plain.texts["p"])


def test_a_loop_of_a_thousand_steps_is_drawn_in_few_boxes_that_fill_the_run(
    tmp_path: Path,
) -> None:
    sketch = Sketch("steps")
    sketch.recurrent("rnn", sketch.input("x", 1_000, 32), 32)
    result = simulate(sketch.trace(), machine(bandwidth=1e9))
    result.save(tmp_path)
    saved = read_saved(tmp_path)
    path = path_of(saved)
    assert len(path.starts) < 1_000
    assert any(len(shares) > 1 for shares in path.shares)
    assert (path.starts[0], path.ends[-1]) == (0, result.replay.makespan)
    assert path.starts[1:].tolist() == path.ends[:-1].tolist()
    spent: dict[str, int] = {}
    for cause, ticks in (pair for shares in path.shares for pair in shares):
        spent[cause] = spent.get(cause, 0) + ticks
    assert saved.why is not None
    for cause, ticks in result.why().by("cause").items():
        # what is rounded is rounded for each stretch
        assert math.isclose(spent[cause], ticks, abs_tol=len(saved.why.segments))


def test_the_report_rounds_each_sum_as_the_command_does(tmp_path: Path) -> None:
    """A sum of a few picoseconds in seconds may fall on the other side of a half."""
    folder = generated(tmp_path, 4)
    with_why(folder, 4_000_000)
    whole = json.loads((folder / "why.json").read_text())
    pieces = [7_500, 22_500] * 50 + [22_500]
    whole["parts"] = [
        {"cause": "wake-up", "component": "dram", "op": f"op{n}", "role": "", "ps": ps}
        for n, ps in enumerate(pieces)
    ]
    (folder / "why.json").write_text(json.dumps(whole))
    causes, _ = path_stacks(read_saved(folder))
    assert causes.row("wake-up") == sum(pieces) / 1e12
    assert quantity(causes.row("wake-up"), "s") == quantity(1_522_500 / 1e12, "s")


@pytest.mark.parametrize(("field", "value"), [("stretch", -1), ("times", "many")])
def test_a_stretch_that_is_none_is_refused_in_one_line(
    tmp_path: Path, field: str, value: object
) -> None:
    folder = generated(tmp_path, 4)
    with_folded_why(folder, 4_000_000)
    whole = json.loads((folder / "why.json").read_text())
    whole["segments"][1][field] = value
    (folder / "why.json").write_text(json.dumps(whole))
    with pytest.raises(ReportError, match=rf"why\.json: .*{field}") as caught:
        read_saved(folder)
    assert "\n" not in str(caught.value)
