"""Validation: off-chip bytes of matrix products that two analytical tools keep compulsory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import codesign
from codesign import Op, Trace, hookimpl
from codesign.validation import (
    Case,
    NotRun,
    TableRow,
    Validation,
    parse_table,
    read_table,
)

FILE = "costmodels/compulsory_traffic.csv"
HARDWARE = "edge-npu"
COLUMNS = ("case", "tool", "groups", "M", "K", "N", "reported_total_bytes", "equal")
TYPED = """\
case,tool,groups,M,K,N,reported_total_bytes,equal
meta_prototype__lstm_gates_b32_32x1024x512,zigzag-dse 3.9.1,1,32,512,1024,573440,True
tpu_like__attn_qk_h12_s256_d64,zigzag-dse 3.9.1,12,256,64,256,1179648,True
tpu_like__gemm_512x512x512,zigzag-dse 3.9.1,1,512,512,512,786432,True
tpu_mv4096,accelforge 1.0.467,1,1,4096,4096,16785408,True
"""
"""Some of the cases, for those who do not have the file."""


@dataclass(frozen=True, kw_only=True)
class Product:
    """A batched matrix product that a tool has mapped.

    Attributes:
        name: what the tool ran, on which architecture.
        tool: the tool and its version.
        op: the product, one byte an element.
        moved: bytes across the off-chip port.
        is_compulsory: whether these are each operand once.
    """

    name: str
    tool: str
    op: Op
    moved: int
    is_compulsory: bool


def rows(data: Path | None) -> Sequence[Product]:
    """The products of the file, or the typed ones."""
    found = read_table(data / FILE, COLUMNS) if data else parse_table(TYPED, COLUMNS, "typed cases")
    return [_product(row) for row in found]


def compare(product: Product) -> Iterator[Case | NotRun]:
    """Bytes that off-chip memory moves for the product alone."""
    if not product.is_compulsory:
        yield NotRun(
            name=product.name, reason="the tool's mapping moves more than the compulsory bytes"
        )
        return
    tensors = tuple(access.tensor for access in product.op.operands)
    result = codesign.simulate(Trace("alone", (product.op,), tensors), HARDWARE)
    yield Case(
        name=product.name,
        quantity="off-chip traffic",
        unit="B",
        ours=sum(result.offchip_bytes.values()),
        theirs=product.moved,
        note=product.tool,
    )


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Product]]:
    """Off-chip bytes in the compulsory regime."""
    validation = Validation(
        title="off-chip bytes of matrix products where each operand crosses once",
        source="own runs of zigzag-dse 3.9.1 and accelforge 1.0.467 (both MIT)",
        note=f"nothing is fitted; ours on the preset {HARDWARE}, theirs on architectures of their "
        "own: the bytes are those of the operands",
        rows=rows,
        compare=compare,
        files=(FILE,),
    )
    return {"traffic": validation}


def _product(row: TableRow) -> Product:
    # every command loads every plugin, and the kit is large
    from codesign.testing import matmul

    sizes = {column: row.whole(column) for column in ("groups", "M", "K", "N")}
    for column, size in sizes.items():
        if not size:
            raise row.fault(column, "at least 1")
    if row.text("equal") not in ("True", "False"):
        raise row.fault("equal", "True or False")
    return Product(
        name=row.text("case"),
        tool=row.text("tool"),
        op=matmul(sizes["M"], sizes["K"], sizes["N"], batch=sizes["groups"]),
        moved=row.whole("reported_total_bytes"),
        is_compulsory=row.text("equal") == "True",
    )
