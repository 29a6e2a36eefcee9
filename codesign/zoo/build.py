"""Calling a build function or factory, and checking what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from codesign.errors import OF_OTHERS, CodesignError, ModelError
from codesign.raised import raised
from codesign.zoo import Example


def on_meta(build: Callable[..., Any], options: Mapping[str, int], name: str) -> Example:
    """Calls ``build`` on the meta device and puts the module in evaluation mode.

    Args:
        build: what to call.
        options: its keyword arguments.
        name: what the model is called, for messages.

    Raises:
        ModelError: ``build`` fails, or does not return a module and its arguments.
    """
    with torch.device("meta"):
        module, args, kwargs = example_from(build, options, name)
    # legacy constructors such as torch.Tensor(n) ignore the device context
    return module.eval().to("meta"), args, kwargs


def example_from(factory: Callable[..., Any], options: Mapping[str, int], name: str) -> Example:
    """Calls ``factory``, which returns ``(module, args)`` or ``(module, args, kwargs)``.

    Args:
        factory: what to call.
        options: its keyword arguments.
        name: what the model is called, for messages.

    Raises:
        ModelError: ``factory`` fails or returns something else.
    """
    try:
        result = factory(**options)
    except CodesignError:
        raise
    except OF_OTHERS as error:  # a factory may fail in any way; name it and say where
        raise ModelError(f"{name} failed to build: {raised(error, factory)}") from error
    parts = result if isinstance(result, tuple) else (result,)
    kinds = (torch.nn.Module, (tuple, list), dict)
    if len(parts) not in (2, 3) or not all(map(isinstance, parts, kinds)):
        got = ", ".join(type(part).__name__ for part in parts)
        raise ModelError(
            f"{name} must return (module, args) or (module, args, kwargs), got ({got})"
        )
    return parts[0], tuple(parts[1]), dict(parts[2]) if len(parts) == 3 else {}
