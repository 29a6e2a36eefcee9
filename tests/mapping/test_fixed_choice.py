"""Which engines are asked to keep to a fixed mapping, and what the others say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from codesign_plugins.systolic import Systolic
from toy_machine import machine, priced

from codesign import load_hardware
from codesign.errors import MappingError
from codesign.hardware.component import Engine
from codesign.hardware.fixed import FixedMapping
from codesign.hardware.plan import Budget
from codesign.hardware.spec import list_hardware
from codesign.mapping.answers import plan_of
from codesign.mapping.choice import choose
from codesign.mapping.paths import Paths
from codesign.testing import elementwise, matmul

AMPLE = Budget(1 << 20, 1e9, 1e9)
PRODUCT = matmul(16, 32, 24)
MAPPING = FixedMapping((1, 8, 24, 32), place="here: op")


def systolic(**fields: Any) -> Systolic:
    return Systolic(name="npu", buffer="sram", rows=8, cols=8, **fields)


@dataclass(frozen=True, kw_only=True)
class Deaf(Systolic):  # type: ignore[misc]
    """Takes no mappings."""

    takes_mappings = False


def test_an_engine_that_takes_no_mappings_is_not_asked_to() -> None:
    hardware = machine(Deaf(name="deaf", buffer="sram"), buffer=1 << 16)
    homes = ("dram",) * 3
    with pytest.raises(MappingError) as caught:
        choose(PRODUCT, Paths(hardware), {}, homes, fixed=MAPPING)
    assert "deaf (systolic) plans by itself and takes no fixed mapping" in str(caught.value)
    assert choose(PRODUCT, Paths(hardware), {}, homes).engine.name == "deaf"


def test_of_several_engines_those_that_take_it_are_asked() -> None:
    deaf, npu = Deaf(name="deaf", buffer="sram", rows=64, cols=64), systolic()
    paths, homes = Paths(machine(deaf, npu, buffer=1 << 16)), ("dram",) * 3
    assert choose(PRODUCT, paths, {}, homes).engine.name == "deaf"
    assert choose(PRODUCT, paths, {}, homes, fixed=MAPPING).engine.name == "npu"


def test_no_engine_takes_mappings_unless_it_says_so() -> None:
    assert not Engine.takes_mappings
    assert not priced().takes_mappings


@pytest.mark.parametrize("preset", [p.name for p in list_hardware()])
def test_the_engines_of_presets_take_mappings_or_refuse_them_by_name(preset: str) -> None:
    for engine in load_hardware(preset).engines:
        budget = replace(AMPLE, fixed=FixedMapping((4,), place="here"))
        op = elementwise((64,))
        if engine.supports(op) is not None:
            continue
        if engine.takes_mappings:
            assert plan_of(engine, op, budget).tiles == 16
