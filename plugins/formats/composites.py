"""The codecs that ship: stacks of ranks, slots of n in m, and code books."""

from __future__ import annotations

from codesign.workload.formats import Format
from codesign.workload.ranks import CP, UOP, B, U
from codesign.workload.run_length import RLE
from codesign.workload.stack import ALL, BLOCK, Rank, Stack

from .slots import CodeBook, Slots

_ALL = (
    Stack(
        name="dense",
        description="every element",
        ranks=(Rank(U()),),
    ),
    Stack(
        name="bitmap",
        description="a bit for every element, then the non-zeros",
        ranks=(Rank(B()),),
    ),
    Stack(
        name="bitmap-8x1",
        description="a bit for every 8 rows of a column, then those with a non-zero",
        ranks=(Rank(B(), (8, 1)), Rank(U())),
    ),
    Stack(
        name="csr",
        description="a 32-bit offset for every row, the column beside every non-zero",
        ranks=(Rank(UOP(32), (1, ALL)), Rank(CP())),
    ),
    Stack(
        name="bsr",
        description="as csr, for blocks: those in which the zeros come",
        ranks=(Rank(UOP(32), (BLOCK, ALL)), Rank(CP(), (BLOCK, BLOCK)), Rank(U())),
    ),
    Stack(
        name="coo",
        description="row and column beside every non-zero",
        ranks=(Rank(CP()),),
    ),
    *(
        Stack(
            name=f"rle{width}",
            description=f"before every non-zero the zeros since the last, in {width} bits",
            ranks=(Rank(RLE(width)),),
        )
        for width in (4, 5)
    ),
    Slots(name="n:m", description="the n:m of the zeros: n values and their places"),
    Slots(name="2:4", description="2 values of every 4 with 2-bit places", n=2, m=4),
    *(
        CodeBook(
            name=f"codebook{bits}",
            description=f"a number of {bits} bits for every element, and {1 << bits} values",
            index_bits=bits,
        )
        for bits in range(1, 9)
    ),
)
FORMATS: dict[str, Format] = {one.name: one for one in _ALL}
FORMATS["bitmask"] = FORMATS["bitmap"]
"""Every codec by its name; ``bitmask`` is what others call ``bitmap``."""
