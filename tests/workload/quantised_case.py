"""Quantised models for the capture tests, made by the tools that users have."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import nn

from codesign.workload.capture import trace
from codesign.workload.check import check_trace
from codesign.workload.record import Op, Tensor, Trace


class Residual(nn.Module):  # type: ignore[misc]  # torch is untyped
    """Convolutions with a pool, a residual sum and a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 8, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(8, 10)

    def forward(self, image: Any) -> Any:
        stem = nn.functional.max_pool2d(self.first(image).relu(), 2)
        both = (self.second(stem) + stem).relu()
        return self.head(self.pool(both).flatten(1))


def with_torchao(module: Any, config: Any, **options: Any) -> Any:
    """The module with its weights quantised by torchao."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchao.quantization import quantize_

        quantize_(module.eval(), config, **options)
    return module


def with_pt2e(
    module: Any, *args: Any, is_per_channel: bool = True, is_dynamic: bool = False
) -> Any:
    """The module with weights and activations of 8 bits, as quantised export makes it."""
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    from torchao.testing.pt2e._xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exported = torch.export.export(module.eval(), args, strict=False).module()
        config = get_symmetric_quantization_config(
            is_per_channel=is_per_channel, is_dynamic=is_dynamic
        )
        prepared = prepare_pt2e(exported, XNNPACKQuantizer().set_global(config))
        prepared(*args)
        return convert_pt2e(prepared)


def checked(module: Any, *args: Any, **options: Any) -> Trace:
    """The trace of a module, checked for order, names and bounds."""
    found = trace(module, args, **options)
    check_trace(found)
    assert found.coverage.share == 1.0
    return found


def tensor(found: Trace, name: str) -> Tensor:
    """The tensor of that name."""
    (match,) = [tensor for tensor in found.tensors if tensor.name == name]
    return match


def contractions(found: Trace) -> list[Op]:
    """The contractions in order."""
    return [op for op, _ in found.ops() if op.kind == "contraction"]


def formats(op: Op) -> tuple[list[str], list[str]]:
    """Number formats of what an operator reads and writes."""
    read, written = (
        [str(access.tensor.dtype) for access in side] for side in (op.inputs, op.outputs)
    )
    return read, written
