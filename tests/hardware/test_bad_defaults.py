"""A default that breaks the rule of its own field is told with the line of the class."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Codesign
from failing_plugins import BOARD, HEAD, line_of

import codesign as package
from codesign.errors import HardwareError, PluginError
from codesign.hardware.build import check_defaults
from codesign.hardware.machine import Hardware
from codesign.plugins import registry

KINDS = '''
from collections.abc import Mapping
from dataclasses import field
from codesign.units import Bytes, Joules, Watts

@dataclass(frozen=True, kw_only=True)
class Base(Vector):
    """An engine.

    Attributes:
        own: a price; assumed.
        prices: by name; assumed.
    """
    own: Joules = {own}
    prices: Mapping[str, Joules] = field(default_factory=lambda: {{{prices}}})

@dataclass(frozen=True, kw_only=True)
class Fancy(Base):
    """An engine.

    Attributes:
        more: room.
    """
    kind: ClassVar[str] = "fancy"
    more: Bytes = {more}

@dataclass(frozen=True, kw_only=True)
class Store(Sram):
    """A memory."""
    kind: ClassVar[str] = "store"
    leakage: Watts = {leakage}

@hookimpl
def codesign_components():
    return [Fancy, Store]
'''
GOOD = {"own": "1e-12", "prices": "", "more": "64", "leakage": "0.001"}


def plugin(folder: Path, board: str = BOARD, **changes: str) -> tuple[Path, Path]:
    """A plugin with some defaults, and a hardware file that says nothing of them."""
    file = folder / "engine.py"
    file.write_text(HEAD + KINDS.format(**GOOD | changes))
    registry.cache_clear()
    (folder / "board.yaml").write_text(board)
    return file, folder / "board.yaml"


FAULTS = [
    (
        {"own": "-0.2e-12"}, "own: Joules",
        "default of field 'own' of class Fancy breaks its own rule: fancy.own must be >= 0, got "
        "-2e-13; raise it; mend it there",
    ),
    ({"own": '"0.2 pB"'}, "own: Joules", "fancy.own: expected a unit of J, got '0.2 pB'"),
    ({"own": "float('nan')"}, "own: Joules", "expected a finite number in J, got nan"),
    ({"own": "None"}, "own: Joules", "fancy.own: expected a number in J, got 'None'"),
    ({"prices": "'mac': '3 B'"}, "prices: Map", "fancy.prices.mac: expected a unit of J, got"),
    ({"more": "0"}, "more: Bytes", "default of field 'more' of class Fancy breaks its own rule"),
    ({"leakage": '"2 mJ"'}, "leakage: Watts", "'leakage' of class Store breaks its own rule: st"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "text", "message"), FAULTS)
def test_a_bad_default_is_told_with_its_own_line(
    changes: dict[str, str], text: str, message: str, tmp_path: Path, codesign: Codesign
) -> None:
    file, board = plugin(tmp_path, **changes)
    with pytest.raises(PluginError) as caught:
        package.load_hardware(board, plugins=[file])
    assert str(caught.value).startswith(f"{file}:{line_of(file, text)}: the default of field ")
    assert message in str(caught.value)
    assert "board.yaml" not in str(caught.value)
    ran = codesign("plugins", "check", file)
    assert ran.code == 1
    begins = [f"failed  kind {kind}: defaults keep the rules" for kind in ("fancy", "store")]
    (told,) = (line for line in ran.out.splitlines() if line.startswith(tuple(begins)))
    assert f": {file}:{line_of(file, text)}: the default of field" in told
    assert message in told


def test_a_bad_default_that_a_file_gives_does_no_harm(tmp_path: Path) -> None:
    board = BOARD.replace("lanes: 16}", "lanes: 16, own: 1 pJ}")
    file, path = plugin(tmp_path, board, own="-1.0")
    machine = package.load_hardware(path, plugins=[file])
    assert isinstance(machine, Hardware)
    kind = type(machine.components["fancy"])
    with pytest.raises(PluginError, match="'own' of class Fancy breaks its own rule"):
        check_defaults(kind)


def test_what_a_file_gives_wrong_is_told_before_a_default(tmp_path: Path) -> None:
    file, path = plugin(tmp_path, BOARD.replace("lanes: 16}", "lanes: 0}"), own="-1.0")
    with pytest.raises(HardwareError, match=r"board\.yaml:5: fancy\.lanes must be >= 1, got 0"):
        package.load_hardware(path, plugins=[file])


def test_good_defaults_pass(tmp_path: Path) -> None:
    file, path = plugin(tmp_path)
    machine = package.load_hardware(path, plugins=[file])
    for name in ("fancy", "sram"):
        check_defaults(type(machine.components[name]))


def test_a_value_of_a_base_that_is_set_without_a_type_is_told(
    tmp_path: Path, codesign: Codesign
) -> None:
    file, _ = plugin(tmp_path)
    file.write_text(file.read_text().replace("leakage: Watts = 0.001", "leakage = 0.001"))
    ran = codesign("plugins", "check", file)
    assert ran.code == 1
    assert "Store.leakage: set without a type, so that the default of the class before" in ran.out
