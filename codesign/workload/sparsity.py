"""Where the zeros of a tensor are: declared as a pattern and a density, or the zeros themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from codesign.errors import TraceError, did_you_mean
from codesign.workload import sparsity_text
from codesign.workload.density import Dense, Density
from codesign.workload.density_places import Actual
from codesign.workload.mask import Mask
from codesign.workload.zeros import (
    find_blocks,
    find_channels,
    find_groups,
    real_axis,
    require_nm,
    require_units,
    units_of_blocks,
    units_of_channels,
)

Granularity = Literal["element", "n:m", "block", "channel", "band"]
GRANULARITIES: tuple[Granularity, ...] = get_args(Granularity)
"""What is kept or dropped as one: an element; all but n of m neighbours along an axis; a block of
the matrix whose columns are the last axis; a slice across an axis; what is off a band around the
diagonal."""
_DEFAULTS = {"granularity": "element", "axis": -1, "n": 0, "m": 0, "block": [0, 0]}
_ALONG_AN_AXIS = ("n:m", "channel")


@dataclass(frozen=True, slots=True)
class Sparsity:
    """The pattern of the zeros of a tensor, and how many there are where.

    Attributes:
        granularity: one of ``GRANULARITIES``.
        density: how many non-zeros any part of the tensor holds.
        axis: along which groups of m lie, or across which channels are slices.
        n: most non-zeros of m neighbours, for ``n:m``.
        m: elements of a group, for ``n:m``.
        block: rows and columns of a block, for ``block``.
    """

    granularity: Granularity
    density: Density
    axis: int = -1
    n: int = 0
    m: int = 0
    block: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if self.granularity not in GRANULARITIES:
            hint = did_you_mean(str(self.granularity), GRANULARITIES)
            raise TraceError(f"unknown granularity {self.granularity!r:.60}{hint}")
        if self.granularity == "n:m" and not 1 <= self.n <= self.m:
            raise TraceError(f"n:m must keep 1 to m of m, got {self.n}:{self.m}; write 2:4")
        if self.granularity == "block" and min(self.block) < 1:
            raise TraceError(
                f"a block must have 1 row and 1 column or more, got {self.block}; write (4, 4)"
            )

    @classmethod
    def parse(cls, text: str | float) -> Sparsity:
        """Reads a declaration; every number is the share that is **not** zero.

        ``dense``; ``0.3``; ``30 of 100`` (elements); ``2:4`` or ``2:4 axis 1``; ``block 4x4 0.25``;
        ``channel 0.5`` or ``channel 0.5 axis 0``; ``band 8`` (elements on either side of the
        diagonal). What lies along an axis does so along the last if none is named.

        Raises:
            TraceError: the text has no such form, or its numbers break a rule.
        """
        return cls(**sparsity_text.read(text))

    @classmethod
    def of(cls, array: NDArray[Any]) -> Sparsity:
        """The zeros that an array has, and the pattern that they follow.

        Whole channels are looked for first, then blocks, then n:m along any axis; see the module
        ``zeros`` for which. Where none holds the pattern is ``element``.

        Raises:
            TraceError: an array of no elements, or of more than a mask holds.
        """
        kept = np.asarray(array) != 0
        density = Actual(Mask.of(kept))
        if density.mask.nonzeros == kept.size:
            return cls("element", Dense())
        if (channels := find_channels(kept)) is not None:
            return cls("channel", density, axis=channels)
        if (block := find_blocks(kept)) is not None:
            return cls("block", density, block=block)
        if (groups := find_groups(kept)) is not None:
            n, m, axis = groups
            return cls("n:m", density, axis=axis, n=n, m=m)
        return cls("element", density)

    @property
    def share(self) -> float:
        """Non-zeros per element, 0 to 1."""
        return self.density.share

    def on(self, shape: tuple[int, ...], name: str) -> Sparsity:
        """The same on a tensor of known shape: the densities of its tiles then hold.

        Until then, what lies along an axis lies along the last, and a band has no density.

        Args:
            shape: of the tensor.
            name: of the tensor, for the error.

        Raises:
            TraceError: an axis that does not exist or is shorter than a group, a block larger
                than the tensor, a band that reaches off it, a mask of another shape or that
                breaks its n:m, or a count of other elements.
        """
        place = f"tensor {name!r}: sparsity {str(self)!r}"
        axis = -1
        if self.granularity in _ALONG_AN_AXIS:
            axis = real_axis(self.axis, shape, place)
        if self.granularity == "n:m" and shape[axis] < self.m:
            raise TraceError(self._too_short(shape, axis, place))
        density = self.density.on(shape, axis % max(1, len(shape)), place)
        if isinstance(density, Actual):
            self._check_mask(density.mask.array(), axis, name)
        return replace(self, density=density, axis=-1 if axis == len(shape) - 1 else axis)

    def _check_mask(self, kept: NDArray[np.bool_], axis: int, name: str) -> None:
        """Refuses zeros that do not lie as the pattern says."""
        if self.granularity == "n:m":
            require_nm(kept, self.n, self.m, axis, name)
        elif self.granularity == "block":
            require_units(kept, units_of_blocks(kept, self.block), name, str(self))
        elif self.granularity == "channel":
            require_units(kept, units_of_channels(kept, axis), name, str(self))
        elif self.granularity == "band":
            raise TraceError(
                f"tensor {name!r}: a mask cannot say how far a band reaches; leave its granularity "
                "out, or write for example 'band 8'"
            )

    def _too_short(self, shape: tuple[int, ...], axis: int, place: str) -> str:
        """Why groups do not lie along an axis, and along which they would."""
        behind = [n for n, extent in enumerate(shape) if n and extent >= self.m]
        others = behind or [n for n, extent in enumerate(shape) if extent >= self.m]
        way = (
            f"name the axis, e.g. '{self.n}:{self.m} axis {others[0]}'"
            if others
            else ("declare its density")
        )
        return (
            f"{place} lies along axis {axis} of {list(shape)}, which is shorter than a group of "
            f"{self.m}; {way}"
        )

    def check(self, shape: tuple[int, ...], name: str) -> None:
        """Refuses what ``on`` refuses."""
        self.on(shape, name)

    def to_json(self) -> str | dict[str, Any]:
        """What a trace file keeps: the text, or with a mask an object that holds it.

        The object has the key ``mask`` and those of the fields that differ from the defaults:
        ``granularity`` of ``element``, ``axis`` of -1, ``n`` and ``m`` of 0, ``block`` of [0, 0].
        """
        if not isinstance(self.density, Actual):
            return str(self)
        fields = {key: getattr(self, key) for key in _DEFAULTS} | {"block": list(self.block)}
        said = {key: value for key, value in fields.items() if value != _DEFAULTS[key]}
        return said | {"mask": self.density.mask.to_json()}

    @classmethod
    def from_json(cls, data: object) -> Sparsity:
        """Reads what ``to_json`` gives, from whoever wrote it.

        Raises:
            TraceError: it is not of that form.
        """
        if isinstance(data, str):
            return cls.parse(data)
        if not isinstance(data, Mapping) or not isinstance(data.get("mask"), Mapping):
            raise TraceError(
                f"sparsity must be a text, or an object with a mask, got {data!r:.60}; write for "
                "example '2:4'"
            )
        known = {*_DEFAULTS, "mask"}
        for key in set(data) - known:
            raise TraceError(
                f"unknown field {str(key)[:60]!r} of a sparsity{did_you_mean(key, known)}"
            )
        fields = _DEFAULTS | {key: data[key] for key in data}
        block = fields["block"]
        if not isinstance(block, list) or len(block) != 2:
            raise TraceError(
                f"the block of a sparsity must be rows and columns, got {block!r:.60}; write [4, 4]"
            )
        for number in (*block, *(fields[key] for key in ("axis", "n", "m"))):
            if type(number) is not int:
                raise TraceError(
                    f"axis, n, m and block of a sparsity must be whole numbers, got {number!r:.60};"
                    " write for example 4"
                )
        density = Actual(Mask.from_json(data["mask"]))
        said = {key: fields[key] for key in _DEFAULTS}
        return cls(**said | {"density": density, "block": tuple(block)})

    def __str__(self) -> str:
        return sparsity_text.write(self)
