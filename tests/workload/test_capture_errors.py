"""What cannot be captured is refused in one line: the cause, the place, the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch_case import Call, captured, meta

from codesign.errors import CaptureError
from codesign.workload.capture import load_pt2
from codesign.workload.capture_error import diagnose, user_frame


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
    for place in (path, tmp_path / "missing.pt2"):
        with pytest.raises(CaptureError, match=r"torch\.export\.save"):
            load_pt2(place)


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
