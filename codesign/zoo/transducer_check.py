"""What the values of a transducer must be, before anything is computed from them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from codesign.errors import ModelError, did_you_mean
from codesign.zoo.cell_shape import GATES

if TYPE_CHECKING:
    from codesign.zoo.transducer import Transducer

_SIZES = (
    "features",
    "layers",
    "width",
    "blocks",
    "embedding",
    "prediction_layers",
    "prediction_width",
    "joint",
    "vocabulary",
)
_PERHAPS = ("rank", "projection", "prediction_projection")
_CELLS = ("cell", "prediction_cell")


def check_values(model: Transducer) -> None:
    """Checks each value by itself, and what must hold between two of them.

    Raises:
        ModelError: a value of another type, a dimension below 1, a vocabulary of the blank alone,
            an unknown cell, strides that are not layers in rising order, or a rank that is not
            below that of the whole matrix.
    """
    for name in _SIZES:
        check_size(name, getattr(model, name))
    for name in _PERHAPS:
        if getattr(model, name) is not None:
            check_size(name, getattr(model, name))
    for name in _CELLS:
        cell = getattr(model, name)
        if not isinstance(cell, str):
            raise ModelError(
                f"{name} of a transducer must be one of {', '.join(GATES)}, got {cell!r}"
            )
        if cell not in GATES:
            raise ModelError(f"unknown cell {cell!r}{did_you_mean(cell, GATES)}")
    if model.vocabulary < 2:
        raise ModelError(
            "vocabulary of a transducer must be at least 2, got 1: the blank is among them; add a "
            "token"
        )
    _check_strides(model)
    _check_rank(model)


def check_size(name: str, value: object) -> None:
    """Raises a ModelError unless a value is a whole number of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ModelError(
            f"{name} of a transducer must be a whole number, got {value!r}; write it in digits"
        )
    if value < 1:
        raise ModelError(f"{name} of a transducer must be at least 1, got {value}")


def _check_strides(model: Transducer) -> None:
    strides = model.strides
    if not isinstance(strides, tuple) or not all(_is_place(layer) for layer in strides):
        raise ModelError(
            f"strides of a transducer must be a tuple of layers, got {strides!r}; write for "
            "example (0, 1)"
        )
    allowed = set(range(model.layers))
    if list(strides) != sorted(set(strides) & allowed):
        raise ModelError(
            f"strides must name layers from 0 to {model.layers - 1}, each once and in rising "
            f"order, got {strides}"
        )


def _is_place(layer: object) -> bool:
    return isinstance(layer, int) and not isinstance(layer, bool)


def _check_rank(model: Transducer) -> None:
    whole = min(_present((model.width, model.projection)))
    if model.rank is not None and model.rank >= whole:
        raise ModelError(
            f"rank of a transducer must be below {whole}, that of its whole recurrent matrices, "
            f"got {model.rank}; lower it or set it to None"
        )


def _present(values: Iterable[int | None]) -> list[int]:
    return [value for value in values if value is not None]
