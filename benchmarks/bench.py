"""All benchmarks in one run, as ratios to recorded or installed peers.

Run ``python benchmarks/bench.py``, or with names of cases to measure only these and write nothing.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bench_cases import CASES
from bench_report import HEAD, Figure, as_json, as_page, cells, chosen, from_json, machine
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]


def main(names: list[str]) -> None:
    """Measures, prints one table, and after a whole run renews the files."""
    console = Console(width=150)
    try:
        cases = chosen(CASES, names)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    figures: list[Figure] = []
    start = time.perf_counter()
    for name, case in cases.items():
        console.print(f"{time.perf_counter() - start:4.0f} s  {name}", style="dim")
        figures += case()
    table = Table(*HEAD, title="figures, the least CPU seconds or the highest rate of several runs")
    for figure in figures:
        table.add_row(*cells(figure))
    console.print(table)
    if not names:
        text = as_json(figures, machine())
        (ROOT / "benchmarks" / "results.json").write_text(text)
        (ROOT / "docs" / "benchmarks.md").write_text(as_page(*from_json(text)))


if __name__ == "__main__":
    main(sys.argv[1:])
