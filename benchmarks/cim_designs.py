"""Macro designs per CPU second on one layer, in one call, against one call for each.

Run ``python benchmarks/cim_designs.py``.
"""

from __future__ import annotations

import time
from dataclasses import fields, replace

import numpy as np
from codesign_plugins.cim.designs import evaluate
from codesign_plugins.cim.sram import Sram
from codesign_plugins.cim.sram_analog import AnalogSram
from codesign_plugins.cim.sram_digital import DigitalSram
from rich.console import Console
from rich.table import Table

from codesign.testing import convolution

TARGET_PER_S = 1_000
ONE_BY_ONE = 200
"""Designs of the baseline: it is slow."""
LAYER = convolution(64, 64, 56, 3, padding=1)


def designs(count: int) -> dict[str, Sram]:
    """So many digital and analog macros of random sizes."""
    draw = np.random.default_rng(0)
    sizes = {
        "rows": 2 ** draw.integers(4, 11, count),
        "columns": draw.integers(8, 512, count),
        "input_bits": 2 ** draw.integers(0, 3, count),
    }
    return {
        "digital": DigitalSram(**sizes),
        "analog": AnalogSram(adc_bits=draw.integers(3, 11, count), **sizes),
    }


def single(many: Sram, place: int) -> Sram:
    """One of many designs."""
    varied = {field.name: getattr(many, field.name) for field in fields(many)}
    return replace(many, **{name: v[place] for name, v in varied.items() if np.ndim(v)})


def cpu_s(work: object, *arguments: object, **options: object) -> float:
    start = time.process_time()
    work(*arguments, **options)  # type: ignore[operator]
    return time.process_time() - start


def main() -> None:
    """Prints designs per CPU second, in one call and one by one."""
    table = Table("macro", "designs", "packing", "in one call, per s", "against one by one")
    for count in (1_000, 100_000):
        for kind, many in designs(count).items():
            ones = [single(many, place) for place in range(ONE_BY_ONE)]
            for pack in ("group", "diagonal"):
                rate = count / cpu_s(evaluate, LAYER, many, pack=pack)
                slow = sum(cpu_s(evaluate, LAYER, one, pack=pack) for one in ones) / ONE_BY_ONE
                table.add_row(kind, f"{count:,}", pack, f"{rate:,.0f}", f"{rate * slow:.0f} x")
    table.add_row("target", "", "", f"{TARGET_PER_S:,}", "")
    Console().print(table)


if __name__ == "__main__":
    main()
