"""What a user gives beside a model to capture: example inputs, roles, chances and counts."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from codesign.errors import CaptureError, did_you_mean


def check_inputs(args: object, kwargs: object) -> None:
    """Checks that example inputs are given as a call takes them.

    Raises:
        CaptureError: args are no list or tuple, or kwargs no mapping.
    """
    if not isinstance(args, (list, tuple)):
        raise CaptureError(
            f"args must be a list or tuple of example inputs, got {type(args).__name__}; write for "
            "example args=(x,)"
        )
    if kwargs is not None and not isinstance(kwargs, Mapping):
        raise CaptureError(
            f"kwargs must map names to example inputs, got {type(kwargs).__name__}; write for "
            "example kwargs={'mask': mask}"
        )


def check_choices(roles: object, branch_probability: object, loop_steps: object) -> None:
    """Checks what the user says of a model beside its inputs.

    Raises:
        CaptureError: roles that are no mapping, a chance that is none, or a count below 1.
    """
    if roles is not None and not isinstance(roles, Mapping):
        raise CaptureError(
            f"roles must map patterns to roles, got {roles!r:.60}; write for example "
            "{'cache.*': 'state'}"
        )
    if branch_probability is not None and not (
        isinstance(branch_probability, (int, float)) and 0 <= branch_probability <= 1
    ):
        raise CaptureError(f"branch_probability must be 0 to 1, got {branch_probability!r:.60}")
    if loop_steps is not None and not (type(loop_steps) is int and loop_steps >= 1):
        raise CaptureError(f"loop_steps must be a whole number >= 1, got {loop_steps!r:.60}")


def check_keywords(model: Any, kwargs: Mapping[str, Any]) -> None:
    """Checks that ``forward`` takes every keyword argument.

    Raises:
        CaptureError: one that it does not take.
    """
    try:
        parameters = inspect.signature(model.forward).parameters
    except (TypeError, ValueError):  # code that is not Python's; torch will say what it misses
        return
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for name in kwargs:
        if name not in parameters:
            raise CaptureError(
                f"kwargs: {type(model).__name__}.forward takes no argument {str(name)[:60]!r}"
                f"{did_you_mean(str(name)[:60], parameters)}"
            )


def misfit(model: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> CaptureError | None:
    """What to say of example arguments that ``forward`` cannot be called with; None if it can.

    Args:
        model: a module.
        args: example arguments.
        kwargs: example keyword arguments.
    """
    try:
        signature = inspect.signature(model.forward)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        takes = ", ".join(signature.parameters) or "nothing"
        given = f"{len(args)} in args and {', '.join(map(str, kwargs)) or 'none'} in kwargs"
        return CaptureError(
            f"{type(model).__name__}.forward takes {takes}, got {given}: {error}; give example "
            "inputs that it can be called with"
        )
    return None
