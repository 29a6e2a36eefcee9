"""Capture of the whole zoo: CPU-seconds and coverage per model.

Run ``python benchmarks/zoo_capture.py [MODEL ...]``. The baseline of a model is a plain
``torch.export`` of it in the same process; the rest is decomposition, lowering and fusion.
The target is 90 CPU-seconds for the zoo, baseline not counted, and full coverage of every model.
"""

from __future__ import annotations

import logging
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from rich import box
from rich.console import Console
from rich.table import Table

from codesign.models import list_models, resolve_model
from codesign.workload.record import Trace

TARGET_S = 90.0
WIDTH = 100
T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One model: its trace, and the CPU-seconds of its capture and of the plain export."""

    trace: Trace
    capture_s: float
    export_s: float


def cpu_seconds(action: Callable[[], T]) -> tuple[T, float]:
    """The result of ``action`` and the CPU time it took."""
    start = time.process_time()
    return action(), time.process_time() - start


def measure(name: str) -> Row:
    """Captures one zoo model both ways."""
    # capture comes first, so that whatever torch loads on first use is charged to it
    trace, capture_s = cpu_seconds(lambda: resolve_model(name))
    module, args, kwargs = list_models()[name].example(name, {})
    with torch.no_grad():
        _, export_s = cpu_seconds(lambda: torch.export.export(module, args, kwargs, strict=False))
    return Row(trace, capture_s, export_s)


def table(rows: dict[str, Row], warm_up_s: float) -> Table:
    """All rows, the total and the verdict."""
    result = Table(
        *("model", "GMAC", "ops", "coverage", "export s", "capture s", "ratio"),
        box=box.SIMPLE,
        padding=(0, 1),
    )
    for column in result.columns:
        column.no_wrap = True
        column.justify = "right" if column.header != "model" else "left"
    for name, row in rows.items():
        operators = sum(1 for _ in row.trace.ops())
        result.add_row(
            name,
            f"{row.trace.macs / 1e9:.4f}",
            str(operators),
            f"{row.trace.coverage.share:.1%}",
            f"{row.export_s:.2f}",
            f"{row.capture_s:.2f}",
            f"{row.capture_s / row.export_s:.2f}",
        )
    exports = sum(row.export_s for row in rows.values())
    captures = sum(row.capture_s for row in rows.values())
    result.add_section()
    result.add_row("first use", "", "", "", "", f"{warm_up_s:.2f}", "")
    lowest = min(row.trace.coverage.share for row in rows.values())
    total = captures + warm_up_s
    ratio = f"{captures / exports:.2f}"
    result.add_row("zoo", "", "", f"{lowest:.1%}", f"{exports:.2f}", f"{total:.2f}", ratio)
    result.caption = f"{total / TARGET_S:.0%} of the target of {TARGET_S:.0f} CPU-seconds"
    return result


def main(names: list[str]) -> None:
    """Measures the named models, or all."""
    warnings.simplefilter("ignore")
    logging.getLogger("torch").setLevel(logging.CRITICAL)
    _, warm_up_s = cpu_seconds(lambda: resolve_model("rnnt_8x640_joiner"))
    rows = {name: measure(name) for name in names or list_models()}
    Console(width=WIDTH).print(table(rows, warm_up_s))


if __name__ == "__main__":
    main(sys.argv[1:])
