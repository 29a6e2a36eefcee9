"""Small torch modules for the capture tests, and torch's own counter as the oracle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from codesign.workload.capture import trace
from codesign.workload.check import check_trace
from codesign.workload.record import Op, Trace


class Call(nn.Module):  # type: ignore[misc]  # torch is untyped
    """A module whose forward is a function of (module, *arguments)."""

    def __init__(self, function: Callable[..., Any], **members: Any) -> None:
        super().__init__()
        self.function = function
        for name, member in members.items():
            if isinstance(member, torch.Tensor) and not isinstance(member, nn.Parameter):
                self.register_buffer(name, member)
            else:
                setattr(self, name, member)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(self, *args, **kwargs)


class Named(nn.Module):  # type: ignore[misc]  # torch is untyped
    """A module with named arguments: a token and a cache."""

    def forward(self, token: Any, cache: dict[str, Any]) -> Any:
        return token + cache["key"].sum() + cache["value"].sum()


def captured(module: Any, *args: Any, **options: Any) -> Trace:
    """The unfused trace of a module, checked for order, names and bounds."""
    found = trace(module, args, fuse=False, **options)
    check_trace(found)
    return found


def ops(found: Trace, kind: str | None = None) -> list[Op]:
    """Operators of a trace in order, of one kind if given."""
    return [op for op, _ in found.ops() if kind in (None, op.kind)]


def counted_macs(module: Any, *args: Any) -> int:
    """Half of what torch's FlopCounterMode counts for one call on the meta device."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module.eval()(*args)
    return int(counter.get_total_flops()) // 2


def meta(*shape: int, dtype: Any = torch.float32) -> Any:
    """A tensor without data."""
    return torch.empty(shape, dtype=dtype, device="meta")


def cnn() -> Any:
    """A CNN with grouped, depthwise, dilated and transposed convolutions."""
    return nn.Sequential(
        nn.Conv2d(8, 16, 3, 2, 1, groups=4),
        nn.BatchNorm2d(16),
        nn.ReLU(inplace=True),
        nn.Conv2d(16, 16, 5, padding=2, groups=16),
        nn.ReLU6(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 8, 3, padding="same", dilation=2),
        nn.ConvTranspose2d(8, 4, 3, 2, groups=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
    )


def on_meta(build: Callable[[], Any]) -> Any:
    """What ``build`` returns, with its parameters on the meta device."""
    with torch.device("meta"):
        return build()
