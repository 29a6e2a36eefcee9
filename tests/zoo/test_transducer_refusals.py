"""Transducers that cannot be: refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from test_transducer import A

from codesign.errors import ModelError
from codesign.workload.record import Trace
from codesign.zoo.cell_shape import CellShape
from codesign.zoo.transducer import Transducer


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cell": "lsmt"}, "unknown cell 'lsmt'; did you mean 'lstm'"),
        ({"prediction_cell": "gru"}, "unknown cell 'gru'; .*known: cifg, lstm, lstm_projected"),
        ({"projection": 64}, "no other cell takes; got cell 'lstm' with projection 64"),
        (
            {"cell": "lstm_projected"},
            "which needs it .* got cell 'lstm_projected' with proj.* None",
        ),
        ({"blocks": 3}, "blocks must divide the 640 rows and 640 columns .* got 3"),
        ({"blocks": 2, "rank": 8}, "either block diagonal or of low rank, got blocks 2 and rank 8"),
        ({"strides": (0, 8)}, r"strides must name layers from 0 to 7, .* got \(0, 8\)"),
        ({"strides": (1, 0)}, r"in rising order, got \(1, 0\)"),
        ({"strides": (1, 1)}, r"each once .* got \(1, 1\)"),
        ({"strides": (-1,)}, r"strides must name layers from 0 to 7, .* got \(-1,\)"),
        ({"strides": [0, 1]}, r"strides of a transducer must be a tuple of layers, got \[0, 1\]"),
        ({"strides": 1}, "strides of a transducer must be a tuple of layers, got 1; write for"),
        ({"strides": (True,)}, r"must be a tuple of layers, got \(True,\)"),
        ({"width": 640.0}, "width of a transducer must be a whole number, got 640.0; write it in"),
        ({"layers": "8"}, "layers of a transducer must be a whole number, got '8'"),
        ({"features": None}, "features of a transducer must be a whole number, got None"),
        ({"vocabulary": True}, "vocabulary of a transducer must be a whole number, got True"),
        ({"vocabulary": 1}, "vocabulary of a transducer must be at least 2, got 1: the blank is"),
        ({"rank": 8.0}, "rank of a transducer must be a whole number, got 8.0"),
        ({"rank": True}, "rank of a transducer must be a whole number, got True"),
        ({"rank": 0}, "rank of a transducer must be at least 1, got 0"),
        ({"rank": 640}, "rank of a transducer must be below 640, .* got 640; lower it or set it"),
        (
            {"cell": "lstm_projected", "projection": 64, "rank": 64},
            "rank of a transducer must be below 64, that of its whole recurrent matrices, got 64",
        ),
        ({"projection": 64.5}, "projection of a transducer must be a whole number, got 64.5"),
        ({"cell": ["lstm"]}, r"cell of a transducer must be one of .*, got \['lstm'\]"),
        ({"prediction_cell": None}, "prediction_cell of a transducer must be one of .*, got None"),
    ],
)
def test_an_impossible_model_is_refused_in_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        replace(A, **changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("field", [f.name for f in fields(Transducer) if f.type == "int"])
@pytest.mark.parametrize("value", [0, -3])
def test_every_dimension_must_be_at_least_one(field: str, value: int) -> None:
    with pytest.raises(ModelError, match=f"^{field} of a transducer must be at least 1, got"):
        replace(A, **{field: value})  # type: ignore[arg-type]


def test_a_cell_without_inputs_is_refused() -> None:
    with pytest.raises(ModelError, match="inputs of a cell must be at least 1, got 0"):
        CellShape("lstm", 0, 8)


@pytest.mark.parametrize("steps", [-4, 0, 1, 2, 6])
def test_a_chunk_must_make_whole_encoder_frames(steps: int) -> None:
    with pytest.raises(
        ModelError, match=f"steps of the encoder must be a multiple of 4, got {steps}"
    ):
        A.encoder(steps)


@pytest.mark.parametrize("steps", ["8", 8.0, None, True])
def test_a_chunk_must_be_a_whole_number_of_steps(steps: Any) -> None:
    with pytest.raises(ModelError, match="steps of the encoder must be a multiple of 4, got") as e:
        A.encoder(steps)
    assert repr(steps) in str(e.value)


@pytest.mark.parametrize("count", ["2", 2.0, None, True])
def test_a_part_for_no_whole_number_of_streams_is_refused(count: Any) -> None:
    calls: list[Callable[[], Trace]] = [
        lambda: A.encoder(4, batch=count),
        lambda: A.prediction(batch=count),
        lambda: A.join_encoder(frames=count),
        lambda: A.join_output(batch=count),
    ]
    for call in calls:
        with pytest.raises(ModelError, match="every extent must be a whole number, got") as told:
            call()
        assert "\n" not in str(told.value)
    with pytest.raises(ModelError, match="join of the encoder must be True or False, got 'no'"):
        A.encoder(4, join="no")  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, -2])
def test_a_part_for_no_stream_or_no_frame_is_refused(count: int) -> None:
    calls: list[Callable[[], Trace]] = [
        lambda: A.encoder(4, batch=count),
        lambda: A.token(batch=count),
        lambda: A.join_encoder(frames=count),
        lambda: A.join_prediction(batch=count),
        lambda: A.join_output(batch=count),
    ]
    for call in calls:
        with pytest.raises(ModelError, match=f"every extent must be at least 1, got .*{count}"):
            call()
