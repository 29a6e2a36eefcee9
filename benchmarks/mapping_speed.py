"""ResNet-18 on the array that ZigZag calls tpu_like: our CPU time and energy beside its own.

Run ``python benchmarks/mapping_speed.py``. Ours is a whole ``simulate`` of a loaded trace on a
loaded preset: mapping, replay, result, the additions and the pooling included. ZigZag's figures are
an own run of zigzag-dse 3.9.1 on the 21 convolutions and products of the network, without biases
and additions, on one core of a shared x86-64 server; read its seconds as +-30 %. Energies are
compared on the same 21 without what is fused to them. All plans and replays that are kept are
forgotten before each call; nothing of ours outlives a call but the ways to cut a loop, which the
first call fills.
"""

from __future__ import annotations

import gc
import time
from dataclasses import replace

from rich.console import Console

from codesign import Op, Trace, load_hardware, simulate
from codesign.mapping.kept import forget_all
from codesign.models import resolve_model

RUNS = 10
ZIGZAG_S, ZIGZAG_PJ = 90.7, 1.8604e9
TARGET_S = 0.1


def bare(op: Op) -> Trace:
    """A trace of one product without what is fused to it."""
    nest = op.loops
    kept = (*nest.operands[:2], *nest.operands[len(op.inputs) :])
    image, weight = op.inputs[:2]
    given = replace(image, tensor=replace(image.tensor, role="input"))
    nest = replace(nest, operands=kept)
    alone = replace(op, inputs=(given, weight), functions=(), nest=nest)
    return Trace(op.name, (alone,), tuple(access.tensor for access in alone.operands))


def main() -> None:
    trace = resolve_model("resnet18")
    taken = []
    gc.collect()
    gc.freeze()  # what capturing has left behind is no part of it
    for _ in range(RUNS):
        machine = load_hardware("tpu-like")
        forget_all()
        start = time.process_time()
        result = simulate(trace, machine)
        taken.append(time.process_time() - start)
    least = min(taken[1:])
    products = [op for op, _ in result.placement.trace.ops() if op.kind == "contraction"]
    energy = sum(simulate(bare(op), machine).energy_j for op in products) * 1e12
    Console().print(
        f"first call {taken[0]:.3f} CPU-s, least of {RUNS - 1} more {least:.3f}: "
        f"{ZIGZAG_S / least:,.0f} times less than ZigZag's {ZIGZAG_S}; "
        f"target {TARGET_S}: {'met' if least < TARGET_S else 'missed'}\n"
        f"energy of these 21 operators {energy:.4g} pJ, ZigZag's {ZIGZAG_PJ:.4g} pJ; "
        f"of the whole network {result.energy_j * 1e12:.4g} pJ"
    )


if __name__ == "__main__":
    main()
