"""The cases of ``bench.py``: each measures when it is called and yields its figures."""

from __future__ import annotations

import gc
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench_report import MORE, Case, Figure

if TYPE_CHECKING:
    from codesign import Trace

ROOT = Path(__file__).resolve().parents[1]
TRACE = ROOT / "traces" / "v1_sample.json"
RUNS = 5
MEASURED = "this run"
HELP_S, SIMULATE_S = 0.4, 1.5
"""CPU seconds that a first answer may take."""


LONG_STEPS = 320
"""Feature steps of 10 ms."""


def cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def least_s(work: Callable[[], object], runs: int = RUNS) -> float:
    """The least CPU seconds of some calls."""
    return min(cpu_s(work) for _ in range(runs))


def command_s(arguments: list[str], bytecode: str) -> float:
    """CPU seconds of a command of its own process, whose bytecode lies in a folder."""
    ours = {name: v for name, v in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    code = "from codesign.cli import main; main()"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", code, *arguments],
        check=True,
        capture_output=True,
        env={**ours, "PYTHONPYCACHEPREFIX": bytecode},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def first_answer() -> Iterator[Figure]:
    """From the shell to the help, and from a trace file to a result."""
    simulate = ["simulate", str(TRACE), "--hardware", "tpu-like"]
    for what, arguments, budget_s in (
        ("codesign --help", ["--help"], HELP_S),
        ("codesign simulate, trace file to report", simulate, SIMULATE_S),
    ):
        with tempfile.TemporaryDirectory() as bytecode:
            cold = command_s(arguments, bytecode)
            warm = min(command_s(arguments, bytecode) for _ in range(RUNS))
        source = "what a user may wait; first time: no bytecode is there"
        yield Figure(what, warm, "CPU s", "budget", budget_s, source, cold)


def resnet18() -> Iterator[Figure]:
    """Mapping, replay and result of ResNet-18 on the array that ZigZag calls tpu_like."""
    from mapping_speed import ZIGZAG_S

    from codesign import load_hardware, simulate
    from codesign.mapping.kept import forget_all
    from codesign.models import resolve_model

    trace = resolve_model("resnet18")
    gc.freeze()  # torch leaves a million objects, which are no part of it

    def once() -> float:
        machine = load_hardware("tpu-like")
        forget_all()  # nothing has been planned before
        return cpu_s(partial(simulate, trace, machine))

    cold = once()
    warm = min(once() for _ in range(RUNS))
    source = "own run of zigzag-dse 3.9.1, its 21 products only, one core of a shared server"
    yield Figure("ResNet-18, map and replay", warm, "CPU s", "ZigZag", ZIGZAG_S, source, cold)


def gemm() -> Iterator[Figure]:
    """A product of 2048 x 2048 x 2048 with the tiles of ONNXim."""
    from codesign_plugins.validate_onnxim import rows
    from onnxim_speed import ONNXIM_S, cpu_seconds

    run = next(run for run in rows(None) if run.name.split()[0] == "g2048")
    taken = cpu_seconds([run], is_searched=False)
    source = "own run of ONNXim a1e8629, its simulation loop only, one core of a shared server"
    yield Figure("GEMM 2048, ONNXim's tiles", taken, "CPU s", "ONNXim", ONNXIM_S["g2048"], source)


def decode() -> Iterator[Figure]:
    """Tokens of Llama 3.1 8B in int8 on edge-npu with a 256 KiB scratchpad."""
    from decode_token import idiomatic_s

    import codesign
    from codesign.mapping.place import place
    from codesign.models import resolve_model
    from codesign.replay.run import replay
    from codesign.workload.precision import with_precision
    from codesign.zoo.llama_tokens import decode_tokens

    captured = resolve_model("llama_3_1_8b_decode", seq_len=2048)
    gc.freeze()
    hardware = codesign.load_hardware("edge-npu").with_("sram.size", "256 KiB")
    tile_s = 0.0
    for count in (1, 128):
        trace = with_precision(decode_tokens(captured, count), "int8")
        placement = place(trace, hardware)
        cold = cpu_s(partial(replay, placement, hardware))
        warm = min(cold, least_s(partial(replay, placement, hardware), 3 if count == 1 else 1))
        runs = placement.assignments()
        tiles = sum(a.plan.tiles * times for a, times in runs if a.plan)
        if not tile_s:
            tile_s = idiomatic_s(runs, hardware.links[0].bytes_per_s, tiles) / tiles
        what = f"Llama 3.1 8B, replay of {count} token{'s' * (count > 1)}, {tiles:,} tiles"
        source = f"{MEASURED}: load, compute and store as SimPy processes, 8,000 tiles, scaled"
        yield Figure(what, warm, "CPU s", "idiomatic SimPy", tile_s * tiles, source, cold)


def transactions() -> Iterator[Figure]:
    """The bank kernel on a DDR4 under every kind of stream."""
    from dataclasses import replace

    from bank_kernel import RECORDED_PER_S, REQUESTS, devices, kernel_s

    from codesign.memory import STREAMS, stream, warm_up
    from codesign.memory.compiled import has_compiler

    (_, device, _), count = next(iter(devices(None))), REQUESTS[has_compiler()]
    warm_up(device)
    seconds = 0.0
    for pattern in STREAMS:
        made = stream(pattern, count, device.organisation.transaction_bytes)
        made = replace(made, address=made.address % device.organisation.capacity_bytes)
        seconds += min(kernel_s(device, made)[1] for _ in range(RUNS))
    how = "compiled" if has_compiler() else "plain Python, without numba"
    rate = count * len(STREAMS) / seconds
    source = "mean of 102 recorded runs of 2981759 on a shared server"
    what = f"DRAM transactions, DDR4, bank kernel {how}"
    yield Figure(what, rate, "per CPU s", "DRAMsim3", RECORDED_PER_S, source, better=MORE)


def cim() -> Iterator[Figure]:
    """Designs of macros that compute in memory, on one layer in one call."""
    from cim_designs import LAYER, designs, single
    from codesign_plugins.cim.designs import evaluate

    count, alone = 20_000, 50
    for kind, many in designs(count).items():
        cold = count / cpu_s(partial(evaluate, LAYER, many))
        rate = count / least_s(partial(evaluate, LAYER, many), 3)
        ones = [single(many, place) for place in range(alone)]
        slow = alone / least_s(lambda ones=ones: [evaluate(LAYER, one) for one in ones], 2)
        yield Figure(
            f"CIM designs, {kind}, {count:,} in one call",
            rate,
            "per CPU s",
            "one call each",
            slow,
            MEASURED,
            cold,
            MORE,
        )


def points() -> Iterator[Figure]:
    """Bounds and replays of a small part of the grid of ``pruned_front.py``."""
    import pruned_front

    import codesign
    from codesign.hardware.spec import load_hardware

    made = pruned_front.study(["lstm"], [512, 640], [6])
    with tempfile.TemporaryDirectory() as folder:
        count, rate, _ = pruned_front.bounds_per_s(made, Path(folder) / "bounds")
    hardware = load_hardware("edge-npu").with_("npu.rows", 64)
    schedules = ("time-major", "layer-major:4", "layer-major:16")

    def replays(trace: Trace, *, exact_events: bool = False) -> float:
        start = time.process_time()
        for schedule in schedules:
            codesign.simulate(trace, hardware, schedule=schedule, exact_events=exact_events)
        return len(schedules) / (time.process_time() - start)

    short = pruned_front.encoder("lstm", 512, 6)
    best = max(replays(short) for _ in range(3))
    unit = "points per CPU s"
    yield Figure(f"bounds, {count:,} points", rate, unit, "replays", best, MEASURED, better=MORE)
    long = pruned_front.encoder("lstm", 512, 6, steps=LONG_STEPS)
    cold = replays(long)
    best = max(replays(long) for _ in range(3))
    every = replays(long, exact_events=True)
    what = f"map and replay, recogniser, {LONG_STEPS / 100:g} s of sound"
    baseline = "every event handled"
    yield Figure(what, best, unit, baseline, every, MEASURED, cold, MORE)


def capture() -> Iterator[Figure]:
    """Lowering to a trace on top of what the export of torch takes."""
    from zoo_capture import measure

    measure("rnnt_8x640_joiner")  # whatever torch loads on first use
    rows = [measure("resnet18") for _ in range(3)]
    source = f"{MEASURED}: torch.export.export of the same model, which capture calls, too"
    yield Figure(
        "ResNet-18, capture",
        min(row.capture_s for row in rows),
        "CPU s",
        "torch.export",
        min(row.export_s for row in rows),
        source,
        rows[0].capture_s,
    )


CASES: dict[str, Case] = {
    "first-answer": first_answer,
    "gemm": gemm,
    "transactions": transactions,
    "cim": cim,
    "points": points,
    "resnet18": resnet18,
    "capture": capture,
    "decode": decode,
}
"""By name, those that need no torch before those that do."""
