"""The recurrent-transducer study beyond its ladder: energy, bursts, sizes, refusals, the engine."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rnnt_closed_form as oracle
import rnnt_figures as figures
from rnnt_case import design, ladder, measured, oracle_model, per_second
from rnnt_closed_form import MIB, Plan
from studies import EXAMPLES
from studies import rnnt as measuring

from codesign.errors import MappingError
from codesign.hardware.component import Engine
from codesign.hardware.plan import Budget
from codesign.mapping.place import place
from codesign.testing import check_engine, matmul
from codesign.zoo.transducer import Transducer

A, C, D = ladder.A, ladder.C, ladder.D
ENGINE = EXAMPLES / "rnnt_study" / "hardware" / "streaming.py"


def power(one: Any, prices: tuple[float, float]) -> list[float]:
    """Milliwatts of DRAM, weight buffer and multiply-accumulates."""
    dram, buffer = (price * 1e-12 for price in prices)
    settings = ("dram.energy", dram), ("buffer.read_energy", buffer)
    spent = measured(one, 2.0, *settings).power_mw
    return [spent[name] for name in ("DRAM", "weight buffer", "multiply-accumulates")]


@pytest.mark.parametrize("prices", figures.TOTAL_MW)
def test_energy_falls_less_than_accesses(prices: tuple[float, float]) -> None:
    a, c = power(A, prices), power(C, prices)
    assert [sum(a), sum(c)] == pytest.approx(figures.TOTAL_MW[prices], abs=0.005)
    assert round(sum(a) / sum(c), 2) == figures.ENERGY_CUT[prices]
    for one, parts in zip((a, c), figures.POWER_MW.get(prices, ()), strict=False):
        assert one == pytest.approx(parts, abs=0.0005)


def test_energy_is_that_of_the_closed_form() -> None:
    plans = (A, oracle.FRAME_BY_FRAME), (C, Plan(8, C.buffer))
    for one, plan in plans:
        expected = oracle.power_mw(oracle_model(one.model), plan, 160, 12.5)
        assert power(one, (160, 12.5)) == pytest.approx(expected, rel=1e-12)


def test_dram_takes_92_6_percent_of_the_baseline() -> None:
    spent = measured(A).power_mw
    assert round(100 * spent["DRAM"] / sum(spent.values()), 1) == 92.6


def test_what_the_energy_leaves_out_is_small() -> None:
    for one in (A, C):
        spent = measured(one).energy_j
        assert 0 < spent["results"] < 0.001 * sum(spent.values())


def test_a_keeps_the_channel_busy_for_6_percent_of_the_time_and_c_for_1_2() -> None:
    assert [round(100 * measured(one).busy, 1) for one in (A, C)] == [6.0, 1.2]


@pytest.mark.parametrize("burst", [32, 64, 128])
def test_bursts_never_fetch_less_and_at_most_one_percent_more(burst: int) -> None:
    for one in (A, C, D):
        plain = per_second(measured(one))
        whole = per_second(measured(one, 2.0, ("dram.burst", burst)))
        assert all(whole[name] >= size for name, size in plain.items())
        assert sum(plain.values()) < sum(whole.values()) <= sum(plain.values()) * 101 / 100


GOOGLE = ladder.GOOGLE


def test_the_projected_model_fetches_what_was_derived_frame_by_frame() -> None:
    one = measured(GOOGLE, 3.0)
    found = {name: 3 * size for name, size in per_second(one).items()}
    assert GOOGLE.model.parameters == figures.GOOGLE_PARAMETERS
    assert found == figures.GOOGLE_IN_3_S
    assert sum(one.weights.values()) == figures.GOOGLE_TOTAL_IN_3_S


@pytest.mark.parametrize("mebibytes", figures.GOOGLE_240_MS)
def test_the_projected_model_stops_re_reading_where_its_recurrent_set_fits(mebibytes: int) -> None:
    one = measured(replace(GOOGLE, chunk=8, buffer=mebibytes * MIB), 6.0)
    assert one.bytes_per_s == oracle.total(oracle.GOOGLE, Plan(8, mebibytes * MIB))
    assert round(float(one.bytes_per_s) / 1e6, 3) == figures.GOOGLE_240_MS[mebibytes]


def _designs() -> list[Any]:
    """The whole grid of nearly equal sizes, four schedules each."""
    cells = {(4, 1): "lstm", (3, 1): "cifg", (3, 2): "cifg", (3, 4): "cifg"}
    return [
        design.Design(
            f"{model.layers} x {model.width}",
            Transducer(
                layers=model.layers,
                width=model.width,
                cell=cells[model.gates, model.blocks],
                blocks=model.blocks,
                strides=model.strides,
                prediction_cell=cells[model.gates, model.blocks],
                joint=640,
            ),
            chunk,
        )
        for model in oracle.equal_size_grid()
        for chunk in (1, 4, 8, 16)
    ]


def test_the_extremes_of_the_equal_size_grid_are_exact() -> None:
    """Those that make the spreads; the benchmark replays all 304."""
    grid = _designs()
    assert len(grid) == 304
    derived = {one: oracle.total(oracle_model(one.model), Plan(one.chunk)) for one in grid}
    for chunks in ((1,), (8,), (1, 4, 8, 16)):
        some = [one for one in grid if one.chunk in chunks]
        ends = [measured(end(some, key=derived.__getitem__), 4.0) for end in (min, max)]
        low, high = (one.bytes_per_s for one in ends)
        assert (1, low, high) == (1, *figures.GRID["all", chunks][1:3])
        assert round(float(high / low), 2) == figures.GRID["all", chunks][3]


@pytest.mark.parametrize("one", _designs()[7::43], ids=lambda one: f"{one.name}, {one.chunk}")
def test_a_sample_of_the_equal_size_grid_is_exact(one: Any) -> None:
    expected = oracle.bytes_per_s(oracle_model(one.model), Plan(one.chunk))
    assert per_second(measured(one, 4.0 if one.chunk == 16 else 2.0)) == expected


def test_a_joiner_that_does_not_fit_the_weight_buffer_is_refused() -> None:
    """1,174,761 B of joiner, with 502,848 B that recur, would need 1.60 MiB."""
    model = ladder.JOINT
    whole = design.chained("window", model.encoder(8, join=True), design.token_trace(model))
    asked = design.Design("joint", model).residency(whole)
    pinned = replace(asked, pins=(*asked.pins, "join_*@buffer"))
    with pytest.raises(
        MappingError, match=r"1,174,761 B in buffer.*may take 1,048,576 B"
    ) as caught:
        place(measuring.in_int8(whole), measuring.recogniser(), pinned)
    assert "\n" not in str(caught.value)


def test_a_pin_that_names_nothing_is_refused() -> None:
    model = ladder.JOINT
    asked = design.Design("joint", model).residency(model.join_output())
    pinned = replace(asked, pins=(*asked.pins, "join_outptu.*@buffer"))
    with pytest.raises(MappingError, match=r"matches no tensor.*did you mean"):
        place(measuring.in_int8(model.join_output()), measuring.recogniser(), pinned)


def _engine() -> Engine:
    engine: Engine = measuring.recogniser().engine("engine")
    return engine


def test_the_engine_keeps_the_promises_of_every_engine() -> None:
    check_engine(_engine())


def test_the_engine_is_a_plugin_of_less_than_sixty_lines() -> None:
    assert len(ENGINE.read_text().splitlines()) < 60


def test_the_engine_reads_a_weight_byte_for_each_multiply_accumulate() -> None:
    op = matmul(2, 640, 2560)
    plan = _engine().plan(op, Budget(1 << 18, 1e9, 1e9))
    assert {action[:2]: action[2] for action in plan.actions} == {
        ("", "mac"): op.macs,
        ("buffer", "read"): op.macs,
    }
    assert plan.loaded == {0: 2 * 640, 1: 640 * 2560}


def test_every_value_of_the_hardware_is_called_assumed() -> None:
    rows = [row for row in measuring.recogniser().provenance if row.field != "leakage"]
    assert len(rows) > 30
    assert {row.status for row in rows} == {"assumed"}


def test_the_figure_needs_nothing_but_what_was_measured(tmp_path: Path) -> None:
    figure = importlib.import_module("rnnt_study.figure")
    shown = {*ladder.LADDER, *ladder.CONTROLS, *ladder.CURVES, A, C, D}
    parts = dict.fromkeys((*measuring.PARTS.values(), measuring.REST), 0.001)
    made_up = {
        one: measuring.Measured(one, 2.0, {"encoder.0": one.model.parameters}, {}, parts, 0.1)
        for one in shown
    }
    path = figure.draw(made_up, tmp_path / "figure.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 20_000
