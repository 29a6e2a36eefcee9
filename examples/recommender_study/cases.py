"""The cases of the recommender study: models, two machines, and which engine takes what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from codesign import Access, DType, Engines, Hardware, Op, Residency, Trace, load_hardware
from codesign.models import resolve_model
from codesign.workload.as_run import as_run

MODELS = (
    "dlrm",
    "nasrec_criteo_small",
    "nasrec_criteo_full",
    "nasrec_avazu_small",
    "nasrec_avazu_full",
    "nasrec_kdd_small",
    "nasrec_kdd_full",
)
"""All of them: traffic in closed form."""
REPLAYED = (*MODELS[:2], "nasrec_avazu_small", "nasrec_kdd_small")
"""With and without units next to the banks, at both batches of ``LINE``."""
IN_FULL = {MODELS[0]: (1,), MODELS[1]: (1,)}
"""With every case, at these batches."""
LINE = (1, 16)
"""Batches of those with and without units."""
CHANNELS = 8
"""Pseudo-channels of the HBM: 128 GB/s, and 512 outputs fill the units. With the 64 of the preset
it takes 4096 outputs, which no layer of these models has."""
BROAD = 128
"""Outputs from which on a rule gives a layer to the units, a quarter of what fills them."""
TAKEN = frozenset({"add", "relu"})
"""Functions that may stand behind a product that a rule gives away."""
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """A machine and how it is used.

    Attributes:
        name: what tables call it.
        precision: format of all numbers.
        engine: that broad layers go to by rules, "" for the host alone.
        resident: whether weights may stay on chip from run to run.
        chosen: whether the engine is chosen operator by operator instead of by rules.
    """

    name: str
    precision: str
    engine: str = ""
    resident: bool = False
    chosen: bool = False

    @property
    def machine(self) -> Hardware:
        """HBM with units next to its banks in fp16, RRAM macros and DDR4 in int8."""
        return _hbm() if self.precision == "fp16" else _rram()

    @property
    def residency(self) -> Residency:
        """What saves most traffic stays, for a run or for all of them."""
        return Residency("greedy", across_runs=self.resident)

    def engines(self, trace: Trace) -> Engines:
        """Which engine runs which operator of a trace."""
        if self.chosen:
            return Engines("alone")
        given = {op.name: self.engine for op in broad(trace)} if self.engine else {}
        return Engines("alone", rules={**given, "kind:contraction": "npu"})


HOST = Case("host", "fp16")
KEPT = Case("host, weights kept", "fp16", resident=True)
PIM = Case("PIM by rules", "fp16", engine="pim")
PLACED = Case("PIM by placement", "fp16", chosen=True)
HOST8 = Case("int8 host, weights kept", "int8", resident=True)
CIM = Case("RRAM by rules", "int8", engine="cim", resident=True)
CASES = (HOST, KEPT, PIM, PLACED, HOST8, CIM)


@cache
def _hbm() -> Hardware:
    return load_hardware("hbm-pim").with_all(
        {
            "dram.backend": "fluid",
            "dram.channels": CHANNELS,
            "pim.channels": CHANNELS,
            "bus.bandwidth": "128 GB/s",
        }
    )


@cache
def _rram() -> Hardware:
    return load_hardware(_HERE / "hardware" / "npu-rram.yaml")


@cache
def capture(model: str, batch: int) -> Trace:
    """A model for so many samples, in fp32 and with rows apart."""
    return spread(resolve_model(model, batch=batch))


def in_format(model: str, batch: int, precision: str) -> Trace:
    """The same in another format."""
    return as_run(capture(model, batch), DType.parse(precision))


def lookups(trace: Trace) -> Iterator[Op]:
    """Operators that look up rows of a table of weights."""
    for op, _ in trace.ops():
        if op.kind == "gather" and op.inputs[0].tensor.role == "weight":
            yield op


def spread(trace: Trace) -> Trace:
    """A trace whose lookups read rows evenly spread over their table.

    A captured lookup reads the first rows of a table in one piece, since which rows it reads is
    data; a DRAM would see one stream. Apart, each row begins a burst.
    """
    tables = {op.name: _apart(op.inputs[0]) for op in lookups(trace)}
    items = [
        replace(item, inputs=(tables[item.name], *item.inputs[1:]))
        if isinstance(item, Op) and item.name in tables
        else item
        for item in trace.items
    ]
    return trace.replace(items=tuple(items))


def _apart(rows: Access) -> Access:
    count, width = rows.elements // rows.tensor.shape[1], rows.tensor.shape[1]
    pitch = rows.tensor.shape[0] // count * width
    return Access(rows.tensor, (count, width), (pitch, 1))


def broad(trace: Trace) -> Iterator[Op]:
    """Layers that read one vector a sample and are broad enough for the units.

    The sparse layers of NASRec multiply 16 vectors a sample by the same weights.
    """
    first = next(lookups(trace))
    samples = first.outputs[0].elements // first.inputs[0].tensor.shape[1]
    for op, _ in trace.ops():
        if op.kind != "contraction" or op.inputs[1].tensor.role != "weight":
            continue
        _, vectors, _, outputs = op.gemm
        if vectors == samples and outputs >= BROAD and TAKEN.issuperset(op.functions):
            yield op
