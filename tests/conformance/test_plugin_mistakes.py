"""What authors of plugins do: each slip is one line with the file, the line and what to change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from broken_plugins import failures, written
from conftest import Codesign

from codesign.plugins import registry

TRACE = Path(__file__).parents[2] / "traces" / "v1_sample.json"


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    registry.cache_clear()


class Slip(NamedTuple):
    """One slip of an author.

    Attributes:
        kind: of the plugin.
        old: words of its template.
        new: what stands there instead.
        line: text of the line that is told; empty for that of the class.
        message: what a run says, and the kit.
    """

    kind: str
    old: str
    new: str
    line: str
    message: str


SERVES = "return Service(round(self.write_rate if is_written else self.read_rate))"
PRICES = 'return {"read": self.read_energy, "write": self.write_energy}'
SLOTS = '(("effective", op.macs), ("idle lanes", idle))'


def method(text: str) -> tuple[str, str]:
    """A method before that which serves."""
    return "    def service", f"{text}\n\n    def service"


SLIPS = {
    "a kind with another name": Slip(
        "engine", "kind: ClassVar[str]", "knd: ClassVar[str]", "",
        'class Probe must have a kind, the word that hardware files write, got none; write kind:',
    ),
    "a kind that is a number": Slip(
        "engine", 'kind: ClassVar[str] = "probe"', "kind: ClassVar[int] = 3", "", "write, got 3;"
    ),
    "a kind of two words": Slip(
        "engine", 'ClassVar[str] = "probe"', 'ClassVar[str] = "my probe"', "", "got 'my probe';"
    ),
    "a hook misspelled": Slip(
        "engine", "def codesign_components", "def codesign_component", "@hookimpl",
        "did you mean 'codesign_components'?",
    ),
    "a hook with an argument": Slip(
        "engine", "def codesign_components()", "def codesign_components(kinds)", "@hookimpl",
        "takes the argument 'kinds'; a hook takes no arguments: write def codesign_components()",
    ),
    "a generator": Slip(
        "engine", "    return [Probe]", "    yield Probe", "@hookimpl",
        "must return a list, got generator; write return [...]",
    ),
    "a forgotten return": Slip(
        "engine", "    return [Probe]", "    [Probe]", "@hookimpl", "must return a list, got None;"
    ),
    "a class for a list": Slip(
        "engine", "return [Probe]", "return Probe", "@hookimpl", "must return a list, got type;"
    ),
    "a list for a dict": Slip(
        "exporter", 'return {"probe": write_energies}', "return [write_energies]", "@hookimpl",
        "must return a dict by name, got list; write return {...}",
    ),
    "a number for a name": Slip(
        "exporter", 'return {"probe":', "return {3:", "@hookimpl",
        "must name what it offers in text, got 3; name it",
    ),
    "supports without its argument": Slip(
        "engine", "def supports(self, op: Op)", "def supports(self)", "def supports",
        "supports() takes 1 positional argument but 2 were given",
    ),
    "plan as a property": Slip(
        "engine", "    def plan(", "    @property\n    def plan(", "def plan",
        "plan() missing 2 required positional arguments",
    ),
    "no plan": Slip(
        "engine", "    def plan(", "    def plann(", "",
        "class Probe has no plan(self, op, budget); write it",
    ),
    "no service": Slip(
        "memory", "def service(", "def serve(", "",
        "class Probe has no service(self, descriptors); write it",
    ),
    "an own init": Slip(
        "engine", "    def supports",
        "    def __init__(self, lanes):\n        pass\n\n    def supports", "",
        "its __init__ does not take 'buffer'; leave __init__ to the dataclass",
    ),
    "a check that answers": Slip(
        "engine", "    def supports",
        "    def check(self):\n        return 'too few'\n\n    def supports", "",
        "check() of Probe must raise a HardwareError where something is wrong and return nothing, "
        "got 'too few'; raise it",
    ),
    "an error in post_init": Slip(
        "engine", "    def supports",
        "    def __post_init__(self):\n        1 // 0\n\n    def supports",
        "1 // 0", "raised ZeroDivisionError",
    ),
    "a rule in post_init": Slip(
        "engine", "    def supports",
        "    def __post_init__(self):\n        raise ValueError('lanes: even')\n\n    def supports",
        "raise ValueError", "lanes: even",
    ),
    "an assertion in post_init": Slip(
        "engine", "    def supports",
        "    def __post_init__(self):\n        assert self.lanes > 64, 'few'\n\n    def supports",
        "assert", ": few at ",
    ),
    "a service that is a number": Slip(
        "memory", SERVES, "return round(self.read_rate)", "def service",
        "service must be a Service of a whole number of bytes a second, got 64000000000",
    ),
    "a rate of a float": Slip(
        "memory", SERVES, "return Service(self.read_rate)", "def service", "service must be a Serv"
    ),
    "a rate of numpy": Slip(
        "memory", SERVES, "import numpy as np; return Service(np.int64(9))", "def service", "Serv"
    ),
    "a rate of nothing": Slip(
        "memory", SERVES, "return Service(0)", "def service", "got Service(bytes_per_s=0"
    ),
    "a latency that is no number": Slip(
        "memory", *method("    def latency_s(self, direction):\n        return '1 ns'"),
        "def latency_s", "latency_s must be seconds, at least 0 and finite, got '1 ns'",
    ),
    "a latency of NaN": Slip(
        "memory", *method("    def latency_s(self, direction):\n        return float('nan')"),
        "def latency_s", "latency_s must be seconds, at least 0 and finite, got nan",
    ),
    "notes that are a text": Slip(
        "memory", *method("    @property\n    def notes(self): return 'beta'"), "@property",
        "notes must be a tuple of texts; give it @property, got 'beta'",
    ),
    "notes without property": Slip(
        "memory", *method("    def notes(self): return ('beta',)"), "def notes",
        "notes must be a tuple of texts; give it @property, got a function",
    ),
    "a class that cannot be a key": Slip(
        "memory", *method("    def classify(self, descriptor): return [1]"), "def classify",
        "classify must be hashable, such as a text or a tuple, got [1]",
    ),
    "an endurance in words": Slip(
        "memory", *method("    @property\n    def endurance(self): return 'many'"), "@property",
        "endurance must be None or a number above 0, got 'many'",
    ),
    "a background without joules": Slip(
        "memory", *method("    def background(self, ticks): return {'idle': 3}"), "def background",
        "background must be (count, joules) by action, got {'idle': 3}",
    ),
    "a link of half bytes": Slip(
        "link", "return round(", "return 0.5 + round(", "@property",
        "bytes_per_s must be a whole number of at least 1, got",
    ),
    "a set-up below nothing": Slip(
        "link", "return self.setup", "return -self.setup", "@property",
        "setup_s must be seconds, at least 0 and finite, got -5e-08",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_of_an_author_is_told_with_its_line(
    name: str, tmp_path: Path, codesign: Codesign
) -> None:
    slip = SLIPS[name]
    file = written(tmp_path, slip.kind, (slip.old, slip.new))
    told = failures(file)
    assert slip.message in told
    boards = [*file.parent.glob("*.yaml")]
    ran = codesign(
        *("simulate", TRACE, "--hardware", boards[0] if boards else "edge-npu"),
        *("--plugins", file),
        *(() if boards else ("--export", f"probe={tmp_path / 'out'}")),
    )
    assert ran.code == 2
    assert slip.message in ran.err
    assert ran.err.count("\n") == 1
    # of a decorated function or property either line may be told
    lines = file.read_text().splitlines()
    text = slip.line or "@dataclass"
    numbers = [n for n, line in enumerate(lines, 1) if text in line]
    near = {number + step for number in numbers for step in (0, 1)}
    for message in (told, ran.err):
        found = {int(number) for number in re.findall(rf"{re.escape(str(file))}:(\d+)", message)}
        assert found & near, message


PLANS = {
    "slots of numpy": '(("effective", __import__("numpy").int64(1)),)',
    "one row for rows": '("effective", op.macs)',
    "rows from a generator": f"(row for row in {SLOTS})",
}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_of_other_types_is_refused_by_kit_and_run(
    name: str, tmp_path: Path, codesign: Codesign
) -> None:
    file = written(tmp_path, "engine", (SLOTS, PLANS[name]))
    (board,) = file.parent.glob("*.yaml")
    ran = codesign("simulate", TRACE, "--hardware", board, "--plugins", file)
    assert ran.code == 2
    assert "own (probe): slots of the plan of 'cell' must be a tuple of (text, int)" in ran.err
    assert "probe.plan('matmul" in failures(file)


def test_supports_that_answers_true_is_refused_by_a_run(tmp_path: Path, codesign: Codesign) -> None:
    file = written(tmp_path, "engine", ("return None if op.kind", "return True if op.kind"))
    (board,) = file.parent.glob("*.yaml")
    ran = codesign("simulate", TRACE, "--hardware", board, "--plugins", file)
    assert (ran.code, ran.out) == (2, "")
    assert "supports() of 'cell' must be None or the reason why not, got True" in ran.err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ('{"mac": self.mac_energy}', '{"mac": "1 pJ"}'),
            "energy of 'mac' must be a number of",
        ),
        (('return {"mac": self.mac_energy}', "return ['mac']"), "energies_j must return joules by"),
        (("return replace(plan, ", "(plan, "), "must return a codesign.TilePlan, got None"),
    ],
)
def test_the_kit_names_the_class_of_a_wrong_answer(
    change: tuple[str, str], message: str, tmp_path: Path
) -> None:
    if "(plan, " in change[1]:
        change = ("        return replace(plan", "        _ = replace(plan")
    file = written(tmp_path, "engine", change)
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "@datac" in text)
    (told, *_) = [one for one in failures(file).splitlines() if message in one]
    assert told.startswith(f"{file}:{line}: ")


def test_a_searcher_that_asks_for_no_point_is_named(tmp_path: Path) -> None:
    change = ("return None if index is None else values_at(self._space, index)", "return index")
    told = failures(written(tmp_path, "searcher", change))
    assert "ask() must return values by name, or None, got" in told


def test_a_class_with_slots_hides_no_field(tmp_path: Path) -> None:
    change = (
        "@dataclass(frozen=True, kw_only=True)",
        "@dataclass(frozen=True, kw_only=True, slots=True)",
    )
    assert "set without a type" not in failures(written(tmp_path, "memory", change))
