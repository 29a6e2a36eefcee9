"""What a saved result must keep to, checked on its own files."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from codesign.quantities import count, quantity, share
from codesign.report.banks import power_states
from codesign.report.roof import bytes_of
from codesign.report.saved import Saved

_NEAR = 1e-9
"""Relative: sums of floats in another order (assumed)."""


@dataclass(frozen=True)
class Check:
    """One law.

    Attributes:
        law: in words.
        holds: whether it does.
        told: the two sides.
    """

    law: str
    holds: bool
    told: str


def find_checks(saved: Saved) -> tuple[Check, ...]:
    """All laws that the files of a result can be held to."""
    return (*_bounds(saved), *_sums(saved), *_spans(saved), *_parts(saved), *_why(saved))


def _bounds(saved: Saved) -> Iterator[Check]:
    said = saved.summary
    lower, span, serial = said.lower_bound_s, said.latency_s, said.serial_bound_s
    told = f"{quantity(lower, 's')} and {quantity(span, 's')}"
    yield Check("the run takes no less than its lower bound", lower <= span * (1 + _NEAR), told)
    if span <= serial * (1 + _NEAR):  # it may take longer where transfers slow each other down
        told = f"{quantity(span, 's')} and {quantity(serial, 's')}"
        yield Check("the run takes no longer than all of it one by one", True, told)
    over = [name for name, used in said.utilization.items() if used > 1 + _NEAR]
    most = max(said.utilization.values(), default=0.0)
    yield Check("no part does more than it can", not over, f"most used: {share(most, 1.0)}")


def _sums(saved: Saved) -> Iterator[Check]:
    said, ledger = saved.summary, math.fsum(saved.ledger["energy_j"])
    told = f"{quantity(ledger, 'J')} and {quantity(said.energy_j, 'J')}"
    yield Check("the ledger sums to the energy", _same(ledger, said.energy_j), told)
    parts = math.fsum(said.energy_by_component_j.values())
    told = f"{quantity(parts, 'J')} and {quantity(said.energy_j, 'J')}"
    yield Check("the components sum to the energy", _same(parts, said.energy_j), told)
    causes = math.fsum((said.dynamic_energy_j, said.leakage_energy_j, said.background_energy_j))
    if causes:
        told = f"{quantity(causes, 'J')} and {quantity(said.energy_j, 'J')}"
        law = "dynamic energy, leakage and background sum to the energy"
        yield Check(law, _same(causes, said.energy_j), told)
    if saved.off_chip:
        moved = sum(bytes_of(saved, part.name) for part in saved.off_chip)
        total = sum(said.offchip_bytes.values())
        told = f"{count(moved)} B and {count(total)} B"
        yield Check("the ledger sums to the bytes off the chip", moved == total, told)


def _spans(saved: Saved) -> Iterator[Check]:
    if len(saved.spans.ends) and saved.left_out <= 0:
        last = int(saved.spans.ends.max())
        told = f"{count(last)} ps and {count(saved.makespan)} ps"
        yield Check("the last operator ends with the run", last == saved.makespan, told)


def _parts(saved: Saved) -> Iterator[Check]:
    for part in saved.parts:
        states = power_states(part)
        if states:
            spent = sum(states.values())
            told = f"{count(spent)} ps and {count(saved.makespan)} ps"
            law = f"{part.name}: the power states fill the run"
            yield Check(law, spent == saved.makespan, told)


def _why(saved: Saved) -> Iterator[Check]:
    if saved.why is not None:
        total = sum(part.ps for part in saved.why.parts)
        told = f"{count(total)} ps and {count(saved.makespan)} ps"
        yield Check("the critical path fills the run", total == saved.makespan, told)


def _same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=_NEAR, abs_tol=1e-30)
