"""A question to the tables, and its words in hardware files, tables and options."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import BeforeValidator

from codesign.energy.row import Quantity
from codesign.errors import EnergyError, UnitError, did_you_mean
from codesign.units import Unit, parse_quantity

_NODE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:nm)?\s*")
_LENGTH = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(um|mm)\s*")
STATES = ("active", "retention", "off")
"""Power states of a memory: in retention it keeps its contents, off it loses them."""


def read_node(value: object) -> float:
    """Reads a technology node in nm: ``"22 nm"``, or 22, since a node is a name.

    Raises:
        UnitError: no number of nm.
    """
    match = _NODE.fullmatch(str(value)[:40]) if not isinstance(value, bool) else None
    if match is None or not 1 <= float(match[1]) <= 1000:
        raise UnitError(
            f"expected a node of 1 to 1000 nm, got {str(value)[:40]!r}; write for example '22 nm'"
        )
    return float(match[1])


def read_volts(value: object) -> float:
    """Reads a voltage to the nanovolt, so that ``700 mV`` is ``0.7 V``.

    Raises:
        UnitError: no number of volts.
    """
    return round(parse_quantity(value, "V"), 9)


Nanometres = Annotated[float, BeforeValidator(read_node), Ge(1), Le(1000), Unit("nm")]
"""A technology node; a node is a name, so ``22`` and ``"22 nm"`` are the same."""
Volts = Annotated[float, BeforeValidator(read_volts), Ge(0.1), Le(10), Unit("V")]
"""A supply voltage from 0.1 V to 10 V, ``"0.8 V"``."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for; fields that do not matter to a component stay as they are.

    Attributes:
        component: ``sram``, ``mac``, ...
        action: ``read``, ``compute``, ...; of no matter to leakage and area.
        quantity: energy of an action, its latency, or area or leakage of the component.
        node_nm: technology node.
        voltage_v: supply voltage: the rows of the nearest one are carried to it; if None, that of
            the rows, and of the first of them where they have several.
        size_bytes: capacity of all banks together.
        width_bits: bits of one access.
        banks: equal banks that share the size.
        type: cell type, device or other variant; the best of all if empty.
        format: number format of arithmetic: ``int``, ``fp16``, ``bf16`` or ``fp32``.
        bits: operand width of an adder, multiplier or lane.
        activation_bits: width of one factor of a multiply-accumulate.
        weight_bits: width of the other.
        accumulator_bits: width of the sum.
        length_mm: length of a wire.
        state: power state that leakage is asked for.
        count: how many of them, for area and leakage.
        estimator: name of the external estimator to ask in place of the tables.
    """

    component: str
    action: str = ""
    quantity: Quantity = "energy"
    node_nm: float | None = None
    voltage_v: float | None = None
    size_bytes: int | None = None
    width_bits: int | None = None
    banks: int = 1
    type: str = ""
    format: str = "int"
    bits: int | None = None
    activation_bits: int | None = None
    weight_bits: int | None = None
    accumulator_bits: int = 32
    length_mm: float = 1.0
    state: str = "active"
    count: int = 1
    estimator: str = ""

    def __str__(self) -> str:
        return f"{self.component} {self.action}".strip()


def _word(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 60:
        raise EnergyError(f"must be a word, got {str(value)[:60]!r}; write for example 'sram'")
    return value


def _whole(unit: str, largest: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        number = parse_quantity(value, unit)
        if number != int(number) or not 1 <= number <= largest:
            where = " B" if unit == "B" else ""
            raise EnergyError(
                f"must be a whole number from 1{where} to {largest:,}{where}, got "
                f"{str(value)[:60]!r}; correct it"
            )
        return int(number)

    return read


def _volts_in_range(value: object) -> float:
    volts = read_volts(value)
    if not 0.1 <= volts <= 10:
        raise EnergyError(f"must be 0.1 V to 10 V, got {str(value)[:40]!r}; correct it")
    return volts


def _length(value: object) -> float:
    match = _LENGTH.fullmatch(str(value)[:40])
    length = float(match[1]) * (1.0 if match[2] == "mm" else 1e-3) if match else 0.0
    if not 0 < length <= 100:
        raise EnergyError(
            f"must be up to 100 mm, got {str(value)[:40]!r}; write for example '1.5 mm'"
        )
    return length


def _state(value: object) -> str:
    if value not in STATES:
        hint = did_you_mean(str(value)[:40], STATES)
        raise EnergyError(f"unknown state {str(value)[:40]!r}{hint}")
    return str(value)


_bits = _whole("1", 65536)
KEYS: Mapping[str, tuple[str, Callable[[object], object]]] = {
    "component": ("component", _word),
    "action": ("action", _word),
    "node": ("node_nm", read_node),
    "voltage": ("voltage_v", _volts_in_range),
    "size": ("size_bytes", _whole("B", 2**40)),
    "width": ("width_bits", _bits),
    "banks": ("banks", _whole("1", 65536)),
    "type": ("type", _word),
    "format": ("format", _word),
    "bits": ("bits", _bits),
    "activation_bits": ("activation_bits", _bits),
    "weight_bits": ("weight_bits", _bits),
    "accumulator_bits": ("accumulator_bits", _bits),
    "length": ("length_mm", _length),
    "state": ("state", _state),
    "count": ("count", _whole("1", 10**9)),
    "estimator": ("estimator", _word),
}
"""Words of a question, the field that each sets, and how its value is read."""


def read_key(key: str, value: object) -> tuple[str, object]:
    """Reads one word of a question: field of ``Query`` and value.

    Raises:
        EnergyError: no such word, or a value that breaks its rule.
    """
    if key not in KEYS:
        raise EnergyError(f"unknown key {key[:60]!r}{did_you_mean(key[:60], KEYS)}")
    field, read = KEYS[key]
    try:
        return field, read(value)
    except (EnergyError, UnitError) as error:
        raise EnergyError(f"{key}: {error}") from error


def read_query(words: Mapping[str, object], quantity: Quantity = "energy") -> Query:
    """A question from its words, as in ``{"component": "sram", "size": "1 MiB"}``.

    Raises:
        EnergyError: an unknown word, a value that breaks its rule, or no component.
    """
    fields = dict(read_key(key, value) for key, value in words.items())
    if "component" not in fields:
        raise EnergyError("a question needs a component; add for example 'component: sram'")
    return Query(**fields, quantity=quantity)  # type: ignore[arg-type]  # each value was read
