"""Codecs: bits of values and of metadata that came from home, and how long they were decoded."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

from codesign.hardware.spec import Hardware
from codesign.mapping.codec import find_decoder
from codesign.mapping.placement import Placement
from codesign.replay.result import Replay
from codesign.result.ledger import runs_of
from codesign.workload.record import Tensor


@dataclass(frozen=True, slots=True)
class Packed:
    """What one run loads in one codec, or in a format whose blocks share scales.

    Attributes:
        codec: its name; of a block format the format.
        elements: of the dense tensors.
        data_bits: of values that their homes send.
        meta_bits: of masks, indices and scales.
        decode_s: seconds in which decoders work; 0 where nothing decodes.
    """

    codec: str
    elements: int
    data_bits: int
    meta_bits: int
    decode_s: float


def find_codecs(placement: Placement, machine: Hardware, replay: Replay) -> tuple[Packed, ...]:
    """What came in codecs and block formats, in order of first use.

    Args:
        placement: what ran.
        machine: the hardware.
        replay: how often it ran.
    """
    elements: defaultdict[tuple[str, Fraction, Fraction], int] = defaultdict(int)
    decoded: defaultdict[str, float] = defaultdict(float)
    for one, times in runs_of(placement, replay):
        engine = machine.engine(one.engine)
        for operand, size in one.plan.loaded.items() if one.plan else ():
            tensor = one.op.operands[operand].tensor
            ends = one.homes[operand], one.stage(operand, engine)
            known = _bits(tensor)
            if known is None or ends[0] == ends[1]:
                continue
            count = tensor.elements_in(size) * times
            elements[known] += count
            link = find_decoder(*ends, tensor, machine)
            decoded[known[0]] += count / link.decoders[known[0]] if link else 0.0
    return tuple(
        Packed(codec, *_total(elements, codec), decoded[codec])
        for codec in dict.fromkeys(codec for codec, _, _ in elements)
    )


def _bits(tensor: Tensor) -> tuple[str, Fraction, Fraction] | None:
    """Codec, and bits of values and of metadata for each element; None where all is values."""
    if tensor.stored is not None:
        return tensor.stored.codec, tensor.stored.data, tensor.stored.meta
    if not tensor.dtype.block:
        return None
    scales = Fraction(tensor.dtype.scale_bits, tensor.dtype.block)
    return str(tensor.dtype), Fraction(tensor.dtype.bits), scales


def _total(elements: dict[tuple[str, Fraction, Fraction], int], codec: str) -> tuple[int, int, int]:
    found = [(data, meta, count) for (name, data, meta), count in elements.items() if name == codec]
    return (
        sum(count for _, _, count in found),
        math.ceil(sum(data * count for data, _, count in found)),
        math.ceil(sum(meta * count for _, meta, count in found)),
    )
