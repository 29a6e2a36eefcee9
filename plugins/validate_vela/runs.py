"""The runs of Vela: its operators of one network on one accelerator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codesign.validation import TableRow, parse_table, read_table

from .networks import NETWORKS
from .typed import OPERATORS, SUMMARY

FILES = ("npus/vela_per_operator.csv", "npus/vela_summary.csv")
COLUMNS = (
    *("model", "accelerator", "memory_mode", "operator_name", "npu_operator", "op_cycles"),
    *("dram_access_cycles", "off_chip_flash_access_cycles"),
)
SUMMARY_COLUMNS = (
    *("model", "accelerator_configuration", "memory_mode", "cycles_total"),
    "total_npu_encoded_weights",
)
MODES = ("Shared_Sram", "Sram_Only", "Dedicated_Sram")
_U85 = "the Ethos-U85 has other cells and an estimator of its own, which the engine does not model"


@dataclass(frozen=True, kw_only=True)
class Run:
    """One network on one accelerator.

    Attributes:
        model: its name.
        accelerator: configuration of the engine, such as ``u55-128``.
        mode: where images and weights lie, one of ``MODES``.
        cycles: of each operator by its name.
        off_chip: cycles of its off-chip memory by operator.
        padding: bytes that the tool's encoding adds to the weights of the network.
        total: cycles of the network.
        fused: operators of no cycles, which run with the one before.
        reason: why it is not compared; empty where it is.
    """

    model: str
    accelerator: str
    mode: str
    cycles: Mapping[str, int]
    off_chip: Mapping[str, int]
    padding: int
    total: int
    fused: int
    reason: str = ""

    @property
    def name(self) -> str:
        """Network, accelerator and memory mode."""
        return f"{self.model} on {self.accelerator} {self.mode}"


def rows(data: Path | None) -> Sequence[Run]:
    """The runs of the files, or the typed ones."""
    if data is None:
        operators = parse_table(OPERATORS, COLUMNS, "typed operators")
        summary = parse_table(SUMMARY, SUMMARY_COLUMNS, "typed networks")
    else:
        operators = read_table(data / FILES[0], COLUMNS)
        summary = read_table(data / FILES[1], SUMMARY_COLUMNS)
    grouped: dict[tuple[str, str, str], list[TableRow]] = {}
    for row in operators:
        key = row.text("model"), row.text("accelerator"), row.text("memory_mode")
        grouped.setdefault(key, []).append(row)
    return [_run(grouped.get(_key(row), []), row) for row in summary]


def _key(row: TableRow) -> tuple[str, str, str]:
    accelerator = row.text("accelerator_configuration").lower().replace("_", "-")
    return row.text("model"), accelerator, row.text("memory_mode")


def _run(operators: Sequence[TableRow], summary: TableRow) -> Run:
    model, accelerator, mode = _key(summary)
    if model not in NETWORKS:
        raise summary.fault("model", f"one of {', '.join(NETWORKS)}")
    is_u85 = accelerator.startswith("ethos-u85")
    if not is_u85 and mode not in MODES:
        raise summary.fault("memory_mode", f"one of {', '.join(MODES)}")
    counted = {row.text("operator_name"): row for row in operators if row.whole("op_cycles")}
    missing = [step.name for step in NETWORKS[model] if step.name not in counted]
    if missing and not is_u85:
        raise summary.fault("model", f"one whose operator {missing[0]!r} has a row of its own")
    raw = _raw(model)
    return Run(
        model=model,
        accelerator=accelerator.removeprefix("ethos-"),
        mode=mode,
        cycles={name: row.whole("op_cycles") for name, row in counted.items()},
        off_chip={
            name: row.whole("dram_access_cycles") + row.whole("off_chip_flash_access_cycles")
            for name, row in counted.items()
        },
        padding=summary.whole("total_npu_encoded_weights") - raw,
        total=summary.whole("cycles_total"),
        fused=len(operators) - len(counted),
        reason=_U85 if is_u85 else "",
    )


def _raw(model: str) -> int:
    """Bytes of all weights as they are."""
    total = 0
    for step in NETWORKS[model]:
        if step.kind != "add":
            inner = 1 if step.kind == "depthwise" else step.channels
            total += inner * step.filters * step.kernel**2
    return total
