"""What several tests of the zoo share."""

from __future__ import annotations

from typing import Any

import torch

from codesign.workload.capture import trace
from codesign.workload.check import check_trace
from codesign.workload.record import Trace


def randomise(module: Any) -> Any:
    """Gives every parameter a small random value: some are made empty."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape))
    return module.eval()


def captured(build: Any, *args: Any, **options: Any) -> Trace:
    """The trace of what a build function of the zoo makes, on the meta device."""
    with torch.device("meta"):
        module, inputs = build(*args, **options)
    found = trace(module.eval(), inputs)
    check_trace(found)
    return found
