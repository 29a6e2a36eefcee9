"""Sparsity as text: what people write in a call, in YAML and in a trace file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codesign.errors import TraceError
from codesign.workload.density import Bernoulli, Dense, Hypergeometric
from codesign.workload.density_fixed import Fixed
from codesign.workload.density_groups import Block, Channels
from codesign.workload.density_places import Banded

if TYPE_CHECKING:
    from codesign.workload.sparsity import Sparsity

_FORMS = (
    "write 'dense', the share that is not zero such as 0.3, '30 of 100', '2:4', '2:4 axis 1', "
    "'block 4x4 0.25', 'channel 0.5', 'channel 0.5 axis 0' or 'band 8'"
)


def read(text: str | float) -> dict[str, Any]:
    """The fields of the ``Sparsity`` that a text declares, see ``Sparsity.parse``.

    Raises:
        TraceError: the text has no such form, or its numbers break a rule.
    """
    words = str(text).split()
    try:
        if "_" in str(text) or not str(text).isascii():
            raise ValueError(text)  # Python reads 0.5_0 and digits of any script as numbers
        return _fields(words)
    except ValueError as error:
        raise TraceError(f"unknown sparsity {str(text)!r:.60}; {_FORMS}") from error


def _fields(words: list[str]) -> dict[str, Any]:
    match words:
        case ["dense"]:
            return {"granularity": "element", "density": Dense()}
        case ["band", half_width]:
            return {"granularity": "band", "density": Banded(int(half_width))}
        case ["block", extents, share]:
            rows, columns = (int(extent) for extent in extents.split("x"))
            density = Block(rows, columns, float(share))
            return {"granularity": "block", "density": density, "block": (rows, columns)}
        case ["channel", share, *where]:
            return {"granularity": "channel", "density": Channels(float(share)), **_axis(where)}
        case [nonzeros, "of", size]:
            return {"granularity": "element", "density": Hypergeometric(int(nonzeros), int(size))}
        case [pattern, *where] if ":" in pattern:
            n, m = (int(number) for number in pattern.split(":"))
            return {"granularity": "n:m", "density": Fixed(n, m), "n": n, "m": m, **_axis(where)}
        case [share]:
            return {"granularity": "element", "density": Bernoulli(float(share))}
    raise ValueError(words)


def _axis(words: list[str]) -> dict[str, int]:
    match words:
        case []:
            return {}
        case ["axis", axis]:
            return {"axis": int(axis)}
    raise ValueError(words)


def write(sparsity: Sparsity) -> str:
    """The text from which ``read`` makes the same declaration; of a mask, what to call it."""
    density, axis = sparsity.density, "" if sparsity.axis == -1 else f" axis {sparsity.axis}"
    match density:
        case Dense():
            return "dense"
        case Bernoulli(share):
            return repr(float(share))
        case Hypergeometric(nonzeros, size):
            return f"{nonzeros} of {size}"
        case Fixed(n, m):
            return f"{n}:{m}{axis}"
        case Block(rows, columns, share):
            return f"block {rows}x{columns} {float(share)!r}"
        case Channels(share):
            return f"channel {float(share)!r}{axis}"
        case Banded(half_width):
            return f"band {half_width}"
    return f"mask of {sparsity.share:.3g} in {sparsity.granularity}"
