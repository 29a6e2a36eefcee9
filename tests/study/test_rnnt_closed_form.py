"""The oracle of the memory study reproduces every derived figure before it judges a replay."""

from __future__ import annotations

from fractions import Fraction

import pytest
import rnnt_closed_form as oracle
import rnnt_figures as figures
from rnnt_closed_form import FRAME_BY_FRAME, MIB, Model, Plan

HALF = MIB // 2
CASES = (
    (oracle.A, FRAME_BY_FRAME),
    (oracle.A, Plan(8, MIB)),
    (oracle.C, Plan(8, HALF)),
    (oracle.D, Plan(8, MIB)),
)
BASELINE = oracle.total(oracle.A, FRAME_BY_FRAME)


def per_frame(plan: Plan) -> Plan:
    return Plan(plan.chunk, plan.buffer, batched_joiner=False)


def cut(model: Model, plan: Plan) -> float:
    return float(BASELINE / oracle.total(model, plan))


@pytest.mark.parametrize("case", range(4))
def test_every_component_is_exact_to_the_byte(case: int) -> None:
    found = oracle.bytes_per_s(*CASES[case])
    assert found == {name: row[case] for name, row in figures.COMPONENTS.items()}


@pytest.mark.parametrize("case", range(4))
def test_totals_parameters_and_work_are_exact(case: int) -> None:
    model, plan = CASES[case]
    assert oracle.total(model, plan) == figures.TOTAL_BATCHED[case]
    assert oracle.total(model, per_frame(plan)) == figures.TOTAL_PER_FRAME[case]
    assert model.parameters == figures.PARAMETERS[case]
    assert model.macs_per_s() == figures.MACS_PER_S[case]


def test_the_headline_is_4_79_or_4_61_at_1_92_of_the_size() -> None:
    _, _, c, d = CASES
    assert round(cut(*c), 4) == 4.7928
    assert round(cut(c[0], per_frame(c[1])), 4) == 4.6142
    assert round(oracle.A.parameters / oracle.C.parameters, 4) == 1.9233
    assert round(cut(*d), 4) == 4.5622
    assert round(cut(d[0], per_frame(d[1])), 4) == 4.4080
    assert round(oracle.A.parameters / oracle.D.parameters, 4) == 1.8273


def test_at_equal_schedule_the_cut_is_3_41_or_3_32() -> None:
    plan = Plan(8, HALF)
    ratios = [
        oracle.total(oracle.A, one) / oracle.total(oracle.C, one) for one in (plan, per_frame(plan))
    ]
    assert [round(float(ratio), 2) for ratio in ratios] == [3.41, 3.32]


@pytest.mark.parametrize("buffer", [HALF, MIB, 2 * MIB])
def test_the_headline_does_not_depend_on_the_buffer_from_half_a_mebibyte(buffer: int) -> None:
    assert oracle.total(oracle.C, Plan(8, buffer)) == figures.TOTAL_BATCHED[2]
    assert oracle.total(oracle.A, Plan(1, buffer)) == BASELINE


def test_counts_per_step_are_exact() -> None:
    a, c = oracle.A, oracle.C
    for layer in range(4):
        step = oracle.layer_bytes(a.encoder()[layer], 1, FRAME_BY_FRAME)
        chunks = [
            oracle.layer_bytes(m.encoder()[layer], oracle.in_a_row(m, layer, plan), plan)
            for m, plan in ((a, Plan(8, MIB)), (c, Plan(8, HALF)))
        ]
        assert (step, *chunks) == figures.PER_STEP[f"encoder {layer}"]
    for name in ("join_enc", "join_out"):
        found = [
            oracle.frame_bytes(model, plan)[name]
            for model, plan in ((a, FRAME_BY_FRAME), (a, Plan(8, MIB)), (c, Plan(8, HALF)))
        ]
        assert tuple(found) == figures.PER_STEP[name]
    twice = oracle.frame_bytes(a, per_frame(Plan(8, MIB)))["join_enc"]
    assert twice == figures.JOIN_ENCODER_PER_FRAME


def test_counts_per_frame_chunk_and_token_are_exact() -> None:
    for case, size in enumerate(figures.PER_FRAME_OR_CHUNK):
        model, plan = CASES[case]
        tokens = oracle.TOKENS_PER_S * sum(oracle.token_bytes(model).values())
        rate = Fraction(1000, 40 if case == 0 else 80)
        assert (oracle.total(model, plan) - tokens) / rate == size
        assert sum(oracle.token_bytes(model).values()) == figures.PER_TOKEN[case]


def test_the_steps_of_one_frame_add_up_to_it() -> None:
    layers = [cell.parameters for cell in oracle.A.encoder()]
    joiner = oracle.A.join_encoder + oracle.A.join_output
    steps = (layers[0], layers[0] + layers[1], layers[0], sum(layers) + joiner)
    assert steps == figures.STEPS_OF_A_FRAME
    assert sum(steps) == figures.PER_FRAME_OR_CHUNK[0]


def test_recurrent_sets_are_exact() -> None:
    sets = [model.encoder()[0].recurrent_set for model in (oracle.A, oracle.C, oracle.D)]
    assert tuple(sets) == figures.RECURRENT_SETS
    assert oracle.GOOGLE.encoder()[0].recurrent_set == figures.GOOGLE_RECURRENT_SET


def ladder() -> dict[str, tuple[Model, Plan]]:
    """Every step of the ladder and every control, at 1 MiB unless it says otherwise."""
    last = oracle.JOINT_640
    joiner = (
        ("join_enc", last.join_encoder),
        ("join_pred", last.join_prediction),
        ("join_out", last.join_output),
    )
    beside = MIB - last.encoder()[0].recurrent_set
    return {
        "A": (oracle.A, FRAME_BY_FRAME),
        "chunk": (oracle.A, Plan()),
        "CIFG": (oracle.CIFG, Plan()),
        "blocks": (oracle.TWO_BLOCKS, Plan()),
        "width": (oracle.WIDTH_576, Plan()),
        "joint": (last, Plan()),
        "join_out": (last, Plan(pinned=(("join_out", last.join_output),))),
        "joiner": (last, Plan(pinned=joiner)),
        "beside": (last, Plan(pinned=(("join_out", beside),))),
        "control 1": (oracle.NARROW, FRAME_BY_FRAME),
        "control 2": (oracle.WIDTH_ALONE, FRAME_BY_FRAME),
        "control 3": (oracle.NARROW, Plan()),
        "control 4": (oracle.NARROW, Plan(8, HALF)),
        "control 5": (oracle.DEEP, Plan(8, HALF)),
        "control 6": (oracle.C, FRAME_BY_FRAME),
    }


@pytest.mark.parametrize("step", figures.LADDER)
def test_every_step_of_the_ladder_and_every_control_is_exact(step: str) -> None:
    model, plan = ladder()[step]
    parameters, size, ratio = figures.LADDER[step]
    assert model.parameters == parameters
    assert oracle.total(model, plan) == size
    assert round(cut(model, plan), 3) == ratio


def test_what_is_pinned_beside_the_recurrent_set_fills_the_buffer() -> None:
    pinned = dict(ladder()["beside"][1].pinned)
    assert pinned == {"join_out": 545_728}
    whole = sum(dict(ladder()["joiner"][1].pinned).values())
    assert whole == 1_174_761
    assert whole + oracle.JOINT_640.encoder()[0].recurrent_set > MIB


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("LSTM", oracle.A),
        ("CIFG", oracle.CIFG),
        ("CIFG, 2 blocks", oracle.TWO_BLOCKS),
        ("C", oracle.C),
    ],
)
def test_the_policy_table_is_right_to_its_last_digit(name: str, model: Model) -> None:
    for buffer, expected in zip((HALF, MIB, 2 * MIB), figures.POLICIES[name], strict=True):
        plans = Plan(8, buffer), Plan(8, buffer, partial=True), Plan(8, buffer // 2, partial=True)
        assert tuple(round(cut(model, plan), 3) for plan in plans) == expected


def test_with_the_best_static_pinning_on_both_sides_the_cut_is_4_68() -> None:
    a = oracle.total(oracle.A, Plan(1, HALF, pinned=(("encoder 0", HALF),)))
    beside = HALF - oracle.C.encoder()[0].recurrent_set
    c = oracle.total(oracle.C, Plan(8, HALF, pinned=(("join_out", beside),)))
    assert [a, c] == list(figures.STATIC_PINNING)
    assert round(float(a / c), 2) == 4.68


@pytest.mark.parametrize("prices", figures.TOTAL_MW)
def test_energies_follow_from_the_bytes_and_the_work(prices: tuple[float, float]) -> None:
    powers = [oracle.power_mw(*CASES[case], *prices) for case in (0, 2)]
    for power, expected in zip(powers, figures.TOTAL_MW[prices], strict=True):
        assert sum(power) == pytest.approx(expected, abs=0.005)
    assert round(sum(powers[0]) / sum(powers[1]), 2) == figures.ENERGY_CUT[prices]
    for power, parts in zip(powers, figures.POWER_MW.get(prices, ()), strict=False):
        assert power == pytest.approx(parts, abs=0.0005)


def test_dram_takes_92_6_percent_of_the_baseline() -> None:
    power = oracle.power_mw(oracle.A, FRAME_BY_FRAME, 160, 12.5)
    assert round(100 * power[0] / sum(power), 1) == 92.6


@pytest.mark.parametrize("subset", figures.GRID)
def test_the_grid_of_equal_sizes_spreads_as_stated(subset: tuple[str, tuple[int, ...]]) -> None:
    strides, chunks = subset
    models = [m for m in oracle.equal_size_grid() if strides == "all" or m.strides == (0, 1)]
    found = [oracle.total(model, Plan(chunk, MIB)) for model in models for chunk in chunks]
    count, low, high, spread = figures.GRID[subset]
    assert len(found) == count
    assert min(found) == low
    assert max(found) == high
    assert round(float(max(found) / min(found)), 2) == spread


def test_the_grid_has_76_models_of_21_shapes() -> None:
    grid = oracle.equal_size_grid()
    shapes = {(m.layers, m.width, m.gates, m.blocks) for m in grid}
    assert (len(grid), len(shapes)) == (76, 21)


def test_the_projected_model_is_exact_frame_by_frame() -> None:
    in_3_s = {
        name: 3 * size for name, size in oracle.bytes_per_s(oracle.GOOGLE, FRAME_BY_FRAME).items()
    }
    assert in_3_s == figures.GOOGLE_IN_3_S
    assert sum(in_3_s.values()) == figures.GOOGLE_TOTAL_IN_3_S
    assert oracle.GOOGLE.parameters == figures.GOOGLE_PARAMETERS


@pytest.mark.parametrize("mebibytes", figures.GOOGLE_240_MS)
def test_the_projected_model_stops_re_reading_where_its_recurrent_set_fits(mebibytes: int) -> None:
    size = oracle.total(oracle.GOOGLE, Plan(8, mebibytes * MIB))
    assert round(float(size) / 1e6, 3) == figures.GOOGLE_240_MS[mebibytes]
