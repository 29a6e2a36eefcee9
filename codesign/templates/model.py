"""A model that can be simulated by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codesign import hookimpl
from codesign.zoo import ModelEntry


def build(batch: int, steps: int) -> tuple[Any, tuple[Any, ...]]:
    """The module and the arguments of one call; it is built without memory for its weights."""
    import torch

    gru = torch.nn.GRU(64, 128, batch_first=True)
    return gru, (torch.zeros(batch, steps, 64),)


@hookimpl
def codesign_models() -> Mapping[str, ModelEntry]:
    """The model ``my_plugin``, with the options that it takes and their defaults."""
    options = {"batch": 1, "steps": 20}
    return {"my_plugin": ModelEntry(build, "one GRU layer of 128", options)}
