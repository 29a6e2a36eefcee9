"""What a contraction makes the macros do: actions, readings of the buffer, and slots."""

from __future__ import annotations

from typing import Any

import pytest
from codesign_plugins.cim.engine import Macros
from codesign_plugins.cim.rounds import Round, weight_rounds
from hypothesis import given, settings
from hypothesis import strategies as st
from macros import contractions, engines, macros

from codesign.testing import convolution, matmul
from codesign.workload.record import Op

LAW = settings(max_examples=80, deadline=None, derandomize=True)


def rounds(engine: Macros, op: Op, most: int = 10**9) -> tuple[Round, ...]:
    layout = engine.layout(op)
    return tuple(weight_rounds(layout, min(most, layout.count), op.inputs[1].bytes))


# -- inputs ----------------------------------------------------------------------------------------


def test_macros_on_the_same_rows_hear_one_reading() -> None:
    op = matmul(10, 16, 64)  # one row of tiles, four columns of them
    for count, readings in ((1, 4), (2, 2), (4, 1), (9, 1)):
        engine = macros(rows=16, columns=16, macros=count)
        assert engine.work(op).input_bytes(rounds(engine, op)) == readings * 10 * 16


def test_macros_on_different_rows_each_hear_their_own() -> None:
    op = matmul(10, 64, 16)
    for count in (1, 2, 4):
        engine = macros(rows=16, columns=16, macros=count)
        assert engine.work(op).input_bytes(rounds(engine, op)) == 10 * 64


def test_groups_share_no_inputs() -> None:
    op = convolution(32, 32, 6, 3, groups=32)
    engine = macros(rows=16, columns=16, macros=32, pack="none")
    assert engine.work(op).input_bytes(rounds(engine, op)) == 32 * 16 * 9


@LAW
@given(engines(), contractions(), st.integers(1, 20))
def test_inputs_are_read_at_least_once_for_each_product(engine: Macros, op: Op, most: int) -> None:
    work = engine.work(op)
    tiles = work.layout.tiles
    alone = work.layout.pixels * sum(one.count * one.rows for one in tiles)
    assert 0 < work.input_bytes(rounds(engine, op, most)) <= alone


# -- partial sums ----------------------------------------------------------------------------------


def test_sums_of_row_tiles_are_added_in_pairs() -> None:
    assert macros(rows=16, columns=16).work(matmul(10, 64, 30)).partial_sums == 10 * 3 * 30
    assert macros(rows=64, columns=16).work(matmul(10, 64, 30)).partial_sums == 0


@LAW
@given(engines(), contractions())
def test_every_sum_but_the_last_of_a_column_is_added(engine: Macros, op: Op) -> None:
    work = engine.work(op)
    every = sum(one.count * one.columns for one in work.layout.tiles)
    last = every - work.partial_sums // work.layout.pixels
    assert work.partial_sums % work.layout.pixels == 0
    assert last * work.layout.row_tiles == every


# -- actions ---------------------------------------------------------------------------------------


@LAW
@given(engines(), contractions(), st.integers(1, 9))
def test_every_action_is_a_whole_number_above_0_and_has_a_price(
    engine: Macros, op: Op, chunks: int
) -> None:
    prices = engine.energies_j()
    for (part, action), count in engine.work(op).actions(rounds(engine, op, 3), chunks).items():
        assert isinstance(count, int)
        assert count > 0
        assert part in ("", "buffer")
        assert action in (prices if not part else ("read", "write"))


@LAW
@given(engines(), contractions())
def test_fewer_cells_at_once_change_nothing_within_the_macros(engine: Macros, op: Op) -> None:
    work = engine.work(op)
    few, many = (work.actions(rounds(engine, op, most), 1) for most in (1, 10**9))
    for name in {*few, *many}:
        if name[0] != "buffer":
            assert few[name] == many[name]
    assert few["buffer", "write"] >= many["buffer", "write"]


def test_functions_are_charged_once_per_result() -> None:
    op = matmul(10, 16, 30, bias=True)
    actions = macros().work(op).actions(rounds(macros(), op), 1)
    assert actions["", "requantisation"] == actions["", "function"] == 300
    plain = matmul(10, 16, 30)
    assert ("", "function") not in macros().work(plain).actions(rounds(macros(), plain), 1)


def test_turning_to_another_set_is_charged_for_each_tile_and_chunk() -> None:
    op = matmul(10, 64, 64)
    single, several = macros(rows=16, columns=16), macros(rows=16, columns=16, sets=16)
    assert sum(single.work(op).turns(5).values()) == 0
    (count,) = several.work(op).turns(5).values()
    per_tile = sum(float(n) for n in several.turning(16, 16).values())
    assert count == pytest.approx(16 * 5 * per_tile, rel=1e-9)


# -- cells beside the weights ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "op", "filled"),
    [
        ({}, matmul(4, 100, 30), 0),
        # 14 depthwise windows of 3 x 3 in 128 rows; 14 blocks of 9 x 1 in each of 27 tiles + 6
        ({}, convolution(384, 384, 14, 3, padding=1, groups=384), None),
        ({"pack": "none"}, convolution(384, 384, 14, 3, padding=1, groups=384), 0),
    ],
    ids=["product", "packed", "unpacked"],
)
def test_zeros_between_blocks_are_written_too(
    fields: dict[str, Any], op: Op, filled: int | None
) -> None:
    expected = 27 * 126 * 14 + 54 * 6 - 384 * 9 if filled is None else filled
    assert macros(**fields).work(op).filling() == expected


@LAW
@given(engines(), contractions())
def test_cells_hold_the_weights_and_what_fills_them(engine: Macros, op: Op) -> None:
    work = engine.work(op)
    cells = sum(one.count * one.rows * one.columns for one in work.layout.tiles)
    assert op.inputs[1].bytes + work.filling() >= cells
    assert work.filling() <= work.layout.count * engine.tile_bytes
