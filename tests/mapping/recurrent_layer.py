"""A recurrent layer of the memory study, written by hand: the recurrent set inside the loop."""

from __future__ import annotations

from toy_machine import Priced

from codesign.hardware.component import Component
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Placement
from codesign.testing.operators import whole
from codesign.workload.contraction import labelled_nest
from codesign.workload.record import Access, Carry, Op, Region, Trace
from codesign.workload.view import select, split_axis

ON_CHIP = ("role:[!wc]*@queue",)
"""Pins of the study: only weights and constants are ever fetched."""


def study_machine(buffer: int) -> Hardware:
    """One engine with a weight buffer, a memory for activations, and a DRAM for the rest."""
    from codesign_plugins.flat_dram import FlatDram
    from codesign_plugins.link import Bus
    from codesign_plugins.sram import Sram

    engine = Priced(
        name="mac",
        buffer="weights",
        cycles={"contraction": 5, "normalize": 3, "elementwise": 3, "move": 1},
    )
    parts: list[Component] = [
        engine,
        Sram(name="weights", size=buffer, bandwidth=4e9),
        Sram(name="queue", size=1 << 24, bandwidth=4e9),
        Bus(name="bus", connects=("dram", "weights", "queue"), bandwidth=2e9),
        FlatDram(name="dram", device="toy", size=1 << 28, bandwidth=8e9, efficiency=0.5),
    ]
    return Hardware("study", "", None, {part.name: part for part in parts})


def layer(name: str, inputs: int, width: int, steps: int, gates: int = 4, blocks: int = 1) -> Trace:
    """One chunk of a layer: the input product for all steps, then the loop with the rest."""
    x = whole(f"{name}.x", (steps, inputs), "input")
    weight = whole(f"{name}.input", (gates * width, inputs), "weight")
    driven = whole(f"{name}.driven", (steps, gates * width))
    operands, nest = labelled_nest(
        [(x, "mk"), (weight, "nk"), (driven, "mn")], {"m": steps, "n": gates * width, "k": inputs}
    )
    product = Op(f"{name}.product", "contraction", operands[:2], operands[2:], nest)
    region = _loop(name, driven, width, gates, blocks, steps)
    tensors = {a.tensor.name: a.tensor for op in (product, *region.body) for a in _operands(op)}
    return Trace(name, (product, region), tuple(tensors.values()))


def _operands(op: object) -> tuple[Access, ...]:
    assert isinstance(op, Op)
    return op.operands


def _loop(name: str, driven: Access, width: int, gates: int, blocks: int, steps: int) -> Region:
    inner = width // blocks
    h, c = whole(f"{name}.h", (1, width)), whole(f"{name}.c", (1, width))
    new_h, new_c = whole(f"{name}.h.next", (1, width)), whole(f"{name}.c.next", (1, width))
    weight = whole(f"{name}.recurrent", (gates, blocks, inner, inner), "weight")
    bias = whole(f"{name}.bias", (gates, width), "weight")
    row = Access(driven.tensor, (gates, width), (width, 1), advance=(gates * width,))
    sums = whole(f"{name}.sums", (1, gates, width))
    operands, nest = labelled_nest(
        [
            (split_axis(h, 1, blocks), "bni"),
            (weight, "gnoi"),
            (split_axis(row, 1, blocks), "gno"),
            (split_axis(bias, 1, blocks), "gno"),
            (split_axis(sums, 2, blocks), "bgno"),
        ],
        {"b": 1, "g": gates, "n": blocks, "o": inner, "i": inner},
    )
    body = [
        Op(f"{name}.sum", "contraction", operands[:4], operands[4:], nest, ("add", "add")),
    ]
    normal = []
    for gate in range(gates):
        gain = whole(f"{name}.gain{gate}", (width,), "weight")
        shift = whole(f"{name}.shift{gate}", (width,), "weight")
        out = whole(f"{name}.gate{gate}", (1, width))
        read = (select(sums, 1, gate), gain, shift)
        body.append(Op(f"{name}.norm{gate}", "normalize", read, (out,)))
        normal.append(out)
    body += [
        Op(f"{name}.cell", "elementwise", (*normal[:-1], c), (new_c,)),
        Op(f"{name}.out", "elementwise", (normal[-1], new_c), (new_h,)),
    ]
    carries = (Carry(h.tensor, new_h.tensor), Carry(c.tensor, new_c.tensor))
    return Region(name, steps, tuple(body), carries)


def weight_bytes(placement: Placement) -> int:
    """Bytes of weights that one run fetches from home."""
    return sum(
        size * times
        for one, times in placement.assignments()
        if one.plan is not None
        for operand, size in one.plan.loaded.items()
        if one.homes[operand] == placement.home and one.op.operands[operand].tensor.role == "weight"
    )
