"""What cannot be captured is refused in one line: the cause, the place, the remedy."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch_case import Call, captured, meta

import codesign
from codesign.errors import CaptureError, TraceError
from codesign.workload.capture import load_pt2
from codesign.workload.capture_error import diagnose, user_frame
from codesign.zoo.cell_loop import over_time


def _branches(_: Any, x: Any) -> Any:
    if x.sum() > 0:
        return x.relu()
    return x


def refused(module: Any, *args: Any, **options: Any) -> str:
    with pytest.raises(CaptureError) as caught:
        captured(module, *args, **options)
    message = str(caught.value)
    assert "\n" not in message, "one line"
    return message


@pytest.mark.parametrize("make", [torch.zeros, meta])
def test_a_python_branch_on_data_names_the_line_and_the_remedy(make: Any) -> None:
    message = refused(Call(_branches), make(4))
    assert "Python branch on data" in message
    assert "test_capture_errors.py" in message
    assert "_branches" in message
    assert "torch.cond" in message


def test_a_tensor_element_read_into_python_is_named() -> None:
    message = refused(Call(lambda m, x: x * float(x[0].item() ** 0.5)), meta(4))
    assert "test_capture_errors.py" in message


def test_arguments_of_the_wrong_shape_give_the_error_of_torch_in_one_line() -> None:
    message = refused(nn.Linear(4, 4), torch.zeros(2, 5))
    assert "torch.export failed" in message
    assert "example arguments" in message


def test_a_result_of_an_unknown_type_is_named() -> None:
    class Box:
        def __init__(self, x: Any) -> None:
            self.x = x

    message = refused(Call(lambda m, x: Box(x)), torch.zeros(2))
    assert "Box" in message
    assert "return tensors" in message


def test_a_file_that_is_no_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pt2"
    path.write_bytes(b"not a zip")
    with pytest.raises(CaptureError, match=r"model.pt2 cannot be read .* torch\.export\.save"):
        load_pt2(path)
    with pytest.raises(CaptureError, match=r"no.pt2: no such file; give one that torch\.export"):
        load_pt2(tmp_path / "no.pt2")
    with pytest.raises(CaptureError, match=r": is a folder; give one that torch\.export\.save"):
        load_pt2(tmp_path)


class Takes(nn.Module):  # type: ignore[misc]  # torch is untyped
    def forward(self, token: Any, *, mask: Any = None, scale: Any = None) -> Any:
        return token * 2 if mask is None else token * mask


def test_a_misspelt_keyword_argument_is_named_with_those_there_are() -> None:
    assert refused(Takes(), torch.zeros(2), kwargs={"msk": torch.zeros(2)}) == (
        "kwargs: Takes.forward takes no argument 'msk'; did you mean 'mask'? "
        "known: mask, scale, token"
    )


def test_a_keyword_argument_that_exists_or_is_taken_by_any_name_is_passed_on() -> None:
    made = captured(Takes(), torch.zeros(2), kwargs={"mask": torch.zeros(2)})
    assert [t.name for t in made.tensors if t.role == "input"] == ["token", "mask"]
    anything = Call(lambda m, x, **more: x + more["any"])
    assert captured(anything, torch.zeros(2), kwargs={"any": torch.zeros(2)}).items


# --- tensors without elements ---

EMPTY: dict[str, tuple[Any, tuple[int, ...], str]] = {
    "linear": (nn.Linear(8, 4), (0, 8), "linear: a tensor of contraction"),
    "inner dimension": (Call(lambda m, x: x.T @ x), (0, 8), "matmul: a tensor of contraction"),
    "convolution": (nn.Conv2d(3, 4, 3), (0, 3, 8, 8), "conv2d: a tensor of contraction"),
    "elementwise": (nn.ReLU(), (3, 0), "relu: a tensor of elementwise"),
    "pool": (nn.MaxPool2d(2), (0, 3, 8, 8), "max_pool2d: a tensor of reduce"),
    "norm": (nn.LayerNorm(8), (0, 8), "layer_norm: a tensor of normalize"),
    "softmax": (nn.Softmax(-1), (0, 8), "softmax: a tensor of softmax"),
    "batch": (nn.GRU(8, 4), (3, 0, 8), "layer0.input: a tensor of contraction"),
    "attention": (
        Call(lambda m, x: nn.functional.scaled_dot_product_attention(x, x, x)),
        (0, 2, 4, 8),
        "scaled_dot_product_attention: a tensor of attention",
    ),
}


@pytest.mark.parametrize("case", EMPTY)
def test_an_empty_example_is_refused_with_the_operator_and_the_argument(case: str) -> None:
    module, shape, place = EMPTY[case]
    message = refused(module, torch.zeros(shape))
    assert message.startswith(f"{place} must have at least one element, got the shape [")
    assert f" is {list(shape)}); give example inputs whose every dimension is at least 1" in message


def test_an_empty_cut_inside_a_model_is_refused_without_blaming_an_argument() -> None:
    message = refused(Call(lambda m, x: x[2:2].relu() + 1), torch.zeros(2, 8))
    assert message.endswith(
        "got the shape [0, 8]; the model itself makes it: keep at least one element of what it cuts"
    )


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_an_empty_weight_is_named_and_no_input_is_blamed() -> None:
    message = refused(nn.Linear(8, 0), torch.zeros(2, 8))
    assert message.startswith("linear: a tensor of contraction must have at least one element")
    assert "(weight is [0, 8], bias is [0]); weight is a weight of the model: build its" in message
    assert "example inputs" not in message
    deeper = nn.Sequential(nn.Linear(8, 4), nn.Linear(4, 0), nn.Linear(0, 4))
    message = refused(deeper, torch.zeros(2, 8))
    assert message.startswith("1.linear: ")
    assert "1.weight is a weight of the model" in message
    assert "2.weight" not in message, "another operator reads it"


def test_what_torch_prints_of_a_branch_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    def says(m: Any, x: Any) -> Any:
        sys.stderr.write("def forward of mine\n")
        return _branches(m, x)

    refused(Call(says), torch.zeros(4))
    told = capsys.readouterr()
    assert told.out == ""
    assert set(told.err.splitlines()) == {"def forward of mine"}


@pytest.mark.parametrize(
    ("args", "kwargs", "told"),
    [
        ((), {}, "Takes.forward takes token, mask, scale, got 0 in args and none in kwargs: "),
        ((torch.zeros(2),) * 2, {"scale": 1}, "got 2 in args and scale in kwargs: too many"),
        ((torch.zeros(2),), {"token": torch.zeros(2)}, "multiple values for argument 'token'"),
    ],
)
def test_example_inputs_that_forward_cannot_take_are_told_with_what_it_takes(
    args: tuple[Any, ...], kwargs: dict[str, Any], told: str
) -> None:
    with pytest.raises(CaptureError) as caught:
        codesign.trace(Takes(), args, kwargs)
    assert told in str(caught.value)
    assert "give example inputs that it can be called with" in str(caught.value)
    assert "inspect.py" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"args": torch.zeros(2)}, "args must be a list or tuple of example inputs, got Tensor; "),
        ({"args": None}, "args must be a list or tuple of example inputs, got NoneType"),
        ({"kwargs": [("x", 1)]}, "kwargs must map names to example inputs, got list; write"),
        ({"roles": "state"}, "roles must map patterns to roles, got 'state'; write for example"),
        ({"branch_probability": 1.5}, "branch_probability must be 0 to 1, got 1.5"),
        ({"branch_probability": "x"}, "branch_probability must be 0 to 1, got 'x'"),
        ({"loop_steps": 0}, "loop_steps must be a whole number >= 1, got 0"),
        ({"loop_steps": 2.0}, "loop_steps must be a whole number >= 1, got 2.0"),
    ],
)
def test_an_argument_of_another_kind_is_told_with_what_it_should_be(
    options: dict[str, Any], told: str
) -> None:
    with pytest.raises(CaptureError) as caught:
        codesign.trace(nn.ReLU(), **{"args": (torch.zeros(2),), **options})
    assert told in str(caught.value)


@pytest.mark.parametrize("name", ["resnet50", Path("model.json")])
def test_a_name_in_the_place_of_a_module_is_told_what_takes_names(name: Any) -> None:
    with pytest.raises(CaptureError, match=r"simulate takes a name, and codesign\.load_trace"):
        codesign.trace(name)


@pytest.mark.parametrize(
    "find", [lambda m, x: x.nonzero(), lambda m, x: x.unique()], ids=["nonzero", "unique"]
)
def test_a_shape_that_depends_on_data_is_told_with_the_line_of_the_model(find: Any) -> None:
    message = refused(Call(find), torch.zeros(4))
    assert "which depends on data" in message
    assert re.search(r" at torch_case\.py:\d+ \(forward\) has the shape \(u0", message)
    assert "torch.topk or a mask" in message


def test_an_element_that_becomes_an_operator_is_told_as_what_it_is() -> None:
    message = refused(Call(lambda m, x: x * x.sum().item()), torch.zeros(4))
    assert "aten.item.default reads a tensor element into Python: keep it a tensor, or" in message


@pytest.mark.parametrize(
    "said",
    [
        RuntimeError("PyTorch is not linked with support for cuda devices"),
        AssertionError("Torch not compiled with CUDA enabled"),
        RuntimeError("Found no NVIDIA driver on your system"),
    ],
)
def test_a_model_that_asks_for_a_gpu_is_told_that_none_is_needed(said: Exception) -> None:
    def asks(m: Any, x: Any) -> Any:
        raise said  # what a machine without a GPU raises

    message = refused(Call(asks), torch.zeros(4))
    assert "asks for a GPU, and capture needs none; build and run it on the CPU" in message
    assert "test_capture_errors.py" in message


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_models_of_older_ways_are_told_what_to_give_in_their_place() -> None:
    assert "give the torch.nn.Module that it was made from" in refused(
        torch.jit.script(nn.Linear(2, 2)), torch.zeros(2, 2)
    )
    packed = diagnose(AttributeError("quantized.LinearPackedParamsBase has no field"))
    assert "quantise with torchao or PT2E, or give the float model" in str(packed)


def test_a_compiled_module_is_captured_as_the_one_inside() -> None:
    model = nn.Linear(4, 2)
    found = codesign.trace(torch.compile(model), (torch.zeros(3, 4),))
    assert found.digest == codesign.trace(model, (torch.zeros(3, 4),)).digest


@pytest.mark.parametrize("made", [lambda c: c, lambda c: torch.cat([c, c]), lambda c: c.flip(1)])
def test_an_empty_cache_may_be_copied_and_joined_to_what_comes(made: Any) -> None:
    model = Call(lambda m, x, cache: m.head(torch.cat([made(cache), x])), head=nn.Linear(8, 4))
    found = captured(model, torch.zeros(2, 8), torch.zeros(0, 8))
    assert [op.kind for op, _ in found.ops()] == ["move", "contraction"]
    assert found.macs == 2 * 8 * 4
    assert codesign.simulate(found, "edge-npu").latency_s > 0


def joined(x: Any) -> Any:
    """All of x, in front of it a copy of nothing."""
    return torch.cat([torch.cat([x[:0], x[:0]]), x * 2])


@pytest.mark.parametrize(
    "module",
    [
        Call(lambda m, x: torch.cond(x.sum() > 0, joined, torch.sin, (x[0],))),
        Call(lambda m, x: over_time(lambda y, h: (joined(y), h + y), x, x.new_zeros(4))),
    ],
    ids=["branch", "loop"],
)
def test_a_copy_of_nothing_is_left_out_of_branches_and_loops_too(module: Any) -> None:
    found = captured(module, torch.zeros(5, 4), branch_probability=1.0)
    written = [op.name for op, _ in found.ops() if op.source == "aten.cat.default"]
    assert [name.rpartition(".")[2] for name in written] == ["cat_1"]
    assert all(0 not in access.shape for op, _ in found.ops() for access in op.outputs)


def test_a_model_that_only_copies_nothing_has_nothing_to_simulate() -> None:
    idle = captured(Call(lambda m, x: torch.cat([x, x])), torch.zeros(0, 8))
    with pytest.raises(TraceError, match=r"must hold at least one operator"):
        codesign.simulate(idle, "edge-npu")


def test_capture_restores_the_training_mode_also_after_a_failure() -> None:
    module = Call(_branches).train()
    refused(module, torch.zeros(2))
    assert module.training


def test_a_long_cause_is_cut() -> None:
    assert len(str(diagnose(RuntimeError("x" * 10_000)))) < 500


def test_the_frame_shown_is_the_users_innermost() -> None:
    def inner() -> None:
        raise ValueError("here")

    with pytest.raises(ValueError) as caught:
        inner()
    assert "(inner)" in str(user_frame(caught.value))


def test_without_a_frame_of_the_user_no_place_is_claimed() -> None:
    assert user_frame(ValueError("never raised")) is None
    assert " at " not in str(diagnose(ValueError("boom"))).split(";")[0]


def test_a_forward_without_a_signature_is_told_by_torch() -> None:
    module = nn.Identity()
    module.forward = torch.relu
    with pytest.raises(CaptureError, match="no signature found for builtin"):
        codesign.trace(module, (torch.zeros(2),))
