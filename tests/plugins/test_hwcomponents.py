"""The adapter to an external estimator, on stand-ins for its packages that behave as they do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from codesign_plugins import hwcomponents as adapter

from codesign.energy import EnergyTables, Estimate, read_query, shipped_tables
from codesign.energy.row import Quantity
from codesign.errors import EnergyError
from codesign.plugins import registry

CORE = """
class ActionCost:
    def __init__(self, energy, latency, throughput):
        self.energy, self.latency, self.throughput = energy, latency, throughput
"""
CACTI = """
from hwcomponents import ActionCost

calls = []

class SRAM:
    def __init__(self, tech_node, width=None, depth=None, size=None, n_rw_ports=1, n_banks=1):
        calls.append((tech_node, size, width, n_banks))
        if size > 2**30:
            raise Exception("CACTI failed with exit code 1. Please check\\nthe log")
        self.area, self.leak_power = size * 1e-13, size * 1e-11
        self.energy = size * 1e-17 if size < 2**29 else size * (1e-17 + 1e-18j)

    def read(self):
        return ActionCost(energy=self.energy, latency=1e-9, throughput=1e9)

    def write(self):
        return ActionCost(energy=self.energy / 2, latency=1e-9, throughput=1e9)
"""
ALADDIN = """
from hwcomponents import ActionCost
from hwcomponents_library.base import Base

class AladdinIntMAC(Base):
    def __init__(self, tech_node, adder_width=16, multiplier_width=8):
        self.area, self.leak_power = 1e-10, 2e-6
        self.energy = 1e-15 * (adder_width + multiplier_width**2)

    def compute(self):
        return ActionCost(energy=self.energy, latency=1e-9, throughput=1e9)

class AladdinAdder(Base):
    def __init__(self, tech_node, width=32):
        self.area, self.leak_power, self.width = 1e-10, 2e-6, width

    def add(self):
        return ActionCost(energy=self.width * 1e-15, latency=0.0, throughput=1e9)
"""
PACKAGES = {
    "hwcomponents/__init__.py": CORE,
    "hwcomponents_cacti/__init__.py": CACTI,
    "hwcomponents_library/__init__.py": "from hwcomponents_neurosim import FlipFlop\n",
    "hwcomponents_library/base.py": "class Base: pass\n",
    "hwcomponents_library/library/aladdin.py": ALADDIN,
    "hwcomponents_neurosim/__init__.py": "raise SystemError('the CC BY-NC part was imported')\n",
}


def is_theirs(name: str) -> bool:
    return name.split(".")[0].startswith("hwcomponents")


@pytest.fixture(autouse=True)
def _no_memory_of_earlier_tests() -> Iterator[None]:
    for _ in ("before", "after"):
        adapter._part.cache_clear()
        adapter._aladdin.cache_clear()
        for name in filter(is_theirs, list(sys.modules)):
            del sys.modules[name]
        if _ == "before":
            yield


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Puts the stand-ins where Python finds them."""
    for name, text in PACKAGES.items():
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path / "site")
    return tmp_path / "site"


def ask(quantity: Quantity = "energy", **words: Any) -> Estimate:
    tables = EnergyTables(shipped_tables().rows, adapter.codesign_energy_estimators())
    return tables.estimate(read_query({**words, "estimator": "hwcomponents"}, quantity))


def sram(quantity: Quantity = "energy", **words: Any) -> Estimate:
    plain = {"component": "sram", "action": "read", "node": 22, "size": "64 KiB"}
    return ask(quantity, **{**plain, **words})


def test_it_is_offered_as_any_plugin_would_be() -> None:
    assert registry().tables().estimators["hwcomponents"] is adapter.estimate


def test_without_the_packages_the_error_says_what_to_install() -> None:
    for words in ({"component": "sram", "size": 64}, {"component": "mac", "bits": 8}):
        with pytest.raises(EnergyError) as caught:
            ask("area", **words, node=22)
        message = str(caught.value)
        assert message.startswith("estimator 'hwcomponents' needs the packages hwcomponents, hw")
        assert "pip install 'codesign[estimators]'" in message
        assert "\n" not in message


def test_a_memory_is_asked_in_its_units(installed: Path) -> None:
    found = sram(width=128, banks=2)
    calls = sys.modules["hwcomponents_cacti"].calls
    assert calls == [(pytest.approx(22e-9), 8 * 65536, 128, 2)]
    assert found.value == pytest.approx(8 * 65536 * 1e-17)
    assert (found.status, found.flags) == ("tool", ())
    assert found.source.startswith("hwcomponents")
    assert sram(action="write").value == pytest.approx(found.value / 2)
    assert sram("area").value == pytest.approx(8 * 65536 * 1e-13)
    assert sram("leakage", count=3).value == pytest.approx(3 * 8 * 65536 * 1e-11)
    assert sram("latency").value == 1e-9


def test_a_question_is_asked_once(installed: Path) -> None:
    tables = EnergyTables((), adapter.codesign_energy_estimators())
    words: dict[str, Any] = {"component": "sram", "action": "read", "node": 22, "size": 64}
    query = read_query({**words, "estimator": "hwcomponents"})
    assert tables.estimate(query) is tables.estimate(query)
    assert len(sys.modules["hwcomponents_cacti"].calls) == 1


def test_arithmetic_comes_from_the_library_without_its_start(installed: Path) -> None:
    mac = ask(component="mac", action="compute", node=22, bits=8, accumulator_bits=16)
    assert mac.value == pytest.approx(80e-15)
    add = ask(component="adder", action="add", node=22, bits=24)
    assert add.value == pytest.approx(24e-15)


def test_the_part_that_is_not_free_is_never_imported(installed: Path) -> None:
    ask(component="mac", action="compute", node=22, bits=8)
    sram()
    assert not [name for name in sys.modules if name.startswith("hwcomponents_neurosim")]
    assert not [name for name in sys.modules if name.startswith("hwcomponents_library")]
    with pytest.raises(SystemError, match="was imported"):  # the stand-in would have told
        __import__("hwcomponents_neurosim")


def test_a_library_that_somebody_else_has_loaded_stays_loaded(installed: Path) -> None:
    theirs = object()
    sys.modules["hwcomponents_library"] = theirs  # type: ignore[assignment]
    sys.modules["hwcomponents_neurosim"] = theirs  # type: ignore[assignment]
    sram()
    assert sys.modules["hwcomponents_library"] is theirs
    assert sys.modules["hwcomponents_neurosim"] is theirs


def test_a_module_that_needs_the_forbidden_part_is_refused(installed: Path) -> None:
    path = installed / "hwcomponents_library/library/aladdin.py"
    path.write_text("from hwcomponents_neurosim import FlipFlop\n")
    with pytest.raises(EnergyError, match="needs hwcomponents_neurosim, which is CC BY-NC and not"):
        ask(component="mac", action="compute", node=22, bits=8)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"size": "200 MiB"}, r"hwcomponents has no answer for sram read: Exception: CACTI failed"),
        (
            {"size": "80 MiB"},
            r"hwcomponents answers sram read with energy_j = .*j\), which is none",
        ),
        ({"action": "erase"}, r"hwcomponents knows no action 'erase' of sram; write one of read,"),
        ({"voltage": "0.8 V"}, r"hwcomponents takes no voltage, type or format; drop it, or ask"),
        ({"type": "lstp"}, r"hwcomponents takes no voltage, type or format"),
        ({"component": "cache"}, r"hwcomponents is not asked for 'cache'.* known: adc, adder, mac"),
        ({"estimator": "hwcomponent"}, r"unknown estimator 'hwcomponent'; did you mean 'hwcomp"),
    ],
)
def test_what_it_cannot_answer_is_told_in_one_line(
    installed: Path, words: dict[str, Any], message: str
) -> None:
    plain = {"component": "sram", "action": "read", "node": 22, "size": "64 KiB"}
    tables = EnergyTables((), adapter.codesign_energy_estimators())
    with pytest.raises(EnergyError, match=message) as caught:
        tables.estimate(read_query({**plain, "estimator": "hwcomponents", **words}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"component": "sram", "action": "read", "node": 22}, "needs a size for sram; add it"),
        ({"component": "sram", "action": "read", "size": 64}, "needs a node for sram; add it"),
        ({"component": "mac", "action": "compute", "node": 22}, "needs bits for mac"),
        (
            {
                "component": "mac",
                "action": "compute",
                "node": 22,
                "activation_bits": 8,
                "weight_bits": 4,
            },
            "takes one width for both factors of a mac; ask the tables",
        ),
    ],
)
def test_what_it_needs_is_told(installed: Path, words: dict[str, Any], message: str) -> None:
    with pytest.raises(EnergyError, match=f"hwcomponents {message}"):
        ask(**words)


def test_a_state_other_than_active_is_left_to_the_tables(installed: Path) -> None:
    with pytest.raises(EnergyError, match="hwcomponents takes no state but active"):
        sram("leakage", state="retention")
