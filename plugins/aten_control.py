"""Control flow: loops become regions, choices become branches, wrappers dissolve."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from codesign.errors import CaptureError
from codesign.hookspecs import hookimpl
from codesign.workload import view
from codesign.workload.affine import advancing, covers, is_row_major
from codesign.workload.assembly import Body
from codesign.workload.builder import Builder
from codesign.workload.graph import Graph, Node, Value
from codesign.workload.lowering import Lowering
from codesign.workload.record import Access, Branch, Carry, Item, Region, Tensor, iterate
from codesign.workload.rewrite import carried, every_op, redirect


@hookimpl
def codesign_register_lowerings() -> Mapping[str, Lowering]:
    """The control-flow operators of ``torch.export``."""
    return {
        "scan": _scan,
        "while_loop": _while_loop,
        "cond": _cond,
        "wrap_with_set_grad_enabled": _inline,
        "wrap_with_autocast": _inline,
    }


def _inline(node: Node, builder: Builder) -> None:
    """A body that runs once, with other settings of autograd: its operators, in place."""
    at = next(i for i, argument in enumerate(node.args) if isinstance(argument, Graph))
    inputs = [builder.access(value) for value in node.args[at + 1 :]]
    body = builder.body(node.args[at], inputs, "inline")
    for item in body.items:
        builder.append(item)
    for value, access in zip(node.outputs, body.outputs, strict=True):
        if access:
            builder.bind(value, access)


# --- loops ---


def _scan(node: Node, builder: Builder) -> None:
    """``scan(body, init, xs, additional)``: returns the last carry and the stacked results."""
    graph, init, xs, further = node.args[:4]
    sequences = [builder.access(value) for value in xs]
    steps = sequences[0].shape[0] if sequences else 1
    states = [_state(builder, value, index) for index, value in enumerate(init)]
    slices = [
        advancing(view.select(access, 0, 0), access.strides[0], builder.depth)
        for access in sequences
    ]
    constants = [builder.access(value) for value in further]
    name = builder.unique("scan")
    body = builder.body(graph, [*states, *slices, *constants], "scan.body", is_repeated=True)
    updates, results = body.outputs[: len(init)], body.outputs[len(init) :]
    initials = _initials(builder, init)
    with builder.collecting() as items:
        items += body.items
        carries = _carries(builder, items, states, updates, initials)
        stacked = zip(node.outputs[len(init) :], results, strict=True)
        targets = [(made, _slot(builder, value)) for value, made in stacked if made]
        held = {carry.update.name for carry in carries}
        _land(builder, items, targets, held)
    builder.append(Region(name, steps, tuple(items), tuple(carries), builder.module))
    _bind_finals(builder, node.outputs, carries)


def _while_loop(node: Node, builder: Builder) -> None:
    """``while_loop(condition, body, carried, additional)`` whose trip count can be worked out."""
    condition, graph, init, further = node.args[:4]
    steps = builder.loop_steps or _trip_count(condition, graph, init, builder)
    if steps is None:
        raise CaptureError(
            f"{node.module or 'model'}: the trip count of a while_loop must follow from its "
            "condition, a counter that starts at torch.zeros or torch.full and is compared with a "
            "number; write the loop with scan, or give loop_steps"
        )
    states = [_state(builder, value, index) for index, value in enumerate(init)]
    constants = [builder.access(value) for value in further]
    name = builder.unique("while")
    test = builder.body(condition, [*states, *constants], "while.test", is_repeated=True)
    body = builder.body(graph, [*states, *constants], "while.body", is_repeated=True)
    initials = _initials(builder, init)
    with builder.collecting() as items:
        items += [*test.items, *body.items]
        carries = _carries(builder, items, states, body.outputs, initials)
    builder.append(Region(name, steps, tuple(items), tuple(carries), builder.module))
    _bind_finals(builder, node.outputs, carries)


def _state(builder: Builder, value: Value, index: int) -> Access:
    return builder.tensor(f"carry{index}", value.shape, value.dtype, "state").access()


def _initials(builder: Builder, init: Sequence[Value]) -> list[Tensor | None]:
    """What the states hold before the first step: a view is copied once, before the loop."""
    starts = [builder.access(value) for value in init]
    return [
        None if builder.fill(start) == 0 else _whole(builder, start, f"initial{index}")
        for index, start in enumerate(starts)
    ]


def _carries(
    builder: Builder,
    items: Sequence[Item],
    states: Sequence[Access],
    updates: Sequence[Access | None],
    initials: Sequence[Tensor | None],
) -> list[Carry]:
    """Hands each update on; one that is a view, or not made in the body, is moved first."""
    made = _made(items) - {state.tensor.name for state in states}
    carries = []
    for index, (state, update, initial) in enumerate(zip(states, updates, initials, strict=True)):
        if update is None or update == state:
            held = state.tensor
        elif update.tensor.name in made and covers(update):
            held = update.tensor
        else:
            held = builder.contiguous(update, f"update{index}").tensor
        carries.append(Carry(state.tensor, held, initial))
    return carries


def _made(items: Sequence[Item]) -> set[str]:
    """Names of the intermediates that the items write."""
    written = (a.tensor for op in every_op(tuple(items)) for a in op.outputs)
    return {tensor.name for tensor in written if tensor.role == "activation"}


def _whole(builder: Builder, access: Access, what: str) -> Tensor:
    return access.tensor if covers(access) else builder.contiguous(access, what).tensor


def _bind_finals(builder: Builder, values: Sequence[Value], carries: Sequence[Carry]) -> None:
    """The values after the last step are copied out, so that steps write no output of the model."""
    for value, carry in zip(values, carries, strict=False):
        if builder.is_used(value):
            builder.move([carry.update.access()], builder.new(value), "loop.final")


def _slot(builder: Builder, value: Value) -> Access:
    """Where a step puts its part of a stacked result."""
    stack = builder.new(value)
    return advancing(view.select(stack, 0, 0), stack.strides[0], builder.depth)


def _land(
    builder: Builder,
    items: list[Item],
    results: Sequence[tuple[Access, Access]],
    held: Collection[str] = (),
) -> None:
    """Makes a body put its results where they belong: without a copy where nobody is in the way.

    Args:
        builder: collects into ``items``.
        items: the body, changed in place.
        results: pairs of what the body made and where that has to go.
        held: names of tensors that must stay, since a region carries them.
    """
    names = [made.tensor.name for made, _ in results]
    stay = {*held, *carried(tuple(items)), *(n for n in names if names.count(n) > 1)}
    for made, target in results:
        is_own = made.tensor.name in _made(items) and covers(made)
        if is_own and made.tensor.name not in stay and is_row_major(target):
            items[:] = redirect(tuple(items), made.tensor, target)
        else:
            builder.move([made], target, "result")


# --- choices ---


def _cond(node: Node, builder: Builder) -> None:
    """``cond(predicate, true_body, false_body, operands)``: both sides write the same results.

    The trace keeps both, but only the likelier one counts; a note says what that leaves out.
    """
    probability = builder.branch_probability
    if probability is None:
        raise CaptureError(
            f"{node.module or 'model'}: a cond takes its true side with a probability that the "
            "graph does not hold; give branch_probability, 0 to 1"
        )
    inputs = [builder.access(value) for value in node.args[3]]
    targets = [builder.new(value) for value in node.outputs]
    sides = [
        _side(builder, builder.body(graph, inputs, what), targets)
        for graph, what in zip(node.args[1:3], ("taken", "otherwise"), strict=True)
    ]
    branch = Branch(builder.unique("cond"), probability, *sides)
    builder.note(_counted(branch))
    builder.append(branch)


def _counted(branch: Branch) -> str:
    """What a result leaves out, said with it: the side that is not counted."""
    other = branch.otherwise if branch.likelier is branch.taken else branch.taken
    chance = max(branch.probability, 1 - branch.probability)
    here, there = (
        sum(op.macs * times for op, times in iterate(side)) for side in (branch.likelier, other)
    )
    return (
        f"cond {branch.name!r}: only the likelier side (p = {chance:.2f}) is counted, {here:,} "
        f"MACs; the other side has {there:,} MACs"
    )


def _side(builder: Builder, body: Body, targets: Sequence[Access]) -> tuple[Item, ...]:
    with builder.collecting() as items:
        items += body.items
        pairs = zip(body.outputs, targets, strict=True)
        _land(builder, items, [(made, target) for made, target in pairs if made])
    return tuple(items)


# --- trip counts ---


def _trip_count(
    condition: Graph, graph: Graph, init: Sequence[Value], builder: Builder
) -> int | None:
    """Steps of a loop over a counter, or None if the condition is anything else."""
    test = condition.nodes[-1] if len(condition.nodes) == 1 else None
    if test is None or len(test.args) != 2 or not isinstance(test.args[0], Value):
        return None
    names = [placeholder.value.name for placeholder in condition.inputs]
    if test.args[0].name not in names[: len(init)]:
        return None
    index = names.index(test.args[0].name)
    start = builder.fill(builder.access(init[index]))
    limit = test.args[1] if isinstance(test.args[1], (int, float)) else None
    step = _step(graph, index)
    if start is None or limit is None or not step:
        return None
    return _count(test.target, start, limit, step)


def _step(graph: Graph, index: int) -> float | None:
    """What a body adds to its counter in each step."""
    counter, result = graph.inputs[index].value, graph.outputs[index]
    for node in graph.nodes:
        if result in node.outputs and node.args and node.args[0] == counter:
            amount = node.args[1] if len(node.args) == 2 else None
            if isinstance(amount, (int, float)):
                sign = {"aten.add.Tensor": 1, "aten.sub.Tensor": -1}.get(node.target)
                return sign * amount if sign else None
    return None


def _count(target: str, start: float, limit: float, step: float) -> int | None:
    """Trips until ``counter < limit`` (or <=, >, >=) fails; at least one."""
    distance = {
        "aten.lt.Scalar": limit - start,
        "aten.le.Scalar": limit - start + 1,
        "aten.gt.Scalar": start - limit,
        "aten.ge.Scalar": start - limit + 1,
    }.get(target)
    pace = step if target.startswith("aten.l") else -step
    if distance is None or pace <= 0:
        return None
    trips = math.ceil(distance / pace)
    return trips if trips >= 1 else None
