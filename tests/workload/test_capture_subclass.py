"""A tensor subclass of one's own states its width by ``target_dtype``, as those of torchao do."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from quantised_case import checked, tensor
from torch import nn
from torchao.utils import TorchAOBaseTensor


class Narrow(TorchAOBaseTensor):  # type: ignore[misc]  # torchao is untyped
    """Integers of few bits in bytes, with a scale for each row; its conversion states no range."""

    tensor_data_names: ClassVar = ["qdata", "scale", "zero_point"]
    tensor_attribute_names: ClassVar = ["target_dtype"]

    @staticmethod
    def __new__(cls, qdata: Any, scale: Any, zero_point: Any, target_dtype: Any) -> Any:
        return torch.Tensor._make_wrapper_subclass(cls, qdata.shape, dtype=scale.dtype)

    def __init__(self, qdata: Any, scale: Any, zero_point: Any, target_dtype: Any) -> None:
        super().__init__()
        self.qdata, self.scale, self.zero_point = qdata, scale, zero_point
        self.target_dtype = target_dtype


def _linear(_: Any, __: Any, args: Any, ___: Any) -> Any:
    source, weight, bias = args
    numbers = torch.ops.torchao.dequantize_affine(
        weight.qdata, [1, weight.shape[1]], weight.scale, weight.zero_point, torch.int8
    )
    return nn.functional.linear(source, numbers, bias)


Narrow.implements(torch.ops.aten.linear.default)(_linear)
Narrow.implements_torch_function(nn.functional.linear)(_linear)


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 7])
def test_the_attribute_counts_before_the_container(bits: int) -> None:
    model = nn.Sequential(nn.Linear(64, 32))
    data = torch.zeros(32, 64, dtype=torch.int8)
    parts = data, torch.ones(32, 1), torch.zeros(32, 1, dtype=torch.int8)
    narrow = Narrow(*parts, getattr(torch, f"int{bits}"))
    model[0].weight = nn.Parameter(narrow, requires_grad=False)
    found = checked(model, torch.zeros(2, 64))
    assert str(tensor(found, "0.weight").dtype) == f"int{bits}[64x40]"
    assert found.parameter_bytes == 32 * 64 * bits // 8 + 32 * 5 + 32 * 4
