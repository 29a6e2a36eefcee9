"""An exit in the code of others is an error: the program never ends in silence, with success."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Codesign
from failing_plugins import MODEL, PASS, board, lowering, work, write

import codesign as package
from codesign.energy.query import Query
from codesign.energy.row import Row
from codesign.energy.tables import EnergyTables
from codesign.errors import CodesignError, PluginError
from codesign.hardware.own_kinds import own_faults
from codesign.plugins import registry
from codesign.raised import frames, raised


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    registry.cache_clear()


EXIT = "raise SystemExit(0)"


@pytest.mark.parametrize(
    ("engine", "memory"),
    [
        (f"def supports(self, op): {EXIT}", ""),
        (f"def plan(self, op, budget): {EXIT}", ""),
        (f"def check(self): {EXIT}", ""),
        ("", f"def service(self, descriptors): {EXIT}"),
        ("", f"def energies_j(self): {EXIT}"),
        ("", f"@property\n    def brings(self): {EXIT}"),
    ],
)
def test_a_component_that_exits_is_named(engine: str, memory: str, tmp_path: Path) -> None:
    file = board(tmp_path, engine, memory)
    with pytest.raises(PluginError, match=r"(fancy|sram) \((fancy|store)\).* SystemExit: 0 at "):
        package.simulate("lstm_lm" if "plan" in engine else work(), file, plugins=[tmp_path])


@pytest.mark.parametrize(
    ("body", "text", "model"),
    [
        (PASS, "return trace.items[len(trace.items)]", "lstm_lm"),
        (MODEL, "return [][batch]", "mine"),
    ],
)
def test_a_pass_and_a_model_that_exit_are_named(
    body: str, text: str, model: str, tmp_path: Path
) -> None:
    write(tmp_path, body.replace(text, EXIT))
    with pytest.raises(CodesignError, match="SystemExit: 0 at "):
        package.simulate(model, "edge-npu", plugins=[tmp_path])


def test_a_lowering_that_exits_is_named(tmp_path: Path) -> None:
    file, _ = lowering(tmp_path)
    file.write_text(file.read_text().replace("node.wrong", "exit(0)"))
    example = registry([file]).get("codesign_examples")["gate_mine.gate"]
    with pytest.raises(PluginError, match=r"the lowering of gate_mine.* SystemExit: 0 at "):
        package.trace(*example.make(), plugins=[file])


def test_a_model_that_exits_while_it_is_captured_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codesign: Codesign
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets_exit.py").write_text(
        "import sys, torch\n\n"
        "class Net(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        "        sys.exit(0)\n\n"
        "def net():\n"
        "    return Net(), (torch.zeros(2),)\n"
    )
    ran = codesign("simulate", "nets_exit:net", "--hardware", "edge-npu")
    assert ran.code == 2
    assert "SystemExit" in ran.err


def test_an_error_that_is_its_own_cause_is_told_as_it_is() -> None:
    error = ValueError("boom")
    with pytest.raises(ValueError, match="boom") as caught:
        raise error from error
    assert raised(caught.value) == "ValueError: boom"
    assert len([*frames(caught.value)]) == 1


def test_two_errors_that_cause_each_other_end() -> None:
    first, second = ValueError("boom"), ValueError("boom")
    first.__cause__, second.__cause__ = second, first
    assert [*frames(first)] == []


def test_the_innermost_component_is_blamed(tmp_path: Path) -> None:
    asks = "def asks(self, other): return other.fails()"
    machine = package.load_hardware(
        board(tmp_path, asks, "def fails(self): raise SystemExit(0)"), plugins=[tmp_path]
    )
    fancy: Any = machine.components["fancy"]
    with pytest.raises(PluginError, match=r"^sram \(store\): raised .* in fails"):  # noqa: SIM117
        with own_faults(machine):
            fancy.asks(machine.components["sram"])


def test_an_estimator_that_exits_is_named() -> None:
    def leaves(query: Query) -> Row:
        raise SystemExit(0)

    tables = EnergyTables((), {"mine": leaves})
    with pytest.raises(PluginError, match="estimator 'mine' raised SystemExit: 0"):
        tables.estimate(Query(component="own", action="read", estimator="mine"))
