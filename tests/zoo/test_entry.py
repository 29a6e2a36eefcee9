"""What a ``ModelEntry`` promises, and what it refuses."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import ModelError
from codesign.zoo import ModelEntry, codesign_models

OPTIONS = ("batch", "seq_len", "steps")
values = st.dictionaries(st.sampled_from(OPTIONS), st.integers(1, 1_000))


def one_layer(**options: int) -> tuple[Any, tuple[Any, ...]]:
    return torch.nn.Linear(4, 2), (torch.empty(options.get("batch", 1), 4),)


@given(values, values)
def test_every_option_is_given_or_default_and_no_other_is_taken(
    defaults: dict[str, int], given: dict[str, int]
) -> None:
    entry = ModelEntry(one_layer, "", defaults)
    if set(given) <= set(defaults):
        assert entry.choose("net", given) == {
            name: given.get(name, defaults[name]) for name in defaults
        }
    else:
        with pytest.raises(ModelError, match=r"net takes .*, not "):
            entry.choose("net", given)


@pytest.mark.parametrize("name", codesign_models())
@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_taken_or_refused_by_name(name: str, option: str) -> None:
    entry = codesign_models()[name]
    if option in entry.options:
        assert entry.choose(name, {option: 4})[option] == 4
    else:
        with pytest.raises(ModelError, match=f"{name} takes .*batch.*, not {option}"):
            entry.choose(name, {option: 4})


@pytest.mark.parametrize("value", [0, -1])
def test_an_option_below_one_is_refused(value: int) -> None:
    with pytest.raises(ModelError, match=f"batch of net must be at least 1, got {value}"):
        ModelEntry(one_layer, "").choose("net", {"batch": value})


def test_a_model_without_options_says_so() -> None:
    with pytest.raises(ModelError, match="net takes no options, not batch"):
        ModelEntry(one_layer, "", {}).choose("net", {"batch": 1})


def test_importing_the_zoo_does_not_import_torch() -> None:
    code = "import sys, codesign.zoo as z; z.codesign_models(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_builder_may_be_a_function_and_runs_on_the_meta_device() -> None:
    module, args, kwargs = ModelEntry(one_layer, "").example("net", {"batch": 3})
    assert module.weight.is_meta
    assert args[0].is_meta
    assert args[0].shape == (3, 4)
    assert kwargs == {}


def test_a_parameter_made_by_a_legacy_constructor_ends_on_the_meta_device() -> None:
    def build(batch: int) -> tuple[Any, tuple[Any, ...]]:
        module = torch.nn.Linear(4, 2)
        module.scale = torch.nn.Parameter(torch.Tensor(2))
        return module, (torch.empty(batch, 4),)

    module, _, _ = ModelEntry(build, "").example("net", {})
    assert {parameter.device.type for parameter in module.parameters()} == {"meta"}


def test_a_builder_may_return_keyword_arguments() -> None:
    def build(batch: int) -> tuple[Any, tuple[()], dict[str, Any]]:
        return torch.nn.Identity(), (), {"input": torch.empty(batch)}

    _, args, kwargs = ModelEntry(build, "").example("net", {})
    assert args == ()
    assert list(kwargs) == ["input"]


@pytest.mark.parametrize(
    ("result", "got"),
    [
        (torch.nn.Identity(), "Identity"),
        ((torch.nn.Identity(), torch.empty(1)), "Identity, Tensor"),
        ((torch.empty(1), (1,)), "Tensor, tuple"),
        ((torch.nn.Identity(), (), {}, ()), "Identity, tuple, dict, tuple"),
        (None, "NoneType"),
    ],
)
def test_a_builder_that_returns_something_else_is_refused(result: Any, got: str) -> None:
    with pytest.raises(ModelError, match=rf"net must return \(module, args\) .* got \({got}\)"):
        ModelEntry(lambda batch: result, "").example("net", {})


def test_the_failure_of_a_builder_is_one_line_with_its_kind() -> None:
    def build(batch: int) -> None:
        raise RuntimeError("no such\nthing")

    with pytest.raises(ModelError) as caught:
        ModelEntry(build, "").example("net", {})
    told = r"net failed to build: RuntimeError: no such at .*test_entry\.py:\d+ in build"
    assert re.fullmatch(told, str(caught.value))


@pytest.mark.parametrize(("name", "limit"), [("gpt2", 1024), ("bert_base", 512)])
def test_learned_positions_bound_the_sequence(name: str, limit: int) -> None:
    entry = codesign_models()[name]
    entry.example(name, {"seq_len": limit})
    with pytest.raises(ModelError, match=f"seq_len of {name} must be at most {limit}"):
        entry.example(name, {"seq_len": limit + 1})


@pytest.mark.parametrize("steps", [1, 2, 6, 9])
def test_the_transducer_encoder_needs_whole_frames(steps: int) -> None:
    entry = codesign_models()["rnnt_8x640_encoder"]
    with pytest.raises(ModelError, match=f"must be a multiple of 4, got {steps}"):
        entry.example("rnnt_8x640_encoder", {"steps": steps})
