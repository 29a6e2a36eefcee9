"""Questions in words: strict, with the rule, the value and the way out."""

from __future__ import annotations

import pytest

from codesign.energy import Query, read_key, read_query
from codesign.errors import EnergyError


def test_words_become_fields_in_the_units_of_the_tables() -> None:
    query = read_query(
        {
            "component": "sram",
            "action": "read",
            "node": "22 nm",
            "voltage": "800 mV",
            "size": "1 MiB",
            "width": 128,
            "banks": 4,
        }
    )
    assert query == Query(
        "sram",
        "read",
        node_nm=22.0,
        voltage_v=0.8,
        size_bytes=2**20,
        width_bits=128,
        banks=4,
    )
    assert str(query) == "sram read"


@pytest.mark.parametrize("node", [22, 22.0, "22", "22nm", " 22 nm "])
def test_a_node_is_a_name_with_or_without_its_unit(node: object) -> None:
    assert read_key("node", node) == ("node_nm", 22.0)


@pytest.mark.parametrize(("length", "millimetres"), [("2 mm", 2.0), ("2mm", 2.0), ("50 um", 0.05)])
def test_a_length_is_in_millimetres(length: str, millimetres: float) -> None:
    assert read_key("length", length) == ("length_mm", pytest.approx(millimetres))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sise", 1, r"unknown key 'sise'; did you mean 'size'\? known: accumulator_bits, action"),
        ("size", 0, r"size: must be a whole number from 1 B to 1,099,511,627,776 B, got '0'"),
        ("size", -5, r"size: must be a whole number from 1 B"),
        ("size", "1.5", r"size: must be a whole number from 1 B"),
        ("size", "1 mm", r"size: expected a unit of B, got '1 mm'; write for example '1 MiB'"),
        ("size", ["1"], r"size: expected a number in B, got"),
        ("node", "22 GHz", r"node: expected a node of 1 to 1000 nm, got '22 GHz'"),
        ("node", 0, r"node: expected a node of 1 to 1000 nm, got '0'"),
        ("node", True, r"node: expected a node of 1 to 1000 nm, got 'True'"),
        ("voltage", "0.8 A", r"voltage: expected a unit of V, got '0.8 A'"),
        ("voltage", 80, r"voltage: must be 0.1 V to 10 V, got '80'; correct it"),
        ("width", 0, r"width: must be a whole number from 1 to 65,536, got '0'"),
        ("banks", 2.5, r"banks: must be a whole number from 1 to 65,536, got '2.5'"),
        ("length", "3 m", r"length: must be up to 100 mm, got '3 m'; write for example '1.5 mm'"),
        ("length", "-1 mm", r"length: must be up to 100 mm, got '-1 mm'"),
        ("state", "asleep", r"state: unknown state 'asleep'; known: active, off, retention"),
        ("type", "", r"type: must be a word, got ''; write for example 'sram'"),
        ("type", 7, r"type: must be a word, got '7'"),
    ],
)
def test_a_wrong_word_is_told_with_its_key(key: str, value: object, message: str) -> None:
    with pytest.raises(EnergyError, match=message):
        read_query({"component": "sram", key: value})


def test_a_question_needs_a_component() -> None:
    with pytest.raises(EnergyError, match="a question needs a component; add for example"):
        read_query({"node": 22})
