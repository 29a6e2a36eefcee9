"""Validation: mappings of single operators beside those that ZigZag finds on the same hardware."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import codesign
from codesign import Op, Trace, hookimpl
from codesign.validation import Case, TableRow, Validation, parse_table, read_table

FILE = "costmodels/zigzag_cases.csv"
COLUMNS = ("case", "accelerator", "dims", "energy_pJ", "latency_cycles", "dram_bytes_total")
TYPED = """\
case,accelerator,dims,energy_pJ,latency_cycles,dram_bytes_total
edge_tpu_like__conv3x3_128_28,edge_tpu_like,\
"{B: 1, K: 128, C: 128, OY: 28, OX: 28, FY: 3, FX: 3}",64417458.2,127298,363008
meta_prototype__gemm_64x64x64,meta_prototype,"{B: 64, K: 64, C: 64}",1169218.6,1412,12288
tpu_like__gemm_512x512x512,tpu_like,"{B: 512, K: 512, C: 512}",102428278.8,163842,786432
tpu_resnet18:/layer3/layer3.0/conv2/Conv,tpu_like,\
"{B: 1, K: 256, G: 1, OX: 14, OY: 14, C: 256, FX: 3, FY: 3}",87358675.8,186122,690176
"""
"""Some of the cases, for those who do not have the file."""

PRESETS = {
    "tpu_like": "tpu-like",
    "edge_tpu_like": "edge-tpu-like",
    "meta_prototype": "meta-prototype-like",
}
_STRIDE_2 = ("s2_", ":/conv1/", "2.0/conv1/", "downsample")
"""In the names of convolutions whose stride is 2; the tool's dimensions do not say it."""


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """An operator that the tool has mapped for the least energy.

    Attributes:
        name: what the tool ran, on which architecture.
        preset: our hardware with the same cells, sizes, widths and energies.
        op: the operator, one byte an element.
        energy_j: joules of the tool's mapping.
        cycles: of the tool's mapping.
        moved: bytes across the off-chip port.
    """

    name: str
    preset: str
    op: Op
    energy_j: float
    cycles: int
    moved: int


def rows(data: Path | None) -> Sequence[Mapped]:
    """The operators of the file, or the typed ones."""
    found = read_table(data / FILE, COLUMNS) if data else parse_table(TYPED, COLUMNS, "typed cases")
    return [_mapped(row) for row in found]


def compare(mapped: Mapped) -> Iterator[Case]:
    """Energy, off-chip bytes and cycles of the operator alone."""
    tensors = tuple(access.tensor for access in mapped.op.operands)
    result = codesign.simulate(Trace("alone", (mapped.op,), tensors), mapped.preset)
    plan = result.placement.assignments()[0][0].plan
    note = plan.note if plan else ""
    yield Case(
        name=mapped.name,
        quantity="energy",
        unit="J",
        ours=result.energy_j,
        theirs=mapped.energy_j,
        note=note,
    )
    yield Case(
        name=mapped.name,
        quantity="off-chip traffic",
        unit="B",
        ours=sum(result.offchip_bytes.values()),
        theirs=mapped.moved,
    )
    yield Case(
        name=mapped.name,
        quantity="cycles",
        ours=round(result.latency_s * 1e9),  # a cycle is 1 ns on the presets
        theirs=mapped.cycles,
        note="theirs adds no loads that share a port, and may be below the port's bound",
    )


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Mapped]]:
    """Mappings for the least energy beside ZigZag's."""
    validation = Validation(
        title="energy, traffic and time of operators mapped for the least energy",
        source="own runs of zigzag-dse 3.9.1 (MIT) on hardware files of its repository",
        note="nothing is fitted; the same sizes, widths and energies on both sides. Less: taps "
        "packed beside channels, padding not read. More: room for the next weights",
        rows=rows,
        compare=compare,
        files=(FILE,),
    )
    return {"mapping": validation}


def _mapped(row: TableRow) -> Mapped:
    if row.text("accelerator") not in PRESETS:
        raise row.fault("accelerator", f"one of {', '.join(PRESETS)}")
    return Mapped(
        name=row.text("case"),
        preset=PRESETS[row.text("accelerator")],
        op=_operator(row),
        energy_j=row.number("energy_pJ") * 1e-12,
        cycles=row.whole("latency_cycles"),
        moved=row.whole("dram_bytes_total"),
    )


def _operator(row: TableRow) -> Op:
    # every command loads every plugin, and the kit is large
    from codesign.testing import convolution, matmul

    sizes = {name: int(size) for name, size in re.findall(r"(\w+): *(\d+)", row.text("dims"))}
    groups = sizes.get("G", 1)
    if "FX" not in sizes:
        known = {"B", "C", "K"} <= sizes.keys()
        if not known or 0 in sizes.values():
            raise row.fault("dims", "sizes B, C and K of a matrix product, each at least 1")
        return matmul(sizes["B"], sizes["C"], sizes["K"], batch=groups)
    if not {"OX", "FX"} <= sizes.keys() or 0 in sizes.values():
        raise row.fault("dims", "sizes OX and FX of a square convolution, each at least 1")
    stride = 2 if any(part in row.text("case") for part in _STRIDE_2) else 1
    channels, filters = (groups * sizes.get(name, 1) for name in ("C", "K"))
    kernel = sizes["FX"]
    return convolution(
        channels, filters, stride * sizes["OX"], kernel, stride, kernel // 2, groups=groups
    )
