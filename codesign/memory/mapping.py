"""Address mapping as data: which bits of an address say channel, rank, bank, row and column."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign.errors import HardwareError, did_you_mean

if TYPE_CHECKING:
    from codesign.memory.device import Organisation

Ints: TypeAlias = NDArray[np.int64]

_WORD = re.compile(r"[a-z]{2}(:[0-9]{1,2})?")
FIELDS = ("ch", "pc", "ra", "bg", "ba", "ro", "co")
"""Channel, pseudo-channel, rank, bank group, bank in the group, row, column (in transactions)."""


@dataclass(frozen=True, slots=True)
class Xor:
    """A field is XORed with a slice of another one.

    Attributes:
        field: changed field.
        source: field whose bits are taken; it must not be changed itself.
        shift: lowest bit of the slice, which is as wide as ``field``; less than the bits of the
            source.
    """

    field: str
    source: str
    shift: int


@dataclass(frozen=True, slots=True)
class AddressMapping:
    """Fields from the most to the least significant bit above the offset in a transaction.

    Attributes:
        fields: names of ``FIELDS``; ``co:2`` takes the two lowest bits of the column that are not
            taken yet, counted from the right, and ``co`` all that are left. A field that the
            organisation has one of may be left out.
        xors: applied to the sliced fields in order.
    """

    fields: tuple[str, ...]
    xors: tuple[Xor, ...] = ()

    @classmethod
    def parse(cls, text: str) -> AddressMapping:
        """Reads ``"ro ch ra ba bg co"``, or the same without spaces."""
        words = text.split()
        if len(words) == 1 and ":" not in text:
            words = [text[at : at + 2] for at in range(0, len(text), 2)]
        return cls(tuple(words))

    def check(self, organisation: Organisation, name: str) -> None:
        """Refuses a mapping that does not reach every byte exactly once.

        Args:
            organisation: of the memory.
            name: of the device, for the message.

        Raises:
            HardwareError: in one line.
        """
        bits = field_bits(organisation)
        for word in self.fields:
            if word.partition(":")[0] not in FIELDS or not _WORD.fullmatch(word):
                raise HardwareError(
                    f"{name}: mapping has the unknown field {word[:40]!r}"
                    f"{did_you_mean(word[:40], FIELDS)}"
                )
        taken = self._slices(bits)
        for field, width in bits.items():
            covered = sum(count for at, _, count in taken if at == field)
            if covered != width:
                raise HardwareError(
                    f"{name}: mapping '{' '.join(self.fields)}' covers {covered} of the {width} "
                    f"bits of field {field!r}; name it once, or its parts as '{field}:2'"
                )
        changed = {xor.field for xor in self.xors}
        for xor in self.xors:
            if xor.source in changed or xor.shift < 0:
                raise HardwareError(
                    f"{name}: mapping XORs {xor.field!r} with bits of {xor.source!r} from "
                    f"{xor.shift}, which cannot be undone; take a field that no XOR changes"
                )
            if 0 < bits[xor.source] <= xor.shift:
                raise HardwareError(
                    f"{name}: mapping XORs {xor.field!r} with bits of {xor.source!r} from "
                    f"{xor.shift} on, but it has {bits[xor.source]}; lower the shift below that"
                )

    def split(self, transactions: Ints, organisation: Organisation) -> dict[str, Ints]:
        """The fields of each transaction number (address divided by the transaction's bytes)."""
        bits = field_bits(organisation)
        parts: dict[str, Ints] = {}
        at = 0
        for field, low, count in self._slices(bits):
            if count:
                piece = (transactions >> at & (1 << count) - 1) << low
                parts[field] = parts[field] | piece if field in parts else piece
            at += count
        for field in FIELDS:
            parts.setdefault(field, np.zeros(len(transactions), dtype=np.int64))
        for xor in self.xors:
            parts[xor.field] ^= parts[xor.source] >> xor.shift
        for field in {xor.field for xor in self.xors}:
            parts[field] &= (1 << bits[field]) - 1
        return parts

    def _slices(self, bits: dict[str, int]) -> list[tuple[str, int, int]]:
        """Field, its lowest bit and count, from the least significant bit of the address."""
        left = dict(bits)
        slices = []
        for word in reversed(self.fields):
            field, _, count = word.partition(":")
            low = bits[field] - left[field]
            width = int(count) if count else left[field]
            slices.append((field, low, width))
            left[field] -= width
        return slices


def field_bits(organisation: Organisation) -> dict[str, int]:
    """Bits that each field of ``FIELDS`` needs."""
    counts = {
        "ch": organisation.channels,
        "pc": organisation.pseudo_channels,
        "ra": organisation.ranks,
        "bg": organisation.bank_groups,
        "ba": organisation.banks_per_group,
        "ro": organisation.rows,
        "co": organisation.columns // organisation.burst_length,
    }
    return {field: count.bit_length() - 1 for field, count in counts.items()}


def mop4clxor(organisation: Organisation) -> AddressMapping:
    """Minimalist open page with four-transaction blocks and XOR (Kaseridis et al., MICRO 2011).

    Two column bits are lowest, then channel, pseudo-channel, rank, bank group and bank, then the
    other column bits and the row. Each field above the column is XORed with successive bits of the
    column, as Ramulator 2.1 does; the paper takes bits of the row.
    """
    bits = field_bits(organisation)
    xors, shift = [], 0
    for field in ("pc", "ra", "bg", "ba", "ro"):
        if bits[field] and shift < bits["co"]:
            xors.append(Xor(field, "co", shift))
            shift += bits[field]
    return AddressMapping(("ro", "co", "ba", "bg", "ra", "pc", "ch", "co:2"), tuple(xors))


def decode(address: Ints, mapping: AddressMapping, organisation: Organisation) -> dict[str, Ints]:
    """The fields of each byte address.

    Raises:
        HardwareError: an address is negative or outside the capacity.
    """
    capacity = organisation.capacity_bytes
    if len(address) and not 0 <= address.min() <= address.max() < capacity:
        first = int(address[np.argmax((address < 0) | (address >= capacity))])
        raise HardwareError(
            f"address {first} is outside the memory of {capacity} bytes; "
            "move the buffer or take a larger device"
        )
    return mapping.split(address >> organisation.transaction_bytes.bit_length() - 1, organisation)
