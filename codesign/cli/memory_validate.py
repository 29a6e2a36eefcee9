"""``codesign memory validate``: the kernel and its windows against recorded runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codesign.cli.options import Json
from codesign.cli.output import print_json, print_rich, progress, table

if TYPE_CHECKING:
    from codesign.memory.reference import Comparison


def validate(
    data: Annotated[
        Path,
        typer.Option(
            help="Folder with device_params.json, dramsim3.csv and ramulator21.csv.", metavar="DIR"
        ),
    ],
    json: Json = False,
) -> None:
    """Replay recorded runs of DRAMsim3 and Ramulator 2.1, and print the signed errors."""
    from codesign.memory.reference import (
        compare,
        compare_window,
        device_of,
        reference_cases,
        reference_devices,
    )

    devices = reference_devices(data)
    cases = list(reference_cases(data))
    found: list[Comparison] = []
    windows: list[Comparison] = []
    with progress("compiling the memory kernel", "replaying recorded runs", quiet=json) as watch:
        for case in cases:
            device = device_of(case, devices)
            found.append(compare(case, device))
            windows.append(compare_window(case, device))
            if watch:
                watch(len(found), len(cases))
    if json:
        print_json([_case(*pair) for pair in zip(found, windows, strict=True)])
        return
    heads = ("=tool", "=device", "=quantity", ">runs", ">mean", ">median", ">largest", ">signed")
    print_rich(
        table("Errors of the bank kernel", heads, list(_rows(found))),
        "",
        table("Errors of a window of it, saturating runs", heads, list(_rows(windows))),
        "errors: ours / theirs - 1; mean, median and largest of magnitudes; nothing is fitted",
    )


def _case(one: Comparison, window: Comparison) -> dict[str, object]:
    case = one.case
    return {
        "tool": case.tool,
        "device": case.config,
        "stream": case.stream,
        "requests": case.requests,
        "load": case.load,
        "errors": dict(one.errors),
        "window_errors": dict(window.errors),
    }


def _rows(found: Sequence[Comparison]) -> Iterator[tuple[str, ...]]:
    """A row for each quantity of each device, then of each tool."""
    from codesign.memory.reference import QUANTITIES, summarise

    devices = dict.fromkeys((one.case.tool, one.case.config) for one in found)
    groups = [*devices, *((tool, "all") for tool in dict.fromkeys(tool for tool, _ in devices))]
    for tool, device in groups:
        mine = [
            one for one in found if one.case.tool == tool and device in (one.case.config, "all")
        ]
        for quantity in QUANTITIES:
            total = summarise(mine, quantity)
            if total.cases:
                shares = (total.mean, total.median, total.largest)
                yield (
                    tool,
                    device,
                    quantity.replace("_", " "),
                    str(total.cases),
                    *(f"{100 * share:.3f} %" for share in shares),
                    f"{100 * total.signed_mean:+.3f} %",
                )
