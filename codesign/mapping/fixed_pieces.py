"""What a fixed mapping decides of an operator without products: how large its pieces are."""

from __future__ import annotations

from collections.abc import Sequence

from codesign.errors import MappingError
from codesign.hardware.plan import Budget
from codesign.workload.record import Op
from codesign.workload.work import elements


def fixed_pieces(op: Op, budget: Budget, units: int, sizes: Sequence[int]) -> int:
    """Number of pieces of the size that is fixed; 0 where none is.

    Args:
        op: an operator that flows through the buffer.
        budget: what it is granted.
        units: what it may be cut into, elements or rows.
        sizes: bytes that stay, then bytes of every operand that flows.

    Raises:
        MappingError: pieces that are no whole row, or do not fit twice.
    """
    fixed = budget.fixed
    asked = fixed.tile[0] if fixed and fixed.tile else None
    if fixed is None or asked is None:
        return 0
    total = elements(op)
    pieces = -(-total // asked)
    if pieces > units:
        raise MappingError(
            f"{fixed.place}: tile: elements must be at least {-(-total // units):,}, since a row "
            f"stays whole, got {asked:,}; raise it"
        )
    held, *moved = sizes
    taken = held + 2 * sum(-(-size // pieces) for size in moved)
    if taken > budget.buffer_bytes:
        memory = budget.stores[0].memory if budget.stores else "the buffer"
        raise MappingError(
            f"{fixed.place}: tile: pieces of {asked:,} elements take {taken:,} B of {memory}, two "
            f"at a time, which grants {budget.buffer_bytes:,} B; lower elements"
        )
    return pieces
