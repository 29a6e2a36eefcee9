"""A transducer as numbers: published sizes, closed forms, whole traces, one-line refusals."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.workload.check import check_trace
from codesign.workload.file import load_trace, save_trace
from codesign.workload.precision import with_precision
from codesign.workload.record import Region, Trace, iterate
from codesign.zoo.cell_shape import CellShape
from codesign.zoo.transducer import PRESETS, Transducer

A = PRESETS["rnnt_8x640"]


C = PRESETS["rnnt_8x640_cifg_4_blocks"]


D = PRESETS["rnnt_8x608_cifg_2_blocks"]


GOOGLE = PRESETS["rnnt_google_2019"]


# -- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("rnnt_8x640", 31_374_569),
        ("rnnt_8x640_cifg_4_blocks", 16_312_809),
        ("rnnt_8x608_cifg_2_blocks", 17_170_153),
        ("rnnt_google_2019", 119_788_160),
    ],
)
def test_a_preset_has_its_published_number_of_parameters(name: str, parameters: int) -> None:
    assert PRESETS[name].parameters == parameters


def test_every_preset_is_checked_here() -> None:
    assert len(PRESETS) == 4


@pytest.mark.parametrize(
    ("model", "recurrent_set"),
    [(A, 1_646_080), (C, 312_960), (D, 559_968), (GOOGLE, 6_561_792)],
)
def test_what_a_loop_needs_on_chip_is_matrices_and_vectors(
    model: Transducer, recurrent_set: int
) -> None:
    assert {cell.recurrent_set for cell in model.encoder_cells} == {recurrent_set}


def test_the_components_of_the_baseline_are_those_of_its_layer_table() -> None:
    encoder = {"encoder.0": 1_850_880, "encoder.1": 4_922_880, "encoder.2": 4_922_880}
    encoder |= {f"encoder.{layer}": 3_284_480 for layer in range(3, 8)}
    assert A.components == encoder | {
        "embedding": 256_256,
        "prediction.0": 527_360,
        "prediction.1": 527_360,
        "join_encoder": 656_384,
        "join_prediction": 262_144,
        "join_output": 1_026_025,
    }


def test_the_projected_model_reads_a_pair_of_frames_in_its_third_layer() -> None:
    assert [cell.inputs for cell in GOOGLE.encoder_cells] == [240, 640, 1280] + [640] * 5
    assert [cell.inputs for cell in GOOGLE.prediction_cells] == [128, 640]
    per_layer = [GOOGLE.components[f"encoder.{layer}"] for layer in range(4)]
    assert per_layer == [8_527_872, 11_804_672, 17_047_552, 11_804_672]


LADDER: list[tuple[dict[str, Any], int]] = [
    ({}, 31_374_569),
    ({"cell": "cifg", "prediction_cell": "cifg"}, 24_081_129),
    ({"cell": "cifg", "prediction_cell": "cifg", "blocks": 2}, 19_165_929),
    ({"cell": "cifg", "prediction_cell": "cifg", "blocks": 2, "width": 576}, 16_045_289),
    (
        {"cell": "cifg", "prediction_cell": "cifg", "blocks": 2, "width": 576, "joint": 640},
        15_341_033,
    ),
    ({"width": 448, "joint": 640}, 16_238_057),
    ({"width": 448}, 16_893_161),
    ({"layers": 14, "width": 352, "joint": 640}, 16_887_017),
]


@pytest.mark.parametrize(("changes", "parameters"), LADDER)
def test_a_change_of_the_baseline_has_the_size_of_its_step(
    changes: dict[str, Any], parameters: int
) -> None:
    assert replace(A, **changes).parameters == parameters


def test_a_quarter_of_the_width_as_rank_halves_a_recurrent_matrix() -> None:
    cell = CellShape("cifg", 608, 608, rank=608 // 4)
    assert cell.loop_elements == 3 * 608 * 608 // 2
    assert cell.recurrent_set == replace(cell, rank=None, blocks=2).recurrent_set


def test_a_grid_of_equal_size_has_76_models() -> None:
    found = 0
    for layers in (4, 5, 6, 8, 10, 12, 14, 16, 20):
        for width in range(256, 1025, 32):
            for cell, blocks in (("lstm", 1), ("cifg", 1), ("cifg", 2), ("cifg", 4)):
                for strides in ((0, 1), (1, 2), (0, 3), (1, 3)):
                    if strides[1] >= layers - 1:
                        continue
                    model = Transducer(
                        layers=layers,
                        width=width,
                        cell=cell,
                        blocks=blocks,
                        strides=strides,
                        prediction_cell=cell,
                        joint=640,
                    )
                    found += 15_200_000 <= model.parameters <= 16_200_000
    assert found == 76


# -- traces --------------------------------------------------------------------------------------


divided = st.sampled_from([1, 2, 4])


@st.composite
def transducers(draw: st.DrawFn) -> Transducer:
    """Small models of every cell, structure, stride placement and joiner."""
    layers = draw(st.integers(1, 4))
    strides = draw(st.sets(st.integers(0, layers - 1), max_size=3))
    cell, prediction = (draw(st.sampled_from(["lstm", "cifg", "lstm_projected"])) for _ in "ep")
    rank = draw(st.sampled_from([None, 3]))
    return Transducer(
        features=draw(st.integers(1, 9)),
        layers=layers,
        width=draw(st.sampled_from([8, 12])),
        cell=cell,
        blocks=1 if rank else draw(divided),
        rank=rank,
        projection=4 if cell == "lstm_projected" else None,
        strides=tuple(sorted(strides)),
        embedding=draw(st.integers(1, 9)),
        prediction_layers=draw(st.integers(1, 3)),
        prediction_width=draw(st.integers(1, 9)),
        prediction_cell=prediction,
        prediction_projection=draw(st.integers(1, 9)) if prediction == "lstm_projected" else None,
        joint=draw(st.integers(1, 9)),
        vocabulary=draw(st.integers(2, 9)),
    )


def parts(model: Transducer, batch: int, frames: int) -> dict[str, Trace]:
    steps = frames * model.reduction
    return {
        "encoder": model.encoder(steps, batch=batch),
        "encoder and join": model.encoder(steps, batch=batch, join=True),
        "prediction": model.prediction(batch=batch),
        "token": model.token(batch=batch),
        "join_encoder": model.join_encoder(frames=frames, batch=batch),
        "join_prediction": model.join_prediction(batch=batch),
        "join_output": model.join_output(batch=batch),
    }


models = st.tuples(transducers(), st.integers(1, 3), st.integers(1, 3))


@given(models)
def test_every_part_is_a_trace_that_can_run(case: tuple[Transducer, int, int]) -> None:
    for name, trace in parts(*case).items():
        check_trace(trace)
        outputs = [tensor for tensor in trace.tensors if tensor.role == "output"]
        assert len(outputs) == (0 if name == "prediction" else 1)


@given(models)
def test_the_parts_store_each_component_once(case: tuple[Transducer, int, int]) -> None:
    model = case[0]
    found = parts(*case)
    stored: dict[str, int] = {}
    for name in ("encoder", "prediction", "join_encoder", "join_prediction", "join_output"):
        for tensor in found[name].tensors:
            if tensor.role == "weight":
                parts_of = tensor.name.split(".")
                component = ".".join(parts_of[: 2 if parts_of[1].isdigit() else 1])
                stored[component] = stored.get(component, 0) + tensor.elements
    assert stored == model.components
    assert sum(stored.values()) == model.parameters


@given(models)
def test_operators_carry_the_component_that_they_belong_to(
    case: tuple[Transducer, int, int],
) -> None:
    for trace in parts(*case).values():
        for op, _ in trace.ops():
            assert op.module in case[0].components
            weights = [a.tensor.name for a in op.inputs if a.tensor.role == "weight"]
            assert all(name.startswith(f"{op.module}.") for name in weights)


@given(models)
def test_macs_are_the_cells_at_their_rates_and_the_joiner(
    case: tuple[Transducer, int, int],
) -> None:
    model, batch, frames = case
    found = parts(*case)
    rate, encoder = frames * model.reduction, 0
    for layer, cell in enumerate(model.encoder_cells):
        encoder += rate * cell.macs
        rate //= 2 if layer in model.strides else 1
    assert rate == frames
    predicted = sum(cell.macs for cell in model.prediction_cells)
    join = model.joint * model.encoder_outputs
    joined = model.joint * model.prediction_outputs
    assert {name: trace.macs for name, trace in found.items()} == {
        "encoder": batch * encoder,
        "encoder and join": batch * (encoder + frames * join),
        "prediction": batch * predicted,
        "token": batch * (predicted + joined),
        "join_encoder": batch * frames * join,
        "join_prediction": batch * joined,
        "join_output": batch * model.joint * model.vocabulary,
    }


@given(models)
def test_every_weight_but_the_table_is_read_whole_and_once_a_step(
    case: tuple[Transducer, int, int],
) -> None:
    for trace in parts(*case).values():
        read: dict[str, int] = {}
        for region in (*trace.regions, Region("once", 1, trace.items)):
            for op, _ in iterate(tuple(i for i in region.body if not isinstance(i, Region))):
                for access in op.inputs:
                    if access.tensor.role == "weight":
                        name = access.tensor.name
                        read[name] = read.get(name, 0) + access.elements
        table = read.pop("embedding.weight", None)
        assert table is None or table <= case[0].vocabulary * case[0].embedding
        weights = {t.name: t.elements for t in trace.tensors if t.role == "weight"}
        weights.pop("embedding.weight", None)
        assert read == weights


def test_a_token_reads_one_row_of_the_table_per_stream() -> None:
    for batch in (1, 3):
        (lookup,) = (
            op
            for op, _ in with_precision(A.token(batch=batch), "int8").ops()
            if op.kind == "gather"
        )
        assert lookup.inputs[0].bytes == 256 * batch
        assert lookup.attribute("row_bytes") == 256


def test_each_layer_is_one_region_at_its_rate() -> None:
    assert [region.steps for region in A.encoder(8).regions] == [8, 4] + [2] * 6
    late = replace(A, strides=(3, 7))
    assert [region.steps for region in late.encoder(8).regions] == [8] * 4 + [4] * 4
    assert late.encoder(8).tensors[-1].name.startswith("encoder.7")


def test_the_input_product_of_a_step_is_a_product_and_nothing_else() -> None:
    for model in PRESETS.values():
        for region in model.encoder(8).regions:
            product = next(op for op, _ in iterate(region.body))
            assert product.functions == ()
            assert [access.tensor.role for access in product.inputs[1:]] == ["weight"]
            assert product.inputs[0].advance


def test_the_state_of_a_layer_is_where_its_loop_begins_and_ends() -> None:
    trace = A.encoder(4)
    for layer, region in enumerate(trace.regions):
        kept = {f"encoder.{layer}.state0", f"encoder.{layer}.state1"}
        assert {carry.initial.name for carry in region.carries if carry.initial} == kept
        assert not kept & {a.tensor.name for op, _ in iterate(region.body) for a in op.operands}
    written = {
        a.tensor.name: op.inputs[0].tensor.name
        for op, _ in trace.ops()
        for a in op.outputs
        if a.tensor.role == "state"
    }
    assert len(written) == 16
    updates = {carry.update.name for region in trace.regions for carry in region.carries}
    assert set(written.values()) == updates


def test_the_joined_frames_of_a_chunk_are_one_product() -> None:
    last = list(A.encoder(8, join=True).ops())[-1]
    assert last[1] == 1
    assert last[0].module == "join_encoder"
    assert last[0].gemm == (1, 2, 640, 1024)
    alone = list(A.join_encoder(frames=2).ops())
    assert [op.gemm for op, _ in alone] == [(1, 2, 640, 1024)]


@pytest.mark.parametrize("name", PRESETS)
def test_a_trace_file_gives_back_every_part(name: str, tmp_path: Path) -> None:
    for part, trace in parts(PRESETS[name], 2, 2).items():
        path = tmp_path / f"{part}.json.gz"
        save_trace(trace, path)
        assert load_trace(path) == trace


def test_equal_dimensions_give_equal_digests() -> None:
    assert A.encoder(8).digest == Transducer().encoder(8).digest
    assert A.encoder(8).digest != A.encoder(16).digest


def test_writing_a_trace_does_not_import_torch() -> None:
    code = (
        "import sys; from codesign.zoo.transducer import Transducer as T; T().encoder(8); "
        "T().token(); T().join_output(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
