"""Between home and a buffer: what a tensor in a codec makes of a move, and who decodes it.

A move counts bytes of the buffer, where all elements lie as they are. Its home and the links send
what the codec makes of them, and the link with the decoder, which stands at its end, unpacks it.
"""

from __future__ import annotations

from dataclasses import replace
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
    return replace(move, bytes=tensor.home_bytes(move.bytes), pitch=tensor.home_bytes(move.pitch))


def find_decoder(source: str, target: str, tensor: Tensor, hardware: Hardware) -> Link | None:
    """The last link on a way that decodes a tensor; None where none does, or nothing has to."""
    if tensor.stored is None or source == target:
        return None
    names = set(hardware.route(source, target))
    able = [x for x in hardware.links if x.name in names and tensor.stored.codec in x.decoders]
    return able[-1] if able else None


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
    """Checks that whatever is stored in a codec meets a decoder before it is used.

    Raises:
        MappingError: it does not; with the operator, the way and what to add.
    """
    seen: set[tuple[object, ...]] = set()
    for one, _ in placement.assignments():
        for operand, access in enumerate(one.op.inputs):
            engine = hardware.engine(one.engine)
            ends = one.homes[operand], one.stage(operand, engine)
            key = (*ends, engine.name, access.tensor.stored and access.tensor.stored.codec)
            if key not in seen:
                seen.add(key)
                _check(one, access.tensor, engine, ends, hardware)


def _check(
    one: Assignment, tensor: Tensor, engine: Engine, ends: tuple[str, str], hardware: Hardware
) -> None:
    source, target = ends
    if tensor.stored is None or source == target or tensor.stored.codec in engine.decodes:
        return
    if find_decoder(source, target, tensor, hardware) is None:
        links = ", ".join(
            x.name for x in hardware.links if x.name in hardware.route(source, target)
        )
        raise MappingError(
            f"{one.op.name}: {tensor.name!r} is stored in codec {tensor.stored.codec!r}, which "
            f"neither a link between {source} and {target} ({links}) nor {engine.name} decodes; "
            "name it in decode_rate and decode_energy of a link"
        )
