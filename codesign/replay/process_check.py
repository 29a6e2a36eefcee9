"""Whether a process engine moved what its operator needs: the law that plans are held to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from codesign.errors import CodesignError
from codesign.workload.compulsory import alike, compulsory_bytes
from codesign.workload.record import Op


def check_process(
    op: Op, moves: Sequence[tuple[int, int, bool]], resident: tuple[bool, ...]
) -> None:
    """Checks the transfers of one run of an operator on a process engine that has ended.

    Args:
        op: the operator.
        moves: (operand, bytes, whether it is a load) of every transfer that it made.
        resident: for each operand, whether it lies in the engine's buffer and needs none.

    Raises:
        CodesignError: an input whose compulsory bytes were not all loaded, or an output whose
            bytes were not all stored. Inputs that read the same access need one load.
    """
    same = alike(op)
    there = {same[operand] for operand, here in enumerate(resident) if here}
    loaded: Counter[int] = Counter()
    stored: Counter[int] = Counter()
    for operand, size, load in moves:
        (loaded if load else stored)[same[operand]] += size
    for operand, access in enumerate(op.operands):
        if operand in there:
            continue
        if operand < len(op.inputs):
            got, least, call = loaded[operand], compulsory_bytes(op, operand), "ports.load"
        else:
            got, least, call = stored[operand], access.bytes, "ports.store"
        if got < least:
            raise CodesignError(
                f"{op.name}: its process ended after {got:,} B of operand {operand} "
                f"({access.tensor.name!r}), which has {least:,} B; every byte of it crosses once, "
                f"move it with {call}"
            )
