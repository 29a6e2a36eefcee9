"""Between home and a buffer: what a tensor in a codec makes of a move, and who decodes it.

A move counts bytes of the buffer, where all elements lie as they are. Its home and the links send
what the codec makes of them, tile by tile: packed rows have no fixed length, so that those of a
tile lie one behind the other. The decoder stands at the end of the last link before the buffer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.errors import MappingError
from codesign.hardware.component import Engine, Link
from codesign.hardware.plan import Move
from codesign.hardware.spec import Hardware
from codesign.workload.record import Op, Tensor

if TYPE_CHECKING:
    from codesign.mapping.placement import Assignment, Placement


def at_home(move: Move, op: Op) -> Move:
    """A move as the home of its operand sees it."""
    tensor = op.operands[move.operand].tensor
    if tensor.stored is None:
        return move
    return Move(move.operand, tensor.home_bytes(move.bytes))


def find_decoder(source: str, target: str, tensor: Tensor, hardware: Hardware) -> Link | None:
    """The last link on a way, if it decodes a tensor; None if not, or if nothing has to."""
    if tensor.stored is None or source == target:
        return None
    last = hardware.components[hardware.route(source, target)[-1]]
    return last if isinstance(last, Link) and tensor.stored.codec in last.decoders else None


def decoding(tensor: Tensor) -> str:
    """What a link is charged for each element of a tensor in a codec."""
    return f"decode {tensor.stored.codec}" if tensor.stored else ""


def decoded_bytes_per_s(link: Link, tensor: Tensor) -> float:
    """Bytes of a buffer that a link makes of a tensor in a second, if nothing else holds it up."""
    if tensor.stored is None:
        return float("inf")
    return link.decoders[tensor.stored.codec] * tensor.dtype.storage_bits(1 << 20) / (8 << 20)


def load_share(
    engine: Engine, op: Op, operand: int, home: str, rate: float, hardware: Hardware
) -> float:
    """Time of a byte of an operand on its way to the buffer, in bytes that nobody compressed.

    Args:
        engine: who loads it.
        op: the operator.
        operand: number of the operand.
        home: where it lives.
        rate: bytes per second of the way.
        hardware: the machine.
    """
    tensor = op.operands[operand].tensor
    link = find_decoder(home, engine.stage(op, operand), tensor, hardware)
    share = float(tensor.home_share)
    return share if link is None else max(share, rate / decoded_bytes_per_s(link, tensor))


def check_codecs(placement: Placement, hardware: Hardware) -> None:
    """Checks that whatever is stored in a codec is decoded before it is used, and never written.

    Raises:
        MappingError: it is not; with the operator, the way and what to do.
    """
    seen: set[tuple[object, ...]] = set()
    for one, _ in placement.assignments():
        for operand, access in enumerate(one.op.operands):
            stored = access.tensor.stored
            key = one.engine, one.homes[operand], operand, one.op.content
            if stored is not None and key not in seen:
                seen.add(key)
                _check(one, operand, stored.codec, hardware)


def _check(one: Assignment, operand: int, codec: str, hardware: Hardware) -> None:
    engine, tensor = hardware.engine(one.engine), one.op.operands[operand].tensor
    home, stage = one.homes[operand], one.stage(operand, engine)
    told = f"{one.op.name}: {tensor.name!r} is stored in codec {codec!r}"
    if home == stage:
        return
    if operand >= len(one.op.inputs):
        raise MappingError(
            f"{told} and would be written to {home}, where nothing encodes; let it stay in a "
            "buffer or live at home"
        )
    if codec in engine.decodes(one.op, operand):
        return
    if find_decoder(home, stage, tensor, hardware) is None:
        link = hardware.components[hardware.route(home, stage)[-1]]
        known = ", ".join(link.decoders) if isinstance(link, Link) else ""
        raise MappingError(
            f"{told}, which neither {link.name}, the last link from {home} to {stage} (decodes "
            f"{known or 'none'}), nor {engine.name} decodes; give {link.name} a decode_rate and a "
            "decode_energy for it"
        )
