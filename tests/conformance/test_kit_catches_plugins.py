"""A new plugin passes; with one fault it fails, in a line that says what to change."""

from __future__ import annotations

from pathlib import Path

import pytest
from broken_plugins import failures, outcomes, written

from codesign.templates import USES

LIGHT = ("engine", "memory", "link", "fusion", "format", "exporter", "searcher", "executor")
READ = '("buffer", "read", read)'
PLAN = "return replace(plan, slots="

FAULTS: dict[str, tuple[str, tuple[tuple[str, str], ...], str]] = {
    "a hook with an argument": (
        "engine",
        (("def codesign_components()", "def codesign_components(colour)"),),
        "a hook takes no arguments: write def codesign_components()",
    ),
    "a hook of another name": (
        "engine",
        (("def codesign_components()", "def codesign_component()"),),
        "unknown hook 'codesign_component'",
    ),
    "a module that raises": (
        "exporter",
        (("def write_energies", "raise ValueError('no licence')\n\n\ndef write_energies"),),
        "failed to load: ValueError: no licence",
    ),
    "nothing offered": (
        "engine",
        (("@hookimpl\n", ""),),
        "holds no plugin: nothing in probe.py is marked with @hookimpl; mark a function of a name",
    ),
    "a negative energy": (
        "engine",
        (('{"mac": self.mac_energy}', '{"mac": -self.mac_energy}'),),
        "one 'mac' must cost at least 0 J, got -2.3e-13; correct energies_j",
    ),
    "lost bytes": (
        "engine",
        ((PLAN, "return replace(plan, loop=type(plan.loop)((plan.first,)), slots="),),
        "every input byte crosses at least once",
    ),
    "another plan at each call": (
        "engine",
        (
            (PLAN, "return replace(plan, note=str(id(object())) + str(next(COUNT)), slots="),
            ("@dataclass", "COUNT = iter(range(10**9))\n\n\n@dataclass"),
        ),
        "two calls gave two plans; keep no state and draw no random numbers",
    ),
    "a number without a unit": (
        "engine",
        (("clock: Hertz", "clock: float"),),
        "Probe.clock: a number without a unit; annotate it with a type of codesign.units",
    ),
    "an energy without a source": (
        "engine",
        (("; 8-bit, 45 nm (Horowitz, ISSCC 2014)", ""),),
        "Probe.mac_energy: its default has no source; end its entry in 'Attributes:' with",
    ),
    "a field without documentation": (
        "engine",
        (("        lanes: multiply-accumulates per cycle.\n", ""),),
        "Probe.lanes: not documented; add it to 'Attributes:'",
    ),
    "a class that no process can have": (
        "engine",
        (
            ("@dataclass(frozen=True, kw_only=True)\nclass Probe(Engine)", "class Hidden(Engine)"),
            (
                "@hookimpl",
                "Probe = dataclass(frozen=True, kw_only=True)(Hidden)\ndel Hidden\n\n\n@hookimpl",
            ),
        ),
        "cannot be pickled",
    ),
    "faster than its port": (
        "engine",
        (("max(1 / self.lanes, port)", "(1 / self.lanes)"),),
        "let a tile take at least budget.port_cycles(bytes at the buffer, clock)",
    ),
    "supports what it cannot plan": (
        "engine",
        (
            (
                'None if op.kind == "contraction" else f"takes contractions only, not {op.kind}"',
                "None",
            ),
        ),
        "raise codesign.errors.MappingError where nothing fits",
    ),
    "supports that answers True": (
        "engine",
        (("None if op.kind", "True if op.kind"),),
        "must be None or the reason why not, got True",
    ),
    "a plan of another type": (
        "engine",
        ((PLAN, "return tuple  # replace(plan, slots="),),
        "must return a codesign.TilePlan, got",
    ),
    "an instance for a class": (
        "engine",
        (("return [Probe]", "return [Probe(name='probe', buffer='b')]"),),
        "return classes below codesign.Engine, Memory or Link",
    ),
    "a required field": (
        "engine",
        (("lanes: Count = 16", "lanes: Count"),),
        "give every field a default, put a hardware file *.yaml that uses kind 'probe' beside",
    ),
    "a private import": (
        "exporter",
        (
            (
                "from codesign import Result",
                "from codesign.plugins import _unique\nfrom codesign import Result",
            ),
        ),
        "imports codesign.plugins._unique, which is private",
    ),
    "the command line": (
        "exporter",
        (
            (
                "from codesign import Result",
                "from codesign.cli import main\nfrom codesign import Result",
            ),
        ),
        "imports codesign.cli.main, which is private",
    ),
    "another plugin": (
        "exporter",
        (
            (
                "from codesign import Result",
                "from codesign_plugins.sram import Sram\nfrom codesign import Result",
            ),
        ),
        "imports codesign_plugins.sram, another plugin; a plugin stands alone",
    ),
    "a memory of half bytes": (
        "memory",
        (("Service(round(self.write_rate if is_written else self.read_rate))", "Service(0.5)"),),
        "bytes_per_s must be a whole number of at least 1, got 0.5; round it",
    ),
    "a link that changes its mind": (
        "link",
        (
            ("return round(self.lanes * self.lane_rate)", "return next(COUNT)"),
            ("@dataclass", "COUNT = iter(range(1, 10**9))\n\n\n@dataclass"),
        ),
        "two reads of its rate or set-up time differ; keep no state",
    ),
    "an exporter with an ending of its own": (
        "exporter",
        (("path.write_text", "path.with_suffix('.txt').write_text"),),
        "write to the path as it is, without another ending",
    ),
    "an exporter that leaves more": (
        "exporter",
        (("    path.write_text", "    (path.parent / 'log').touch()\n    path.write_text"),),
        "write the one file and nothing beside it",
    ),
    "an exporter that writes above": (
        "exporter",
        (("    path.write_text", "    (path.parent.parent / 'log').touch()\n    path.write_text"),),
        "write the one file and nothing beside it",
    ),
    "an exporter that writes where the process stands": (
        "exporter",
        (("    path.write_text", "    open('log', 'w').close()\n    path.write_text"),),
        "write the one file and nothing beside it",
    ),
    "an exporter that ends the process": (
        "exporter",
        (("    path.write_text", "    raise SystemExit(0)\n    path.write_text"),),
        "raised SystemExit: 0",
    ),
    "a module that ends the process": (
        "exporter",
        (("def write_energies", "raise SystemExit(0)\n\n\ndef write_energies"),),
        "failed to load: SystemExit: 0",
    ),
    "an exporter that writes its path": (
        "exporter",
        (('write_text("".join(lines)', "write_text(str(path)"),),
        "two runs wrote two contents; write no time and no path",
    ),
    "an exporter that raises": (
        "exporter",
        (("    path.write_text", "    1 / 0\n    path.write_text"),),
        "raised ZeroDivisionError: division by zero",
    ),
    "a searcher without a seed": (
        "searcher",
        (("random.Random(seed)", "random.Random()"),),
        "asks for other points with seed 0 again; draw from a generator of that seed",
    ),
    "a searcher beside the space": (
        "searcher",
        (("values_at(self._space, index)", "{**values_at(self._space, index), 'npu.rows': 5}"),),
        "npu.rows",
    ),
    "a searcher that asks for one point": (
        "searcher",
        (("index = next(self._left, None)", "index = 0"),),
        "asks for 1 points of 12, the others again; ask for points that tell() has not told of",
    ),
    "a searcher that asks nothing": (
        "searcher",
        (("None if index is None else", "None if index != -1 else"),),
        "asks for no point at all",
    ),
    "a searcher that is bare": (
        "searcher",
        (("Searcher(Shuffled)", "Shuffled"),),
        "write Searcher(make)",
    ),
    "an executor that leaves points out": (
        "executor",
        (("map(evaluator.measure, tasks)", "map(evaluator.measure, tasks[1:])"),),
        "tell every point once",
    ),
    "a pass that forgets to return": (
        "fusion",
        (("return trace if note", "_ = trace if note"),),
        "must return a codesign.Trace, got None",
    ),
    "a pass that never settles": (
        "fusion",
        (("trace if note in trace.notes else ", ""),),
        "a second run changes the trace again",
    ),
    "a codec below nothing": (
        "format",
        (("Fraction(dtype.bits, 2)", "Fraction(-1)"),),
        "must store some bits of data or metadata and never less than 0",
    ),
    "a validation that changes": (
        "validation",
        (
            ('ours = codesign.simulate(trace, "edge-npu").latency_s', "ours = float(next(COUNT))"),
            ("BANDWIDTH = ", "COUNT = iter(range(1, 10**9))\nBANDWIDTH = "),
        ),
        "two runs of the same rows differ",
    ),
    "a model that is a function": (
        "model",
        (('ModelEntry(build, "one GRU layer of 128", options)', "build"),),
        "must be a codesign.zoo.ModelEntry",
    ),
}


@pytest.mark.parametrize("kind", LIGHT)
def test_a_new_plugin_passes_every_check(kind: str, tmp_path: Path) -> None:
    found = outcomes(written(tmp_path, kind))
    assert [one for one in found if one.state != "passed"] == []
    assert len(found) >= 3


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_with_what_to_change(fault: str, tmp_path: Path) -> None:
    kind, changes, message = FAULTS[fault]
    told = failures(written(tmp_path, kind, *changes))
    assert message in told


@pytest.mark.parametrize("kind", ["lowering", "model", "validation"])
def test_a_new_plugin_that_needs_a_model_passes_too(kind: str, tmp_path: Path) -> None:
    assert {one.state for one in outcomes(written(tmp_path, kind))} == {"passed"}


def test_there_is_a_template_for_every_use() -> None:
    assert set(USES) == {*LIGHT, "lowering", "model", "validation"}


def test_a_hardware_file_beside_a_plugin_gives_an_instance(tmp_path: Path) -> None:
    module = written(tmp_path, "engine", ("lanes: Count = 16", "lanes: Count"))
    board = module.with_suffix(".yaml")
    board.write_text(board.read_text().replace("kind: probe,", "kind: probe, lanes: 8,"))
    found = outcomes(module)
    assert {one.state for one in found} == {"passed"}
    assert any("own of probe.yaml" in one.title for one in found)


def test_an_example_gives_an_instance(tmp_path: Path) -> None:
    module = written(
        tmp_path, "memory", ("read_rate: BytesPerSecond = 64e9", "read_rate: BytesPerSecond")
    )
    module.with_suffix(".yaml").unlink()
    assert "offer one through codesign_examples" in failures(module)
    module.write_text(
        module.read_text()
        + "\n\n@hookimpl\ndef codesign_examples():\n"
        + "    from codesign.testing.examples import Example\n"
        + "    return {'probe': Example(lambda: Probe(name='m', size=1024, read_rate=1e9))}\n"
    )
    from codesign.plugins import registry

    registry.cache_clear()
    found = outcomes(module)
    assert {one.state for one in found} == {"passed"}
    assert any("(its example)" in one.title for one in found)


def test_a_folder_of_a_package_is_one_plugin(tmp_path: Path) -> None:
    module = written(tmp_path, "link")
    package = tmp_path / "probe"
    package.mkdir()
    module.rename(package / "__init__.py")
    found = outcomes(package)
    assert {one.state for one in found} == {"passed"}
    assert found[0].title == "plugin probe: offers something"
