"""Arguments of ``codesign.simulate`` that do not exist are told with those that do."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import codesign
from codesign.errors import ModelError

HARDWARE = "edge-npu"


def refused(model: Any, **options: Any) -> str:
    with pytest.raises(ModelError) as caught:
        codesign.simulate(model, HARDWARE, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("given", "meant"),
    [("dtyp", "dtype"), ("exact_event", "exact_events"), ("step", "steps"), ("seqlen", "seq_len")],
)
def test_a_misspelt_argument_is_named_with_the_nearest_and_all_there_are(
    given: str, meant: str
) -> None:
    message = refused("lstm_lm", **{given: "int8"})
    assert message.startswith(f"unknown argument {given!r}; did you mean {meant!r}? known: ")
    known = message.partition("known: ")[2].split(", ")
    assert {"dtype", "batch", "steps", "settings", "residency"} <= set(known)
    assert "options" not in known, "it is no argument, but stands for those of the model"


def test_it_is_told_of_a_module_and_of_a_trace_too() -> None:
    module = torch.nn.Linear(4, 4)
    assert "mean 'dtype'?" in refused(module, args=(torch.zeros(1, 4),), dtyp="int8")
    trace = codesign.trace(module, (torch.zeros(1, 4),))
    assert "mean 'dtype'?" in refused(trace, dtyp="int8")


def test_options_of_named_models_are_still_refused_of_a_module() -> None:
    message = refused(torch.nn.Linear(4, 4), args=(torch.zeros(1, 4),), batch=3)
    assert message == "batch can be set for a model given by name only"


def test_every_option_of_a_named_model_is_passed_on() -> None:
    some = {"batch": 1, "steps": 2, "allow_unsupported": True, "scan_zeros": False}
    assert codesign.simulate("cell_gru", HARDWARE, **some).latency_s > 0  # type: ignore[arg-type]


def test_a_longer_name_than_anybody_means_is_cut() -> None:
    assert len(refused("lstm_lm", **{"x" * 5000: 1})) < 600
