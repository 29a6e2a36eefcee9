"""Recurrent layers and cells: one hoisted input product and one region per layer and direction.

With input width i, hidden width h, width r of what recurs (h, or p with a projection) and G gates,
a step costs ``G h (i + r) + [p h]`` MACs (Hochreiter and Schmidhuber, "Long short-term memory",
1997; Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014; Sak et al.,
"Long short-term memory based recurrent neural network architectures", 2014, for the projection).
The product with the input does not recur, so it stands before the region as one contraction over
all steps, and a plan can batch it.

PyTorch stores two biases per gate. Where only their sum counts, one is read; both stay tensors of
the trace, since both are parameters. In the n gate of a GRU the reset gate stands between the two,
``n = tanh(W x + b + r (U h + c))`` (PyTorch, ``torch.nn.GRU``), so that ``c`` is read, too: with
hidden width h, four vectors of h for three gates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from codesign.errors import CaptureError
from codesign.hookspecs import hookimpl
from codesign.workload import view
from codesign.workload.affine import advancing, covers
from codesign.workload.builder import Builder
from codesign.workload.contraction import labelled_nest
from codesign.workload.dtype import DType
from codesign.workload.graph import Node, Value
from codesign.workload.lowering import Lowering
from codesign.workload.record import Access, Carry, Region, Tensor

_SUMMED = "read one bias per gate: the two that PyTorch stores are summed beforehand"
_NOTE = f"recurrent layers {_SUMMED}"
_APART = (
    f"GRU layers {_SUMMED}, but for the n gate, whose second bias is inside the reset: it is read "
    "as a constant with a name in .n"
)


@dataclass(frozen=True, slots=True)
class Family:
    """What distinguishes one recurrent unit from another.

    Attributes:
        gates: products per hidden unit.
        functions: elementwise work per gate: the sum of both products, the bias, the
            non-linearity, and the gate's share of the state update.
        states: tensors carried: a hidden state and perhaps a cell state.
        is_gated: whether the update also reads the last of the old states.
        apart: gates, the last ones, whose two biases cannot be summed beforehand.
    """

    gates: int
    functions: tuple[str, ...]
    states: int = 1
    is_gated: bool = True
    apart: int = 0


# LSTM: c = f c + i g and h = o tanh(c) are 3 products, a sum and a tanh for 4 gates, 8 lane
# operations where a tanh counts 4: a product and a sum per gate. GRU: one more bias, r (U h + c),
# h = n + z (h - n) are 5 for 3 gates, so a product and a sum per gate are 1 in 24 too many.
FAMILIES: Mapping[str, Family] = {
    "lstm": Family(4, ("add", "add", "sigmoid", "mul", "add"), states=2),
    "gru": Family(3, ("add", "add", "sigmoid", "mul", "add"), apart=1),
    "rnn_tanh": Family(1, ("add", "add", "tanh"), is_gated=False),
    "rnn_relu": Family(1, ("add", "add", "relu"), is_gated=False),
}


@hookimpl
def codesign_register_lowerings() -> Mapping[str, Lowering]:
    """Layers over a padded batch, single cells, and a refusal of packed sequences."""
    found: dict[str, Lowering] = {}
    for name, family in FAMILIES.items():
        found[f"aten.{name}.input"] = partial(_lower_layers, family=family)
        found[f"aten.{name}.data"] = _refuse_packed
        found[f"aten.{name}_cell"] = partial(_lower_cell, family=family)
    return found


def _refuse_packed(node: Node, _: Builder) -> None:
    raise CaptureError(
        f"{node.module or node.target}: a packed sequence has a batch that shrinks from step to "
        "step; pad the sequence and pass the tensor itself"
    )


# --- one cell ---


def _lower_cell(node: Node, builder: Builder, *, family: Family) -> None:
    x = builder.access(node.args[0])
    held = [builder.access(value) for value in _listed(node.args[1])]
    weight_ih, weight_hh = (builder.access(value) for value in node.args[2:4])
    stored = [node.argument(4, "b_ih"), node.argument(5, "b_hh")]
    bias = _bias(builder, family, [builder.access(one) for one in stored if one is not None])
    driven = _product(builder, x, weight_ih, "input")
    recurrent = _product(builder, held[0], weight_hh, "recurrent")
    inputs = [driven, recurrent, *bias, *(held[-1:] if family.is_gated else [])]
    outputs = [builder.new(value, overlap=True) for value in node.outputs]
    builder.emit("elementwise", inputs, outputs, what="update", functions=family.functions)


# --- layers over time ---


@dataclass(frozen=True, slots=True)
class _Layer:
    """One layer in one direction.

    Attributes:
        name: ``layer0``, ``layer0_reverse`` and so on.
        weights: input, recurrent and perhaps projection matrix, as stored.
        bias: what is read of its biases.
        initial: initial hidden state and, for an LSTM, cell state; None for zeros.
        output: slice of the result that this direction writes, time-major; None if nobody reads it.
        is_reverse: whether time runs backwards.
    """

    name: str
    weights: tuple[Access, ...]
    bias: tuple[Access, ...]
    initial: tuple[Tensor | None, ...]
    output: Access | None
    is_reverse: bool


def _lower_layers(node: Node, builder: Builder, *, family: Family) -> None:
    depth = node.args[4]
    directions = 2 if node.argument(7, "bidirectional", False) else 1
    swap = 1 if node.argument(8, "batch_first", False) else 0
    stacks = [builder.access(value) for value in _listed(node.args[1])]
    finals = [builder.new(v) if builder.is_used(v) else None for v in node.outputs[1:]]
    width = stacks[0].shape[-1] * directions
    x = view.transpose(builder.access(node.args[0]), 0, swap)
    for level in range(depth):
        if level < depth - 1:
            out: Access | None = _sequence(builder, f"layer{level}.out", x, width, swap)
        else:
            out = _result(node, builder, swap)
        for direction in range(directions):
            index = level * directions + direction
            layer = _layer(node, builder, family, stacks, (level, direction, directions), out)
            states = _lower_layer(builder, family, layer, x, swap)
            for state, final in zip(states, finals, strict=True):
                if final:
                    target = view.select(final, 0, index)
                    builder.move([state], target, f"{layer.name}.final")
        x = out or x


def _layer(
    node: Node,
    builder: Builder,
    family: Family,
    stacks: Sequence[Access],
    place: tuple[int, int, int],
    out: Access | None,
) -> _Layer:
    """Picks the arguments of one layer and direction; ``place`` is level, direction, directions."""
    level, direction, directions = place
    index = level * directions + direction
    name = f"layer{level}_reverse" if direction else f"layer{level}"
    flat, has_bias = node.args[2], node.args[3]
    count = len(flat) // (node.args[4] * directions)
    own = [builder.access(value) for value in flat[index * count : (index + 1) * count]]
    return _Layer(
        name,
        weights=(*own[:2], *own[4 if has_bias else 2 :]),
        bias=_bias(builder, family, own[2:4] if has_bias else ()),
        initial=tuple(_initial(builder, stack, index, name) for stack in stacks),
        output=_half(out, direction, directions) if out else None,
        is_reverse=bool(direction),
    )


def _lower_layer(
    builder: Builder, family: Family, layer: _Layer, x: Access, swap: int
) -> list[Access]:
    """Emits the hoisted product and the region; returns hidden (and cell) state after it."""
    steps, batch, _ = x.shape
    dtype = x.tensor.dtype
    driven = view.transpose(
        _product(builder, view.transpose(x, 0, swap), layer.weights[0], f"{layer.name}.input"),
        0,
        swap,
    )
    hidden = layer.weights[1].shape[0] // family.gates
    widths = [layer.weights[1].shape[1], hidden][: family.states]
    states = [
        builder.tensor(f"{layer.name}.{what}", (batch, width), dtype, "state").access()
        for what, width in zip(("hidden", "cell"), widths, strict=False)
    ]
    with builder.collecting() as body:
        recurrent = _product(builder, states[0], layer.weights[1], f"{layer.name}.recurrent")
        gates = [_at_step(builder, driven, layer.is_reverse), recurrent, *layer.bias]
        _emit_step(builder, family, layer, gates, states)
    carries = tuple(
        Carry(state.tensor, state.tensor, initial)
        for state, initial in zip(states, layer.initial, strict=True)
    )
    name = builder.unique(layer.name)
    builder.append(Region(name, steps, tuple(body), carries, builder.module))
    return states


def _emit_step(
    builder: Builder,
    family: Family,
    layer: _Layer,
    gates: Sequence[Access],
    states: list[Access],
) -> None:
    """The state update and, with a projection, the product that makes the hidden state."""
    target = _at_step(builder, layer.output, layer.is_reverse) if layer.output else None
    inputs, what = [*gates, *(states[-1:] if family.is_gated else [])], f"{layer.name}.update"
    if len(layer.weights) == 2:
        outputs = [*states, target] if target else list(states)
        builder.emit("elementwise", inputs, outputs, what=what, functions=family.functions)
        return
    cell = states[-1]
    full = builder.tensor(f"{layer.name}.full", cell.shape, cell.tensor.dtype).access()
    builder.emit("elementwise", inputs, [full, cell], what=what, functions=family.functions)
    _product(builder, full, layer.weights[2], f"{layer.name}.projection", states[0])
    if target:
        builder.move([states[0]], target, f"{layer.name}.collect")


def _at_step(builder: Builder, sequence: Access, is_reverse: bool) -> Access:
    """What a step sees of a time-major sequence, moving on by one time step."""
    first = view.select(sequence, 0, sequence.shape[0] - 1 if is_reverse else 0)
    stride = sequence.strides[0]
    return advancing(first, -stride if is_reverse else stride, builder.depth)


def _product(
    builder: Builder, x: Access, weight: Access, what: str, out: Access | None = None
) -> Access:
    """``x weight^T`` over the last axis; the leading axes of ``x`` are rows."""
    columns, inner = weight.shape
    if out is None:
        out = _new(builder, f"{what}.out", (*x.shape[:-1], columns), x.tensor.dtype)
    rows = [f"m{axis}" for axis in range(len(x.shape) - 1)]
    extents = dict(zip(rows, x.shape, strict=False)) | {"n": columns, "k": inner}
    operands = [(x, [*rows, "k"]), (weight, ["n", "k"]), (out, [*rows, "n"])]
    accesses, nest = labelled_nest(operands, extents)
    builder.emit("contraction", accesses[:2], accesses[2:], what=what, nest=nest)
    return out


# --- arguments ---


def _listed(argument: Any) -> list[Value]:
    """Initial states: one value, or hidden and cell state."""
    return list(argument) if isinstance(argument, (list, tuple)) else [argument]


def _bias(builder: Builder, family: Family, stored: Sequence[Access]) -> tuple[Access, ...]:
    """What a step reads of the input and the recurrent bias; nothing if there is none."""
    if not stored:
        return ()
    builder.note(_APART if family.apart else _NOTE)
    if not family.apart:
        return (stored[0],)
    return stored[0], _last(stored[1], stored[1].shape[-1] * family.apart // family.gates)


def _last(bias: Access, width: int) -> Access:
    """The last values of a bias; of a parameter as a tensor of their own, which alone may stay."""
    end, own = bias.shape[-1], bias.tensor
    if own.role != "weight" or not covers(bias):
        return view.slice_axis(bias, -1, end - width, end, 1)
    # every step of an unrolled cell finds the same name; no parameter of PyTorch has a part below
    return Tensor(f"{own.name}.n", (width,), own.dtype, "constant").access()


def _new(builder: Builder, name: str, shape: tuple[int, ...], dtype: DType) -> Access:
    return builder.tensor(name, shape, dtype).access()


def _result(node: Node, builder: Builder, swap: int) -> Access | None:
    """The time-major view of the output, or None if only the final states are read."""
    value = node.outputs[0]
    return view.transpose(builder.new(value), 0, swap) if builder.is_used(value) else None


def _sequence(builder: Builder, name: str, x: Access, width: int, swap: int) -> Access:
    """A new sequence between two layers, stored in the order of the input."""
    shape = (x.shape[swap], x.shape[1 - swap], width)
    return view.transpose(_new(builder, name, shape, x.tensor.dtype), 0, swap)


def _half(result: Access, direction: int, directions: int) -> Access:
    """The features that one direction writes."""
    width = result.shape[-1] // directions
    return view.slice_axis(result, -1, direction * width, (direction + 1) * width, 1)


def _initial(builder: Builder, stacked: Access, index: int, name: str) -> Tensor | None:
    """The tensor with the initial state of one layer; None for zeros."""
    if builder.fill(stacked) == 0:
        return None
    own = view.select(stacked, 0, index)
    return own.tensor if covers(own) else builder.contiguous(own, f"{name}.initial").tensor
