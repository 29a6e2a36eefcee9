"""Whatever code of a plugin raises is told with the file and line of the plugin's own code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Codesign
from failing_plugins import MODEL, PASS, board, caught, line_of, lowering, work, write

import codesign as package
from codesign.errors import CodesignError, PluginError
from codesign.plugins import Registry, registry
from codesign.pytest_plugin import codesign_checks
from codesign.testing.suite import plugin_checks

SUPPORTS = "def supports(self, op): return 1 // len(op.inputs[9:])"
PLAN = "def plan(self, op, budget): return 1 // (op.macs * 0)"
PROCESS = """
    def process(self, env, op, ports):
        yield env.timeout(1)
        raise KeyError("bank")
"""
SERVICE = "def service(self, descriptors): return [][len(descriptors)]"
ENERGIES = "def energies_j(self): return {'read': [][0]}"
CHECK = "def check(self): return 1 // 0"


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    registry.cache_clear()


@pytest.mark.parametrize(
    ("engine", "memory", "function", "told"),
    [
        (SUPPORTS, "", "supports", "fancy (fancy): supports() of 'matmul' raised ZeroDivisionErr"),
        (PLAN, "", "plan", "fancy (fancy): plan() of 'lookup' raised ZeroDivisionError"),
        ("", SERVICE, "service", "sram (store): raised IndexError: list index out of range"),
        ("", ENERGIES, "energies_j", "sram (store): raised IndexError: list index out of range"),
        (CHECK, "", "check", "fancy (fancy): raised ZeroDivisionError: integer division"),
    ],
)
def test_a_run_names_the_line_of_a_component_that_fails(
    engine: str, memory: str, function: str, told: str, tmp_path: Path
) -> None:
    file = board(tmp_path, engine, memory)
    module = tmp_path / "engine.py"
    with pytest.raises(PluginError) as caught:
        package.simulate("lstm_lm" if engine == PLAN else work(), file, plugins=[tmp_path])
    place = f" at {module}:{line_of(module, f'def {function}(')} in {function}; "
    assert told.split(" of ")[0] in str(caught.value)
    assert place in str(caught.value)


def test_a_run_names_the_line_of_a_process_that_fails(tmp_path: Path) -> None:
    file = board(tmp_path, PROCESS.strip().replace("\n    ", "\n        "))
    module = tmp_path / "engine.py"
    text = module.read_text().replace("        def process", "    def process")
    module.write_text(text)
    with pytest.raises(PluginError) as caught:
        package.simulate("lstm_lm", file, plugins=[tmp_path])
    line = line_of(module, "raise KeyError")
    assert f"fancy (fancy): raised KeyError: 'bank' at {module}:{line} in process" in str(
        caught.value
    )


def test_an_error_of_the_users_own_watcher_is_left_alone(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise InterruptedError("enough")

    with pytest.raises(InterruptedError, match="enough"):
        package.simulate(work(), board(tmp_path), plugins=[tmp_path], watch=stop)


def test_an_error_of_a_shipped_component_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def service(self: object, descriptors: object) -> None:
        raise IndexError("ours")

    from codesign_plugins.sram import Sram

    monkeypatch.setattr(Sram, "service", service)
    with pytest.raises(IndexError, match="ours"):
        package.simulate(work(), package.load_hardware("edge-npu").with_("sram.size", "1 MiB"))


def test_a_capture_names_the_line_of_a_lowering_that_fails(tmp_path: Path) -> None:
    file, place = lowering(tmp_path)
    example = registry([file]).get("codesign_examples")["gate_mine.gate"]
    with pytest.raises(PluginError) as caught:
        package.trace(*example.make(), plugins=[file])
    begins = "the lowering of gate_mine.gate.default in the model itself raised AttributeError: "
    assert str(caught.value).startswith(begins)
    assert str(caught.value).endswith(f"{place}mend it")


@pytest.mark.parametrize(
    ("body", "model", "text", "function", "begins"),
    [
        (PASS, "lstm_lm", "len(trace.items)", "zz", "the fusion pass 'zz' raised IndexError"),
        (MODEL, "mine", "[][batch]", "build", "mine failed to build: IndexError: list index"),
    ],
)
def test_a_pass_and_a_model_that_fail_name_their_line(
    body: str, model: str, text: str, function: str, begins: str, tmp_path: Path
) -> None:
    file = write(tmp_path, body)
    with pytest.raises(CodesignError) as caught:
        package.simulate(model, "edge-npu", plugins=[tmp_path])
    assert str(caught.value).startswith(begins)
    assert f" at {file}:{line_of(file, text)} in {function}" in str(caught.value)


def test_a_factory_of_the_users_own_module_names_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codesign: Codesign
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets_of_mine.py").write_text("def net():\n    return {}['width']\n")
    (tmp_path / "nets_half.py").write_text("x = 1\ny = x.wrong\n")
    (tmp_path / "nets_torn.py").write_text("x = 1\ndef net(:\n")
    for spec, ends in (
        ("nets_of_mine:net", "KeyError: 'width' at nets_of_mine.py:2 in net"),
        ("nets_half:net", "has no attribute 'wrong' at nets_half.py:2; mend the file"),
        ("nets_torn:net", "(nets_torn.py, line 2) at nets_torn.py:2; mend the file"),
    ):
        ran = codesign("simulate", spec, "--hardware", "edge-npu")
        assert ran.code == 2
        assert ends in ran.err


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("x = 1\ny = x.wrong", "failed to load: AttributeError: 'int' object has no attribute"),
        ("def f(:", "failed to load: SyntaxError: invalid syntax"),
        ("@hookimpl\ndef codesign_models():\n    {}['x']", "failed: codesign_models raised KeyErr"),
    ],
)
def test_a_plugin_that_does_not_load_names_its_line(body: str, told: str, tmp_path: Path) -> None:
    file = write(tmp_path, body)
    line = len(file.read_text().splitlines())
    with pytest.raises(PluginError) as caught:
        Registry([tmp_path]).found("codesign_models")
    assert f"plugin 'engine' ({file}) {told}" in str(caught.value)
    assert f" at {file}:{line}" in str(caught.value)
    (found,) = (o for o in (c.outcome() for c in plugin_checks(file)) if o.state == "failed")
    assert f" at {file}:{line}" in found.message


@pytest.mark.parametrize(
    ("engine", "memory", "title", "function"),
    [
        (PLAN, "", "kind fancy", "plan"),
        ("", SERVICE, "kind store", "service"),
        ("def supports(self, op): assert op.macs < 0", "", "kind fancy", "supports"),
        ("def supports(self, op): return Vector(lanes=0).check() or self.wrong()", "", "kind", "s"),
    ],
)
def test_the_kit_names_the_line_of_what_fails(
    engine: str, memory: str, title: str, function: str, tmp_path: Path
) -> None:
    board(tmp_path, engine, memory)
    file = tmp_path / "engine.py"
    found = [check.outcome() for check in plugin_checks(file)]
    messages = [one.message for one in found if one.state == "failed" and title in one.title]
    line = line_of(file, (engine or memory)[:12])
    assert any(f" at {file}:{line} in {function}" in message for message in messages), messages


def test_the_kit_names_the_line_of_a_lowering(tmp_path: Path) -> None:
    file, place = lowering(tmp_path)
    messages = [one.message for one in (check.outcome() for check in plugin_checks(file))]
    assert any(f"{place}bind every output" in message for message in messages)


def test_the_command_and_pytest_say_the_same(tmp_path: Path, codesign: Codesign) -> None:
    board(tmp_path, PLAN)
    file = tmp_path / "engine.py"
    place = f" at {file}:{line_of(file, 'def plan')} in plan; "
    ran = codesign("plugins", "check", file)
    assert ran.code == 1
    assert place in ran.out
    checks = {str(param.id): param.values[0] for param in codesign_checks(file, "fancy")}
    assert place in str(caught(checks["kind fancy (defaults): keeps its promises"]))
