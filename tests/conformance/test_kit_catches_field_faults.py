"""Every check of fields and energies fails on a part with just the fault that it is there for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import pytest
from toy_plugins import Store, caught

from codesign.testing import (
    check_fields,
    check_memory,
)
from codesign.units import Count, Unit


def test_a_field_without_documentation_is_caught() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Silent(Store):
        """A memory.

        Attributes:
            bank: of another name.
        """

        banks: Count = 1

    caught(lambda: check_fields(Silent), "Silent.banks: not documented; add it to 'Attributes:'")


def test_documentation_of_a_base_class_counts() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Plain(Store):
        """A memory with the fields of its base."""

    check_fields(Plain)


@pytest.mark.parametrize(
    "hint", [int, float, float | None, Mapping[str, float], tuple[int, ...]], ids=str
)
def test_a_number_without_a_unit_is_caught(hint: Any) -> None:
    class Bare(Store):
        """A memory.

        Attributes:
            banks: how many.
        """

    Bare.__annotations__ = {"banks": hint}
    Bare.banks = 1  # type: ignore[attr-defined]
    caught(
        lambda: check_fields(dataclass(frozen=True, kw_only=True)(Bare)),
        "Bare.banks: a number without a unit",
    )


@pytest.mark.parametrize(
    "hint",
    [str, bool, Count, Count | None, Mapping[str, Annotated[float, Unit("J")]]],
    ids=["text", "switch", "count", "count or none", "table"],
)
def test_words_switches_and_numbers_with_a_unit_pass(hint: Any) -> None:
    class Fine(Store):
        """A memory.

        Attributes:
            banks: how many.
        """

    Fine.__annotations__ = {"banks": hint}
    Fine.banks = 1  # type: ignore[attr-defined]
    check_fields(dataclass(frozen=True, kw_only=True)(Fine))


def test_a_class_that_can_be_changed_is_caught() -> None:
    class Undecorated(Store):
        """A memory."""

    caught(lambda: check_fields(Undecorated), "decorate it with @dataclass(frozen=True, kw_only")


def test_a_class_without_a_kind_is_caught() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Nameless(Store):
        """A memory."""

        kind: ClassVar[str] = ""

    caught(lambda: check_fields(Nameless), "give it kind: ClassVar[str]")


@pytest.mark.parametrize("energy", [float("nan"), float("inf")])
def test_an_energy_that_is_no_number_is_caught(energy: float) -> None:
    caught(lambda: check_memory(Store(name="s", size=1, energy=energy)), "must cost at least 0 J")


def test_an_energy_out_of_proportion_is_caught() -> None:
    class Squared(Store):
        def energy_j(self, action: str, count: float) -> float:
            return super().energy_j(action, count) * count

    part = dataclass(frozen=True, kw_only=True)(Squared)(name="s", size=1)
    caught(lambda: check_memory(part), "make energy_j proportional to the count")
