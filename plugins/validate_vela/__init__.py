"""Validation: the Ethos-U engine beside the estimates of Arm's own compiler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import codesign
from codesign import Hardware, Residency, hookimpl, load_hardware
from codesign.result.result import Result
from codesign.units import PS_PER_S
from codesign.validation import Case, NotRun, Validation

from .networks import NETWORKS, trace_of
from .runs import FILES, Run, rows

__all__ = ["codesign_validations", "compare", "rows"]

_PRESETS = {"u55": "ethos-u55-256", "u65": "ethos-u65-512"}
_CHOSEN = "ds_cnn_like_49x10x1"
"""The network in view of which it was chosen how many tiles are fetched ahead."""
_ROOM = "48 MiB"
"""The tool's memory modes bound the SRAM by the address space; so much is as good."""


def machine(run: Run) -> Hardware:
    """The hardware of a run: the preset of its family with another configuration."""
    settings = {"npu.configuration": run.accelerator, "sram.size": _ROOM}
    return load_hardware(_PRESETS[run.accelerator[:3]]).with_all(settings)


def simulated(run: Run, hardware: Hardware) -> Result:
    """One inference, with images and weights where the memory mode has them.

    Of an Ethos-U55 the input lies in the SRAM before the run, and the output after it: both are
    states that stay from run to run.
    """
    is_shared = run.mode != "Dedicated_Sram"
    trace = trace_of(run.model, ("state", "state") if is_shared else ("input", "output"))
    kept = ["activation", *(["state"] if is_shared else [])]
    kept += ["weight"] if run.mode == "Sram_Only" else []
    used = {access.tensor.role for op, _ in trace.ops() for access in op.operands}
    pins = tuple(f"role:{role}" for role in kept if role in used)
    residency = Residency("pinned", pins, across_runs=True) if pins else Residency("none")
    rules = {"*": "npu"}  # the tool leaves nothing to the host
    return codesign.simulate(
        trace, hardware, residency=residency, engines=codesign.Engines(rules=rules)
    )


def compare(run: Run) -> Iterator[Case | NotRun]:
    """Cycles of every operator and of the network, and off-chip cycles of a linear layer."""
    if run.reason:
        yield NotRun(name=run.name, reason=run.reason)
        return
    hardware = machine(run)
    result = simulated(run, hardware)
    (npu,) = (part for part in hardware.engines if part.kind == "ethos_u")
    clock_hz: float = npu.clock  # type: ignore[attr-defined]  # the kind has one
    found = {name: round(ticks * clock_hz / PS_PER_S) for name, ticks in durations(result).items()}
    compared = [(f"{run.name} {name}", "cycles", found[name], n) for name, n in run.cycles.items()]
    if len(run.cycles) > 1:
        compared.append((run.name, "network cycles", sum(found.values()), run.total))
    for name, quantity, ours, theirs in compared:
        yield Case(
            name=name,
            quantity=quantity,
            ours=ours,
            theirs=theirs,
            calibrated=run.model == _CHOSEN,
        )
    yield from _roofline(run, result, hardware, clock_hz)
    if run.fused:
        reason = f"{run.fused} operators of no cycles in the tool: fused into the one before"
        yield NotRun(name=run.name, reason=reason)


def durations(result: Result) -> dict[str, int]:
    """Ticks of each operator: from the end of the one before to its own.

    What stays for ever is there before the first one.
    """
    found, before = {}, 0
    for span in result.replay.spans:
        if not span.assignment.op.name.startswith("setup."):
            found[span.assignment.op.name] = span.end - before
        before = span.end
    return found


def _roofline(run: Run, result: Result, hardware: Hardware, clock_hz: float) -> Iterator[Case]:
    """Off-chip bytes over the rate, where the tool has a linear layer bound by them.

    Its bytes are those of the weights as encoded; what the encoding adds is taken off.
    """
    for step in NETWORKS[run.model]:
        bound = run.off_chip[step.name]
        if step.kind == "linear" and bound == run.cycles[step.name]:
            home = hardware.home("npu")
            bytes_per_cycle = home.bandwidth / clock_hz  # type: ignore[attr-defined]  # it has one
            moved = sum(n for role, n in result.offchip_bytes.items() if role != "state")
            yield Case(
                name=f"{run.name} {step.name}",
                quantity="off-chip cycles",
                ours=moved / bytes_per_cycle,
                theirs=bound - run.padding / bytes_per_cycle,
                note=f"less {run.padding} B that the tool's encoding adds to the raw weights; it "
                "reads again, for every block of a cut image, what is held here",
            )


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Run]]:
    """Operators and networks on Ethos-U NPUs."""
    validation = Validation(
        title="cycles of operators and networks on Ethos-U NPUs",
        source="own runs of Arm Vela 5.2.0 (ethos-u-vela, Apache-2.0), an estimator, no silicon",
        note="how many tiles are fetched ahead was chosen in view of ds_cnn_like, whose figures "
        "count as calibrated; 16 instead of 4 moves mobilenet by less than 2 %, and nothing is "
        "fitted to it or to a layer. Less: blocks at an edge are not fetched whole, linear images "
        "not in short runs. More: weights that one operator alone cannot hide",
        rows=rows,
        compare=compare,
        files=FILES,
    )
    return {"vela": validation}
