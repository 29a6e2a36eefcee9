"""The operators of a transducer outside its recurrent cells."""

from __future__ import annotations

from codesign.workload import view
from codesign.workload.dtype import DType
from codesign.workload.record import Access, Role
from codesign.zoo.transducer_writer import FP32, Writer

_TOKEN = DType.parse("int64")


def stack_pairs(writer: Writer, sequence: Access, role: Role) -> Access:
    """Outputs [steps, batch, width] in pairs: [steps / 2, batch, 2 width].

    A pair lies side by side in memory if the batch is 1; otherwise a copy of this role brings it
    together.
    """
    steps, batch, width = sequence.shape
    shape = (steps // 2, batch, 2 * width)
    pairs = view.transpose(view.split_axis(sequence, 0, steps // 2), 1, 2)
    together = view.reshape(pairs, shape)
    if together is not None:
        return together
    stacked = writer.tensor("stacked", shape, role)
    writer.move("stack", pairs, view.split_axis(stacked, 2, 2))
    return stacked


def look_up(writer: Writer, rows: int, width: int, batch: int) -> Access:
    """Writes the lookup of one token per stream: [batch, width] of a table [rows, width]."""
    writer.module = "embedding"
    token = writer.tensor(".token", (batch,), "input", _TOKEN)
    table = writer.weight("weight", rows, width)
    row = writer.tensor("row", (batch, width))
    # which rows are read is data; as in a capture, the first ones stand for them
    read = view.slice_axis(table, 0, 0, batch, 1)
    row_bytes = FP32.storage_bytes(width)
    writer.emit("lookup", "gather", (read, token), row, row_bytes=row_bytes, rows=batch)
    return row


def dense(writer: Writer, module: str, x: Access, outputs: int, *, has_bias: bool) -> None:
    """Writes a linear layer from [..., inputs] to the output [..., outputs] of the trace."""
    writer.module = module
    weight = writer.weight("weight", outputs, x.shape[-1])
    bias = writer.weight("bias", outputs) if has_bias else None
    out = writer.tensor("out", (*x.shape[:-1], outputs), "output")
    writer.linear("linear", x, weight, out, bias)


def join_sum(writer: Writer, width: int, batch: int) -> Access:
    """Writes ``tanh`` of the sum of both joined vectors, inputs of the trace: [batch, width]."""
    writer.module = "join_output"
    joined = [
        writer.tensor(f".joined_{part}", (batch, width), "input")
        for part in ("encoder", "prediction")
    ]
    hidden = writer.tensor("tanh", (batch, width))
    writer.emit("tanh", "elementwise", joined, hidden, functions=("add", "tanh"))
    return hidden
