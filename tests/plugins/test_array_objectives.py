"""Arrays under objectives: joules foretold are joules charged, and each is best at its own."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise, product
from typing import Any

import pytest
from codesign_plugins.cpu import Cpu
from codesign_plugins.flat_dram import FlatDram
from codesign_plugins.link import Bus
from codesign_plugins.sram import Sram
from codesign_plugins.systolic import Systolic
from codesign_plugins.systolic.folds import Folds
from codesign_plugins.systolic.layout import Layout
from codesign_plugins.systolic.model import find_model
from codesign_plugins.systolic.ports import Ports
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from codesign.errors import HardwareError, MappingError
from codesign.hardware.component import Engine
from codesign.hardware.objective import Objective
from codesign.hardware.plan import Budget
from codesign.hardware.spec import Hardware, load_hardware
from codesign.mapping.choice import budget_of, choose, end_to_end_s, energy_of
from codesign.mapping.paths import Paths
from codesign.mapping.tiling import Tiling, search
from codesign.testing import convolution, matmul
from codesign.workload.record import Op

FEW = settings(max_examples=20, deadline=None, derandomize=True)
LATENCY, ENERGY, EDP = Objective(), Objective(0, 1), Objective(1, 1)
ABOVE = 1 - 1e-8
SIZES = st.integers(1, 60)


@st.composite
def contractions(draw: st.DrawFn) -> Op:
    """Products with and without a bias, and convolutions."""
    if draw(st.booleans()):
        return matmul(draw(SIZES), draw(SIZES), draw(SIZES), bias=draw(st.booleans()))
    channels = draw(st.sampled_from([3, 8, 20]))
    return convolution(channels, 2 * channels, draw(st.integers(6, 14)), 3, padding=1)


FIELDS = st.fixed_dictionaries(
    {
        "dataflow": st.sampled_from(["ws", "os", "is"]),
        "arrays": st.sampled_from([1, 2]),
        "accumulator": st.sampled_from([512, 65536]),
        "row_merge": st.booleans(),
        "accumulator_bits": st.sampled_from([24, 32]),
    }
)


def machine(engine: Engine, size: int, *, setup: float = 2e-8) -> Hardware:
    """An engine with a buffer of so many bytes before a DRAM, all with prices."""
    parts = (
        engine,
        Sram(name="sram", size=size, bandwidth=64e9),
        Bus(name="bus", connects=("dram", "sram"), bandwidth=4e9, setup=setup, energy=2e-13),
        FlatDram(name="dram", device="toy", size=1 << 30, bandwidth=8e9, efficiency=1.0),
    )
    return Hardware("toy", "", None, {part.name: part for part in parts})


def systolic(**fields: Any) -> Systolic:
    return Systolic(name="npu", buffer="sram", rows=8, cols=8, **fields)


def granted(op: Op, hardware: Hardware, objective: Objective) -> Budget:
    paths = Paths(hardware, objective)
    return budget_of(hardware.engines[0], op, paths, {}, [paths.home] * len(op.operands))


def tiling_of(engine: Systolic, op: Op, budget: Budget) -> Tiling:
    """The choice behind a plan; an example in which nothing fits is none."""
    layout = Layout.of(engine, op)
    try:
        return search(op, budget, find_model(Folds.of(layout), Ports(engine, op, budget, layout)))
    except MappingError:
        assume(False)
        raise


def charged_j(op: Op, hardware: Hardware, objective: Objective) -> float:
    """Joules of the actions and moves of the plan."""
    paths = Paths(hardware, objective)
    homes = [paths.home] * len(op.operands)
    return energy_of(op, choose(op, paths, {}, homes), paths, homes)


# -- systolic ------------------------------------------------------------------------------------


@settings(FEW, max_examples=25)
@given(contractions(), FIELDS, st.sampled_from([800, 4000, 60_000]), st.sampled_from([ENERGY, EDP]))
def test_the_joules_foretold_are_those_of_the_plan(
    op: Op, fields: dict[str, Any], size: int, objective: Objective
) -> None:
    engine = systolic(**fields)
    hardware = machine(engine, size)
    tiling = tiling_of(engine, op, granted(op, hardware, objective))
    charged = charged_j(op, hardware, objective)
    assert tiling.energy_j is not None
    # moves are foretold at full size of every tile, those at an edge move less
    is_even = not any(split.edge for split in tiling.splits)
    if is_even:
        assert charged == pytest.approx(tiling.energy_j, rel=1e-9)
    assert charged <= tiling.energy_j / ABOVE
    assert charged >= 0.5 * tiling.energy_j


@pytest.mark.parametrize("dataflow", ["ws", "os", "is"])
def test_even_tiles_are_foretold_exactly(dataflow: str) -> None:
    engine = systolic(dataflow=dataflow, accumulator=512)
    op, even = matmul(32, 64, 32, bias=True), set[tuple[int, ...]]()
    for size, objective in product((1500, 2500, 9000, 100_000), (ENERGY, EDP, Objective(2, 1))):
        hardware = machine(engine, size)
        tiling = tiling_of(engine, op, granted(op, hardware, objective))
        assert tiling.energy_j is not None
        if not any(split.edge for split in tiling.splits):
            even.add(tuple(split.size for split in tiling.splits))
            assert charged_j(op, hardware, objective) == pytest.approx(tiling.energy_j, rel=1e-12)
    assert len(even) >= 2


@FEW
@given(contractions(), FIELDS, st.sampled_from([800, 3000, 20_000]))
def test_each_objective_of_a_systolic_array_is_best_at_its_own(
    op: Op, fields: dict[str, Any], size: int
) -> None:
    engine = systolic(**fields)
    hardware = machine(engine, size)
    budget = granted(op, hardware, ENERGY)
    chosen = {
        objective: tiling_of(engine, op, replace(budget, objective=objective))
        for objective in (Objective(1, 1e-9), ENERGY, EDP)
    }
    fast, frugal, both = chosen.values()
    assert fast.latency_s <= tiling_of(engine, op, replace(budget, objective=None)).latency_s * (
        1 + 1e-6
    )
    costs = [(one.latency_s, one.energy_j or 0.0) for one in (fast, frugal, both)]
    assert costs[0][0] * (1 - 1e-6) <= min(seconds for seconds, _ in costs)
    assert costs[1][1] * ABOVE <= min(joules for _, joules in costs)
    assert costs[2][0] * costs[2][1] * ABOVE <= min(x * y for x, y in costs)


@FEW
@given(contractions(), st.sampled_from([ENERGY, EDP, Objective(0.3, 0.7)]))
def test_more_buffer_never_worsens_what_a_systolic_array_scores(
    op: Op, objective: Objective
) -> None:
    engine = systolic(accumulator=2048)
    scores: list[float] = []
    for size in (1000, 4000, 16_000):
        budget = granted(op, machine(engine, size), objective)
        tiling = tiling_of(engine, op, budget)
        scores.append(float(objective.score(tiling.latency_s, tiling.energy_j or 0.0)))
    assert all(later * ABOVE <= first for first, later in pairwise(scores))


def test_latency_is_what_a_systolic_array_does_by_itself() -> None:
    for op in (matmul(40, 50, 60), convolution(8, 16, 14, 3, padding=1)):
        hardware = machine(systolic(), 4000)
        engine = hardware.engines[0]
        asked, default = granted(op, hardware, LATENCY), granted(op, hardware, ENERGY)
        assert engine.plan(op, asked) == engine.plan(op, replace(default, objective=None))
        assert engine.plan(op, asked) == engine.plan(op, replace(asked, objective=Objective(3, 0)))


# -- processors ----------------------------------------------------------------------------------


def test_a_processor_spends_no_more_under_energy_than_under_latency() -> None:
    cpu = Cpu(name="cpu", buffer="sram")
    differs = 0
    for op in (matmul(96, 96, 96, dtype="fp32"), convolution(16, 24, 20, 3, padding=1)):
        assert cpu.supports(op) is None
        for size in (4096, 16_384):
            spent = [charged_j(op, machine(cpu, size), one) for one in (LATENCY, EDP, ENERGY)]
            differs += 1
            # tiles at an edge move less than foretold
            assert spent[2] <= 1.02 * min(spent)
    assert differs >= 2


# -- kind array ----------------------------------------------------------------------------------


@cache
def preset() -> Hardware:
    return load_hardware("tpu-like")


def figures(hardware: Hardware, op: Op, objective: Objective | None) -> tuple[float, float]:
    """Seconds and joules of the plan of an operator."""
    paths = Paths(hardware, objective)
    homes = [paths.home] * len(op.operands)
    choice = choose(op, paths, {}, homes)
    assert choice.plan is not None
    budget = budget_of(choice.engine, op, paths, {}, homes)
    return end_to_end_s(choice.plan, budget), energy_of(op, choice, paths, homes)


def of_file(text: str) -> Hardware:
    """The preset with another objective in its file."""
    name = next(e.name for e in preset().engines if e.kind == "array")
    return preset().with_all({f"{name}.objective": text})


OPS = (convolution(64, 64, 28, 3, 1, 1), matmul(96, 256, 128))


@pytest.mark.parametrize("op", OPS, ids=["convolution", "product"])
@pytest.mark.parametrize("text", ["latency", "energy", "edp", "latency^2*energy"])
def test_what_a_run_asks_for_goes_before_the_hardware_file(op: Op, text: str) -> None:
    asked = figures(preset(), op, Objective.parse(text))
    assert asked == figures(of_file(text), op, None)
    assert asked == figures(of_file("edp"), op, Objective.parse(text))


@pytest.mark.parametrize("op", OPS, ids=["convolution", "product"])
def test_each_objective_of_an_array_is_best_at_its_own(op: Op) -> None:
    fast, frugal, both = (figures(preset(), op, one) for one in (LATENCY, ENERGY, EDP))
    near = 1.001  # the plan counts tiles at an edge, the choice does not
    assert fast[0] <= near * min(frugal[0], both[0])
    assert frugal[1] <= near * min(fast[1], both[1])
    assert both[0] * both[1] <= near * min(x * y for x, y in (fast, frugal))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("enrgy", "did you mean 'energy'"),
        ("latency^-1", "at least 0, got '-1'"),
        ("", "product of powers"),
    ],
)
def test_a_wrong_objective_in_a_hardware_file_names_its_place(text: str, said: str) -> None:
    with pytest.raises(HardwareError) as caught:
        of_file(text)
    message = str(caught.value)
    assert ".objective" in message
    assert said in message
    assert "\n" not in message
