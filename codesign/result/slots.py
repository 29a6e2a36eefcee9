"""What the slots of a plan are due to, by the names under which engines book them."""

from __future__ import annotations

from typing import Literal, NamedTuple

COMPUTING = "compute"
FILL = "fill and drain"
LAUNCH = "launch overhead"
BANDWIDTH = "bandwidth"

Place = Literal["engine", "buffer", "home"]


class Slot(NamedTuple):
    """What a slot is due to.

    Attributes:
        cause: of the critical path.
        place: whether the engine, its buffer or the home of its operands takes the time.
    """

    cause: str
    place: Place = "engine"


# the work itself, with units that have nothing to do or not enough of it
_COMPUTE = (
    "effective", "kernel", "efficiency", "gated", "quantisation", "intersection", "decode",
)  # fmt: skip
_LOST = (
    "edge", "imbalance", "edge of tiles", "last wave", "idle lanes", "idle macros", "idle cores",
    "unused cells",
    "zero operands", "zero weights",
    "unrolling, edges and port",  # of kind array, which does not tell them apart
)  # fmt: skip
_FILL = (
    "fill and drain", "fill", "drain", "weight load", "input load", "output drain", "output stage",
    "ports and filling",
)  # fmt: skip
_LAUNCH = ("start", "tile start", "launch", "call")
_BUFFER = ("buffer port", "input port", "weight port", "accumulator port", "shared cache", "cache")
_HOME = ("memory", "split sums")
SLOTS: dict[str, Slot] = {
    **dict.fromkeys((*_COMPUTE, *_LOST), Slot(COMPUTING)),
    **dict.fromkeys(_FILL, Slot(FILL)),
    **dict.fromkeys(_LAUNCH, Slot(LAUNCH)),
    **dict.fromkeys(_BUFFER, Slot(BANDWIDTH, "buffer")),
    **dict.fromkeys(_HOME, Slot(BANDWIDTH, "home")),
}
"""By the names under which shipped engines book slots."""


def slot(name: str) -> Slot:
    """What slots of that name are due to; those of a name that is not in ``SLOTS`` to computing."""
    return SLOTS.get(name, Slot(COMPUTING))
