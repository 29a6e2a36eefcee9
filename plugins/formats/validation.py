"""Validation: bits and bytes of tensors in codecs, beside computed and published ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from codesign.validation import Case, TableRow, Validation, parse_table, read_table

from .sizes import BreakEven, Part, Size

FILE = "sparse/storage_bits.csv"
CODECS = {
    "bits_dense_bits": "dense",
    "bits_bitmask": "bitmap",
    "bits_csr_12bit_col": "csr",
    "bits_rle4": "rle4",
    "bits_rle5": "rle5",
    "bits_coo_2x12": "coo",
    "bits_two_four": "2:4",
}
"""The column of the file that each codec is compared with."""

TYPED = """\
value_bits,density,bits_dense_bits,bits_bitmask,bits_csr_12bit_col,bits_rle4,bits_rle5,bits_coo_2x12,bits_two_four
16,0.500,16,9.000,14.008,10.000,10.500,20.000,9.000
8,0.200,8,2.600,4.008,2.470,2.602,6.400,5.000
4,0.050,4,1.200,0.808,0.714,0.558,1.400,3.000
"""
"""Some of the rows, for those who do not have the file."""

SQUARE = (4096, 4096)
"""The matrix of the file: columns of 12 bits, and 32 / 4096 bits of an offset for an element."""


def rows(data: Path | None) -> Sequence[Size | BreakEven]:
    """Bits of codecs from the file or the typed rows, and the sizes that need no file."""
    columns = ("value_bits", "density", *CODECS)
    found = read_table(data / FILE, columns) if data else parse_table(TYPED, columns, "typed rows")
    bits = [size for row in found for size in _bits(row)]
    return [*bits, *_shares(), BreakEven(), *_pruned(), *_llama(), _linear()]


def compare(row: Size | BreakEven) -> Iterator[Case]:
    """One size."""
    yield row.outcome()


STORAGE = Validation(
    title="bits and bytes of sparse and quantised tensors in their codecs",
    source="bits computed by closed forms; Llama-3-8B: torchao (pytorch/ao, BSD-3), README of "
    "quantization at 03d01ad and of sparsity at 6c72aa3; 2:4: torch; int4 linear: torchao 0.18.0",
    note="nothing is fitted; bits and shares are rounded to the three digits of the references",
    rows=rows,
    compare=compare,
    files=(FILE,),
)
"""The family ``sparse-storage``."""


def _bits(row: TableRow) -> Iterator[Size]:
    """All codecs of one row of the file."""
    width, density = row.whole("value_bits"), row.number("density")
    if not 1 <= width <= 128:
        raise row.fault("value_bits", "1 to 128")
    if not 0 < density <= 1:
        raise row.fault("density", "above 0 and at most 1")
    for column, codec in CODECS.items():
        if row.number(column) <= 0:
            raise row.fault(column, "above 0")
        zeros = "2:4" if codec == "2:4" else str(density)
        yield Size(
            name=f"{codec}, int{width}, density {density:g}",
            quantity="bits of an element",
            theirs=row.number(column),
            parts=(Part(shape=SQUARE, dtype=f"int{width}", codec=codec, zeros=zeros),),
            note="half of the values, at any density" if codec == "2:4" else "",
        )


def _shares() -> Iterator[Size]:
    """Codecs of weights with zeros at 50, 70 and 90 %: bits over 8, from the same closed forms."""
    published = {
        "bitmap": (0.625, 0.425, 0.225),
        "rle4": (0.750, 0.452, 0.184),
        "bitmap-8x1": (0.516, 0.316, 0.116),
    }
    for codec, shares in published.items():
        for density, share in zip(("0.5", "0.3", "0.1"), shares, strict=True):
            zeros = f"block 8x1 {density}" if codec == "bitmap-8x1" else density
            yield Size(
                name=f"{codec}, int8, {1 - float(density):.0%} zeros",
                quantity="share of dense",
                theirs=share,
                parts=(Part(shape=SQUARE, dtype="int8", codec=codec, zeros=zeros),),
            )


def _pruned() -> Iterator[Size]:
    """What torch makes of a matrix of 128 x 128 by ``to_sparse_semi_structured``."""
    for dtype, data in (("fp16", 16384), ("int8", 8192)):
        for quantity, theirs in (("data", data), ("metadata", 2048)):
            yield Size(
                name=f"{dtype} 128 x 128 to 2:4",
                quantity=quantity,
                theirs=theirs,
                parts=(Part(shape=(128, 128), dtype=dtype, codec="2:4", zeros="2:4"),),
            )


LINEARS = {
    (4096, 4096): 2 * 32,
    (1024, 4096): 2 * 32,
    (14336, 4096): 2 * 32,
    (4096, 14336): 32,
    (128256, 4096): 1,
}
"""Weights of the linear layers of Llama-3-8B with how many there are; the last is the head."""

NORMS = {(4096,): 2 * 32 + 1}
"""Its scales of normalisation. The token embedding is not counted in the published sizes."""


def _llama() -> Iterator[Size]:
    """Published sizes of the model, in GB of 1e9 bytes, without the token embedding."""
    methods = {
        # name: bytes, format of a weight by the length of its rows, codec, what is kept
        "bf16": (15.01e9, "bf16", "dense", "bf16"),
        "int8": (7.52e9, "int8[{}x80]", "dense", "int8, a row with 16 b scale, 64 b zero point"),
        "int4 g64": (4.22e9, "int4[64x32]", "dense", "int4, 64 with 16 b scale, 16 b zero point"),
        "int4 g64 + 2:4": (3.05e9, "int4[64x16]", "2:4", "int4 in 2:4, 64 with 16 b scale"),
    }
    norms = tuple(Part(shape=shape, dtype="bf16", count=count) for shape, count in NORMS.items())
    for name, (theirs, dtype, codec, kept) in methods.items():
        zeros = "2:4" if codec == "2:4" else ""
        linears = tuple(
            Part(shape=shape, dtype=dtype.format(shape[1]), codec=codec, zeros=zeros, count=count)
            for shape, count in LINEARS.items()
        )
        yield Size(
            name=f"Llama-3-8B {name}",
            quantity="stored",
            theirs=theirs,
            parts=(*linears, *norms),
            note=f"weights of all linear layers and of the head as {kept}; norms as bf16; the "
            "token embedding is not counted",
        )


def _linear() -> Size:
    """A linear layer of 256 to 128 with a bias, as torchao keeps it by channel."""
    weight, bias = Part(shape=(128, 256), dtype="int4[256x40]"), Part(shape=(128,), dtype="fp32")
    naive = Part(shape=weight.shape, dtype="fp32").bytes + bias.bytes
    return Size(
        name="int4 linear 256 to 128 with bias",
        quantity="stored",
        theirs=17536,
        parts=(weight, bias),
        note="16,384 B values, 512 B scales, 128 B zero points, 512 B bias; elements times "
        f"element_size of the weight, which calls itself fp32, are {naive:,} B",
    )
