"""The operators of one recurrent cell, written without a capture: a step, or a loop of steps.

Each function gives what ``codesign.workload.capture`` makes of the module of the same dimensions
in ``codesign.zoo.cells``: the input product alone, so that a schedule can take it out of the loop;
the recurrent product, which adds it and the bias; the normalisations; the gates.
"""

from __future__ import annotations

from typing import TypeAlias

from codesign.workload import view
from codesign.workload.affine import advancing
from codesign.workload.record import Access, Carry, Region, Role
from codesign.zoo.cell_shape import CellShape
from codesign.zoo.transducer_writer import Labelled, Writer

State: TypeAlias = tuple[Access, Access]
"""Hidden state [batch, outputs] and cell state [batch, width]."""

_CELL_STATE = {
    4: ("sigmoid", "mul", "tanh", "sigmoid", "mul", "add"),
    3: ("sigmoid", "mul", "sub", "tanh", "mul", "add"),
}
"""``c = f c + i tanh(g)`` by number of gates; with 3 the input gate is 1 - f."""
_HIDDEN_STATE = ("tanh", "sigmoid", "mul")


def write_step(writer: Writer, shape: CellShape, x: Access, before: State, after: State) -> None:
    """Writes one step.

    Args:
        writer: where the operators go, below its current module.
        shape: dimensions of the cell.
        x: input [batch, inputs].
        before: state that the step reads.
        after: where it writes the next state; may be the same tensors.
    """
    *inputs, forget, candidate, output = _gates(writer, shape, x, before[0])
    read = (forget, before[1], *inputs, candidate)
    writer.emit("cell_state", "elementwise", read, after[1], functions=_CELL_STATE[shape.gates])
    hidden = after[0]
    if shape.projection is not None:
        hidden = writer.tensor("full", after[1].shape)
    writer.emit("hidden_state", "elementwise", (output, after[1]), hidden, functions=_HIDDEN_STATE)
    if shape.projection is not None:
        weight = writer.weight("cell.projection.weight", shape.projection, shape.width)
        writer.linear("projection", hidden, weight, after[0])


def write_loop(
    writer: Writer, shape: CellShape, sequence: Access, role: Role = "activation"
) -> Access:
    """Writes a loop over a sequence, from and to the state that the layer keeps.

    Args:
        writer: where the region goes, below its current module.
        shape: dimensions of the cell.
        sequence: inputs [steps, batch, inputs].
        role: of the outputs.

    Returns:
        The outputs [steps, batch, outputs].
    """
    steps, batch, _ = sequence.shape
    kept = state_of(writer, shape, batch)
    before = _pair(writer, shape, batch, "carry", "state")
    after = _pair(writer, shape, batch, "next", "activation")
    out = writer.tensor("out", (steps, batch, shape.outputs), role)
    with writer.body() as body:
        write_step(writer, shape, _at_step(sequence), before, after)
        writer.move("result", after[0], _at_step(out))
    carries = tuple(
        Carry(state.tensor, update.tensor, initial.tensor)
        for state, update, initial in zip(before, after, kept, strict=True)
    )
    writer.items.append(Region(writer.module, steps, tuple(body), carries, writer.module))
    for index, (update, target) in enumerate(zip(after, kept, strict=True)):
        writer.move(f"final{index}", update, target)
    return out


def state_of(writer: Writer, shape: CellShape, batch: int) -> State:
    """The state that a layer keeps from call to call."""
    return _pair(writer, shape, batch, "state", "state")


def _pair(writer: Writer, shape: CellShape, batch: int, name: str, role: Role) -> State:
    hidden = writer.tensor(f"{name}0", (batch, shape.outputs), role)
    return hidden, writer.tensor(f"{name}1", (batch, shape.width), role)


def _at_step(sequence: Access) -> Access:
    """What a step sees of a time-major sequence."""
    return advancing(view.select(sequence, 0, 0), sequence.strides[0], 0)


def _gates(writer: Writer, shape: CellShape, x: Access, h: Access) -> list[Access]:
    """Every gate before its non-linearity, [batch, width] each."""
    batch, rows = x.shape[0], shape.gates * shape.width
    driven = writer.tensor("driven", (batch, rows))
    writer.linear("input", x, writer.weight("cell.input.weight", rows, shape.inputs), driven)
    sums = writer.tensor("sums", (batch, shape.gates, shape.width))
    _write_recurrent(writer, shape, h, view.split_axis(driven, 1, shape.gates), sums)
    gates = [view.select(sums, 1, gate) for gate in range(shape.gates)]
    if not shape.is_normalised:
        return gates
    return [_normalised(writer, gate, index) for index, gate in enumerate(gates)]


def _write_recurrent(
    writer: Writer, shape: CellShape, h: Access, driven: Access, sums: Access
) -> None:
    """Writes ``sums = U h + driven + b``; sums and driven are [batch, gates, width]."""
    factors, inner = _recurrent_factors(writer, shape, h)
    bias = writer.weight("cell.bias", shape.gates, shape.width)
    driven, bias, sums = (view.split_axis(a, -1, shape.blocks) for a in (driven, bias, sums))
    operands = [*factors, (driven, "bgno"), (bias, "gno"), (sums, "bgno")]
    extents = dict(zip("bgno", sums.shape, strict=True)) | inner
    writer.product("recurrent", operands, extents, ("add", "add"))


def _recurrent_factors(
    writer: Writer, shape: CellShape, h: Access
) -> tuple[list[Labelled], dict[str, int]]:
    """The factors of the recurrent product, and the extent of the label that it sums over."""
    batch, gates, blocks, rank = h.shape[0], shape.gates, shape.blocks, shape.rank
    if rank is None:
        rows, columns = shape.width // blocks, shape.outputs // blocks
        weight = writer.weight("cell.recurrent.weight", gates, blocks, rows, columns)
        return [(view.split_axis(h, 1, blocks), "bni"), (weight, "gnoi")], {"i": columns}
    low = writer.tensor("low", (batch, gates, rank))
    down = writer.weight("cell.recurrent.down", gates, rank, shape.outputs)
    extents = {"b": batch, "g": gates, "r": rank, "i": shape.outputs}
    writer.product("recurrent_down", [(h, "bi"), (down, "gri"), (low, "bgr")], extents)
    up = writer.weight("cell.recurrent.up", gates, shape.width, rank)
    return [(low, "bgr"), (up, "gor")], {"r": rank}


def _normalised(writer: Writer, gate: Access, index: int) -> Access:
    """A gate [batch, width] behind its layer normalisation."""
    width = gate.shape[-1]
    gain = writer.weight(f"cell.norms.{index}.weight", width)
    shift = writer.weight(f"cell.norms.{index}.bias", width)
    out = writer.tensor(f"gate{index}", gate.shape)
    functions = ("layer_norm",)
    writer.emit(
        f"norm{index}", "normalize", (gate, gain, shift), out, functions=functions, width=width
    )
    return out
