"""The replays of the memory study for its tests: each design is replayed once."""

from __future__ import annotations

import importlib
from fractions import Fraction
from functools import cache
from typing import Any

from rnnt_closed_form import Model
from shelf import SHELF
from studies import rnnt as measuring

design: Any = importlib.import_module("rnnt_study.design")
ladder: Any = importlib.import_module("rnnt_study.ladder")

Setting = tuple[str, object]


@cache
def replayed(one: Any, window_s: float = 2.0, *settings: Setting) -> Any:
    """The scenario result of a design."""
    return measuring.replay_design(measuring.Task(one, window_s, settings))


@cache
def measured(one: Any, window_s: float = 2.0, *settings: Setting) -> Any:
    """What its replay showed."""
    task = measuring.Task(one, window_s, settings)
    return SHELF.get(
        repr(task), lambda: measuring.read_off(one, replayed(one, window_s, *settings))
    )


def per_second(one: Any) -> dict[str, Fraction]:
    """Weight bytes per second by component, with the names of the closed form."""
    found: dict[str, Fraction] = {}
    for module, size in one.weights.items():
        name = component(module)
        found[name] = found.get(name, Fraction(0)) + Fraction(size) / Fraction(one.window_s)
    return found


def component(module: str) -> str:
    """The component of the closed form that a module is or belongs to."""
    known = {"join_encoder": "join_enc", "join_prediction": "join_pred", "join_output": "join_out"}
    head, _, layer = module.partition(".")
    return f"encoder {layer}" if head == "encoder" else known.get(head, head)


def oracle_model(model: Any) -> Model:
    """The model of the closed form that has the dimensions of a transducer."""
    gates = {"lstm": 4, "cifg": 3, "lstm_projected": 4}
    return Model(
        layers=model.layers,
        width=model.width,
        gates=gates[model.cell],
        blocks=model.blocks,
        joint=model.joint,
        strides=model.strides,
        projection=model.projection or 0,
        vectors=1 if model.cell == "lstm_projected" else 3,
        features=model.features,
        prediction_layers=model.prediction_layers,
        prediction_width=model.prediction_width,
        prediction_gates=gates[model.prediction_cell],
        prediction_projection=model.prediction_projection or 0,
        embedding=model.embedding,
        vocabulary=model.vocabulary,
    )
