"""The ways to run one operator, with what each costs."""

from __future__ import annotations

import itertools

import pytest
from two_arrays import KIB, arrays

from codesign.errors import MappingError
from codesign.hardware.spec import Hardware
from codesign.mapping.assign.ways import Cost, Site, find_ways, run_by
from codesign.mapping.paths import Paths
from codesign.mapping.plans import Plans
from codesign.testing import elementwise, every_operator, matmul, softmax
from codesign.workload.record import Op


def ways(
    op: Op, hardware: Hardware, engine: str = "", *, split: bool = False
) -> list[tuple[Cost, ...]]:
    paths = Paths(hardware)
    return find_ways(op, [paths.home] * len(op.operands), Plans(paths), engine, split=split)


def test_every_engine_that_takes_an_operator_is_a_way_in_order_of_the_file() -> None:
    found = ways(matmul(64, 64, 64), arrays(16, 32, 64))
    assert [[cost.site for cost in way] for way in found] == [
        [Site("npu0")],
        [Site("npu1")],
        [Site("npu2")],
    ]


def test_more_rows_take_less_time() -> None:
    small, large = ways(matmul(256, 256, 256), arrays(16, 64))
    assert large[0].seconds < small[0].seconds


def test_weights_may_be_loaded_early_and_activations_may_not() -> None:
    hardware = arrays(16)
    ((weighted,),) = ways(matmul(64, 64, 64), hardware)
    assert 0 < weighted.early <= weighted.loads <= weighted.seconds
    ((plain,),) = ways(elementwise((64, 64)), hardware)
    assert plain.early == 0
    assert plain.loads > 0


def test_bytes_keep_the_memory_and_the_bus_busy_for_as_long_as_they_take() -> None:
    ((cost,),) = ways(elementwise((64, 64)), arrays(16, bandwidth=32e9))
    moved = 2 * 64 * 64  # in and out
    assert dict(cost.busy) == {
        "dram": pytest.approx(moved / 32e9),
        "bus0": pytest.approx(moved / 16e9),
    }


def test_what_lies_in_the_buffer_already_keeps_nothing_busy() -> None:
    hardware = arrays(16)
    op = elementwise((64, 64))
    ((cost,),) = find_ways(op, ["sram0", "dram"], Plans(Paths(hardware)))
    assert dict(cost.busy)["bus0"] == pytest.approx(64 * 64 / 16e9)


def test_a_rule_leaves_one_way() -> None:
    found = ways(matmul(64, 64, 64), arrays(16, 64), "npu0", split=True)
    assert [way[0].site for way in found] == [Site("npu0")]


def test_the_only_way_is_planned_only_where_somebody_reads_its_cost() -> None:
    op, hardware = matmul(10**4, 10**4, 10**4), arrays(16, 64).with_all({"sram1.size": 2})
    paths = Paths(hardware)
    homes = [paths.home] * len(op.operands)
    ((plain,),) = find_ways(op, homes, Plans(paths), "npu1", judged=False)
    assert plain == Cost(Site("npu1"), 0.0, 0.0, 0.0, ())
    with pytest.raises(MappingError, match="no tile fits"):
        find_ways(op, homes, Plans(paths), "npu1")
    ((first,),) = find_ways(op, homes, Plans(paths), judged=False)  # of two that take it, one fits
    assert first.site == Site("npu0")
    assert first.seconds > 0


def test_a_rule_for_an_engine_that_does_not_take_it_repeats_the_reason() -> None:
    with pytest.raises(MappingError, match=r"must run on npu0 by a rule, .*contractions only"):
        ways(softmax(4, 4), arrays(16, 64), "npu0")


def test_an_operator_that_fits_nowhere_says_so_for_each_engine() -> None:
    hardware = arrays(16, 16)
    hardware = hardware.with_all({f"sram{n}.size": 2 for n in range(2)})
    with pytest.raises(MappingError, match=r"npu0: .*\| npu1: "):
        ways(matmul(64, 64, 64), hardware)


# -- shares ---------------------------------------------------------------------------------------


def test_shares_are_larger_for_faster_engines_and_cover_every_column_once() -> None:
    for op in (matmul(256, 256, 300), elementwise((100, 30))):
        shared = [way for way in ways(op, arrays(16, 32, 64), split=True) if len(way) > 1]
        assert [len(way) for way in shared] == [2, 2, 2, 3]
        for way in shared:
            marks = [cost.site.first for cost in way] + [way[-1].site.end]
            assert marks[0] == 0
            assert marks[-1] == max(cost.site.end for cost in way)
            for one, after in itertools.pairwise(way):
                assert one.site.end == after.site.first
            sizes = [cost.site.end - cost.site.first for cost in way]
            assert sizes == sorted(sizes)


def test_nothing_is_shared_where_nobody_asks_or_only_one_engine_can() -> None:
    assert all(len(way) == 1 for way in ways(matmul(64, 64, 64), arrays(16, 32)))
    assert len(ways(matmul(64, 64, 64), arrays(16), split=True)) == 1


def test_fewer_columns_than_engines_are_not_shared_among_all() -> None:
    found = ways(matmul(64, 64, 1), arrays(16, 32), split=True)
    assert [len(way) for way in found] == [1, 1]


def test_softmax_cannot_be_cut_and_stays_whole() -> None:
    assert [len(way) for way in ways(softmax(8, 64), arrays(16, 16), split=True)] == [1, 1]


def test_pieces_do_all_the_work_of_the_operator_and_no_more() -> None:
    hardware = arrays(16, 32, 64)
    cut = 0
    for op in every_operator():
        if op.kind not in ("contraction", "elementwise"):
            continue
        try:
            found = ways(op, hardware, split=True)
        except MappingError:
            continue
        for way in found:
            pieces = run_by(op, tuple(cost.site for cost in way))
            assert sum(one.macs for one, _ in pieces) == op.macs
            outputs = [a.elements for one, _ in pieces for a in one.outputs]
            assert sum(outputs) == sum(access.elements for access in op.outputs)
            cut += len(pieces) > 1
    assert cut > 10


def test_a_buffer_of_64_kib_is_what_the_toy_has() -> None:
    assert arrays(16).components["sram0"].size == 64 * KIB  # type: ignore[attr-defined]
