"""Which operators of a loop do not wait for its state, and pay if they run beforehand."""

from __future__ import annotations

from codesign.workload.record import Op
from codesign.workload.schedule_epilogue import product_inputs, split, split_at
from codesign.workload.schedule_flow import Dataflow


def departures(flow: Dataflow) -> dict[int, int | None]:
    """Positions in the body of what leaves: None as a whole, else with how many functions.

    Those are the projections, which multiply something new of each step by something that all
    steps share, and whatever makes their factors.
    """
    ops = dict(flow.ops())
    found: dict[int, int | None] = {}
    for position, op in ops.items():
        functions = _leaving(op, position, flow)
        if functions == len(op.functions) and position in flow.free:
            found[position] = None
        elif functions is not None and functions < len(op.functions):
            found[position] = functions
    pending = list(found)
    while pending:
        position = pending.pop()
        functions, op = found[position], ops[position]
        inputs = len(op.inputs) if functions is None else product_inputs(op, functions)
        for maker in map(flow.maker, op.inputs[:inputs]):
            if maker is not None and found.get(maker, 0) is not None:
                found[maker] = None
                pending.append(maker)
    return found


def _leaving(op: Op, position: int, flow: Dataflow) -> int | None:
    """With how many of its functions a projection leaves; None for what is none."""
    if not flow.is_projection(op) or not all(flow.leaves(a, position) for a in op.inputs[:2]):
        return None
    if not flow.region.carries:
        return len(op.functions)
    # what every step of a recurrence reads, such as a bias, stays with the step
    further = [flow.leaves(a, position) and flow.moves(a) for a in op.inputs[2:]]
    functions = split_at(op, further)
    whole = functions == len(op.functions)
    return functions if whole or split(op, functions, op.outputs[0], op.name) else None
