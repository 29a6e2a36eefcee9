"""What the timeline shows, and how it stays small."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_case import OLD, banked, generated, small, with_why

from codesign.report.items import Slices, find_items
from codesign.report.saved import read_saved
from codesign.report.timeline_data import timeline_data
from codesign.result.result import Result

Lengths = list[tuple[int, int]]


def row(lengths: Lengths) -> Slices:
    """Slices of (gap before, length), one after the other."""
    ends = np.cumsum([gap + length for gap, length in lengths])
    starts = ends - np.array([length for _, length in lengths])
    names = tuple(f"op{n}" for n in range(len(lengths)))
    busy = (ends - starts) // 2
    return Slices(
        "npu", starts, ends, names, ("contraction",) * len(lengths), ends - starts, busy, 0.5
    )


many = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 300)), min_size=1, max_size=120)


@given(many, st.integers(2, 60))
def test_folding_keeps_order_ends_and_count(lengths: Lengths, most: int) -> None:
    whole = row(lengths)
    found = whole.folded(most)
    assert len(found.starts) <= max(most, 1) + 1 or len(lengths) <= most
    assert found.starts[0] == whole.starts[0]
    assert found.ends[-1] == whole.ends[-1]
    assert (found.starts[1:] >= found.ends[:-1]).all()
    told = [int(one.split()[0].replace(",", "")) if "short" in one else 1 for one in found.labels]
    assert sum(told) == len(lengths)


@given(many, st.integers(2, 60))
def test_folding_keeps_what_was_taken_and_what_computed(lengths: Lengths, most: int) -> None:
    whole = row(lengths)
    found = whole.folded(most)
    assert found.lengths.sum() == whole.lengths.sum() == sum(length for _, length in lengths)
    assert found.busy.sum() == whole.busy.sum()
    assert (found.busy <= found.lengths).all()
    assert (found.lengths <= found.ends - found.starts).all()
    assert found.used == whole.used


@pytest.mark.parametrize("make", [small, banked])
def test_what_slices_compute_is_the_utilisation_of_their_engine(
    tmp_path: Path, make: Callable[[], Result]
) -> None:
    make().save(tmp_path)
    saved = read_saved(tmp_path)
    engines = [one for one in find_items(saved).slices if not one.is_path]
    assert {one.name for one in engines} == set(saved.engines)
    for one in engines:
        assert one.used == saved.summary.utilization[one.name]
        assert one.busy.sum() / saved.makespan == pytest.approx(one.used, abs=1e-6)
        assert (one.busy <= one.lengths).all()


def test_an_engine_that_books_no_computing_is_taken_to_compute_all_the_time(tmp_path: Path) -> None:
    saved = read_saved(generated(tmp_path, 4))
    operators = saved.operators | {"compute_s": [0.0] * 4}
    npu, vector = find_items(dataclasses.replace(saved, operators=operators)).slices
    assert npu.used == 0.5
    assert npu.busy.tolist() == npu.lengths.tolist(), "it was busy, nobody knows in which operator"
    assert vector.used is None
    assert vector.busy.tolist() == [0, 0], "nothing says that it ever was"


@given(many)
def test_nothing_is_folded_that_fits(lengths: Lengths) -> None:
    whole = row(lengths)
    assert whole.folded(len(lengths)) is whole


def test_a_long_slice_stays_as_it_is_among_many_short_ones() -> None:
    lengths = [(0, 1)] * 500 + [(0, 10_000)] + [(0, 1)] * 500
    found = row(lengths).folded(20)
    assert "op500" in found.labels
    assert found.sorts[found.labels.index("op500")] == "contraction"
    assert [label for label in found.labels if label != "op500"] == ["500 short ones"] * 2


def test_twenty_thousand_slices_are_all_there_and_more_are_folded(tmp_path: Path) -> None:
    saved = read_saved(generated(tmp_path, 100, runs=200))
    items = find_items(saved)
    assert (items.total, items.drawn) == (20_000, 20_000)
    folded = find_items(saved, 1000)
    assert folded.total == 20_000
    assert folded.drawn <= 1002


def test_slices_of_an_engine_do_not_overlap_and_end_with_the_run(tmp_path: Path) -> None:
    result = small()
    result.save(tmp_path)
    items = find_items(read_saved(tmp_path))
    assert [one.name for one in items.slices] == ["npu0", "vector", "critical path"]
    for one in items.slices:
        assert (one.starts[1:] >= one.ends[:-1]).all()
        assert (one.ends >= one.starts).all()
    assert max(int(one.ends.max()) for one in items.slices) == result.replay.makespan
    path = items.slices[-1]
    assert items.total == len(result.replay.spans) + len(path.starts)


def test_slices_are_those_of_the_timeline_that_is_saved(tmp_path: Path) -> None:
    """A folder of an earlier version, which has the timeline only, shows the same."""
    small().save(tmp_path)
    now, before = find_items(read_saved(tmp_path)), find_items(read_saved(OLD))
    assert now.slices[-1].name == "critical path"  # which the version before did not write
    for new, old in zip(
        now.slices[:-1], sorted(before.slices, key=lambda one: one.name), strict=True
    ):
        assert new.name == old.name
        assert new.starts.tolist() == old.starts.tolist()
        assert new.ends.tolist() == old.ends.tolist()
        assert new.labels == old.labels


def test_memories_and_links_have_a_rate_and_a_peak(tmp_path: Path) -> None:
    items = find_items(read_saved(generated(tmp_path, 3)))
    assert [(one.name, one.peak) for one in items.flows] == [
        ("sram", 1e11), ("bus", 1e10), ("dram", 1e10),
    ]  # fmt: skip
    assert [one.full for one in items.flows] == [1e11, 1e10, 1e10], "a full row is the peak"


def test_without_a_peak_a_full_row_is_the_most_that_flowed(tmp_path: Path) -> None:
    folder = generated(tmp_path, 3)
    (folder / "components.json").unlink()
    items = find_items(read_saved(folder))
    assert [one.peak for one in items.flows] == [0.0] * 3
    assert [one.full for one in items.flows] == pytest.approx([1.5e9] * 3)
    tracks = timeline_data(read_saved(folder), items)["tracks"]
    assert {track["peak"] for track in tracks if "values" in track} == {False}


def test_the_critical_path_is_a_track_of_its_own(tmp_path: Path) -> None:
    folder = generated(tmp_path, 4)
    assert "critical path" not in [one.name for one in find_items(read_saved(folder)).slices]
    with_why(folder, 4_000_000)
    track = find_items(read_saved(folder)).slices[-1]
    assert track.name == "critical path"
    assert track.labels[:2] == ("compute · npu · head", "bandwidth · dram · head · weight")
    assert track.ends[-1] == 4_000_000


def test_what_the_script_gets_says_the_same(tmp_path: Path) -> None:
    saved = read_saved(generated(tmp_path, 5, runs=3))
    items = find_items(saved)
    data = timeline_data(saved, items)
    json.dumps(data, allow_nan=False)
    npu = data["tracks"][0]
    assert npu["starts"] == items.slices[0].starts.tolist()
    assert [data["names"][label] for label in npu["labels"]] == list(items.slices[0].labels)
    assert len(data["names"]) == 5, "a name is there once"
    dram = data["tracks"][-1]
    assert len(dram["edges"]) == len(dram["values"]) + 1
    assert (dram["full"], dram["peak"]) == (10**10, True)
    assert npu["busy"] == [100_000] * 9
    assert npu["kinds"] == ["contraction"]
    assert data["key"] == [], "there is no critical path"


@pytest.mark.parametrize("operators", [1, 2])
def test_a_run_of_one_or_two_operators_has_a_timeline(tmp_path: Path, operators: int) -> None:
    assert find_items(read_saved(generated(tmp_path, operators))).drawn == operators


def test_the_script_gets_what_folded_slices_took_only_where_some_are(tmp_path: Path) -> None:
    saved = read_saved(generated(tmp_path, 10, runs=100))
    whole, folded = (timeline_data(saved, find_items(saved, most))["tracks"] for most in (9999, 50))
    assert "lengths" not in whole[0]
    npu = folded[0]
    assert sum(npu["lengths"]) == 500 * 1_000_000
    assert sum(npu["busy"]) == 500 * 100_000
    assert npu["kinds"] == [""]


def test_a_file_may_say_that_more_was_computed_than_64_bits_count(tmp_path: Path) -> None:
    small().save(tmp_path)
    saved = read_saved(tmp_path)
    endless = {**saved.operators, "compute_s": [1e9] * len(saved.operators["name"])}
    engines = find_items(dataclasses.replace(saved, operators=endless)).slices
    assert engines
    assert all((one.busy <= one.lengths).all() for one in engines)
