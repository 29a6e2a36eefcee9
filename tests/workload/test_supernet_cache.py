"""A block is captured once: in memory by what it is, in a folder also by its code and versions."""

from __future__ import annotations

import enum
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from supernet_models import Activation, Halves, Linear, Sum, Swap, layer, linear, x
from torch import nn

from codesign.errors import CaptureError, CodesignError, TraceError
from codesign.workload import supernet_code
from codesign.workload.supernet import Block, Supernet


def captures(*networks: list[Block]) -> int:
    """Captures that some sub-networks of one supernet take."""
    supernet = Supernet()
    for blocks in networks:
        supernet.trace(blocks, x())
    return supernet.captures


def test_equal_blocks_are_captured_once() -> None:
    assert captures([layer("a"), layer("b"), layer("c")]) == 1
    assert captures([layer("a"), layer("b")], [layer("c"), layer("d", heads=4)], [layer("a")]) == 2


def test_other_options_are_another_block() -> None:
    assert captures([linear("a", 8, 8), linear("b", 8, 9), linear("c", 9, 8)]) == 3


def test_other_code_is_another_block() -> None:
    other = Block("b", type("Linear", (Linear,), {}), {"inputs": 8, "outputs": 8})
    assert captures([linear("a", 8, 8), other]) == 2


def test_other_shapes_are_another_block() -> None:
    relu = {"name": "relu"}
    blocks = [Block("a", Activation, relu), linear("b", 8, 4), Block("c", Activation, relu)]
    assert captures(blocks) == 3


def test_another_order_in_memory_is_another_block() -> None:
    """Torch copies for one of them where it gives a view for the other."""
    square = {"x": torch.empty(1, 8, 8, device="meta")}
    supernet = Supernet()
    relu = {"name": "relu"}
    blocks = [Block("a", Activation, relu), Block("b", Swap), Block("c", Activation, relu)]
    supernet.trace(blocks, square)
    assert supernet.captures == 3


def test_as_many_tensors_in_other_tuples_are_another_block() -> None:
    one, two = Block("a", Sum, reads=(("x", "x"),)), Block("a", Takes, reads=("x", "x"))
    apart = Block("b", Takes, reads=(("x",), "x"))
    assert captures([one, apart]) == 2
    assert captures([two, apart]) == 2


class Takes(nn.Module):  # type: ignore[misc]  # torch is untyped
    """Takes a tensor, or a tuple of one, and another."""

    def forward(self, left: Any, right: Any) -> Any:
        return (left[0] if isinstance(left, tuple) else left) + right


class Side(enum.IntEnum):
    """A number that is more than that."""

    LEFT = 1


@dataclass(frozen=True)
class Shape:
    """Options in one."""

    width: Any = 1


class Tells(nn.Module):  # type: ignore[misc]
    """Takes any option and does nothing with it."""

    def __init__(self, **options: Any) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        return x + 1


OPTIONS: list[dict[str, Any]] = [
    {},
    {"a": 1},
    {"a": 1.0},
    {"a": True},
    {"a": "1"},
    {"a": None},
    {"a": Side.LEFT},
    {"a": np.int64(1)},
    {"a": (1,)},
    {"a": [1]},
    {"a": {1: 1}},
    {"a": {"1": 1}},
    {"a": Shape()},
    {"a": Shape((1,))},
    {"a": ((1, 2), 3)},
    {"a": (1, (2, 3))},
    {"b": 1},
]


def test_options_are_told_apart_by_their_types() -> None:
    blocks = [Block(f"b{number}", Tells, options) for number, options in enumerate(OPTIONS)]
    assert captures(blocks, blocks) == len(OPTIONS)


@pytest.mark.parametrize("value", [object(), len, nn.Linear(1, 1), {1}, Shape(len), Shape])
def test_an_option_of_unknown_content_is_refused(value: Any) -> None:
    with pytest.raises(CaptureError, match=r"block 'b': option 'a' must be a number, a text"):
        captures([Block("b", Tells, {"a": value})])


# --- in a folder ---

CODE = """
from torch import nn
from {helper} import WIDTH
class Scaled(nn.Module):
    def forward(self, x):
        return x * {factor}
"""


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of modules that Python finds."""
    folder = tmp_path / "code"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        del sys.modules[name]


def written(folder: Path, name: str, text: str) -> ModuleType:
    """The module of a file that was just written."""
    (folder / f"{name}.py").write_text(text)
    importlib.invalidate_caches()
    sys.dont_write_bytecode, keeps = True, sys.dont_write_bytecode
    try:
        known = sys.modules.get(name)
        return importlib.reload(known) if known else importlib.import_module(name)
    finally:
        sys.dont_write_bytecode = keeps


def asked(folder: Path, *blocks: Block) -> int:
    """Captures of a new supernet on a folder."""
    supernet = Supernet(folder)
    supernet.trace(blocks, x())
    return supernet.captures


def test_a_folder_gives_another_supernet_what_was_captured(tmp_path: Path) -> None:
    blocks = [layer("a"), Block("cut", Halves), linear("b", 4, 2, reads="cut.1")]
    first, second = Supernet(tmp_path / "new" / "folder"), Supernet(tmp_path / "new" / "folder")
    made = first.trace(blocks, x())
    assert second.trace(blocks, x()) == made
    assert (first.captures, second.captures) == (3, 0)


def test_a_folder_tells_blocks_apart(tmp_path: Path) -> None:
    assert asked(tmp_path, layer("a"), layer("b")) == 1
    assert asked(tmp_path, layer("a"), layer("b", heads=4)) == 1
    assert asked(tmp_path, layer("a", heads=4), Block("b", Swap)) == 1
    assert len(list(tmp_path.iterdir())) == 3


def test_the_file_of_a_block_is_the_same_bytes_again(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        asked(tmp_path / folder, layer("a"))
    (one,), (two,) = ((tmp_path / folder).iterdir() for folder in ("one", "two"))
    assert (one.name, one.read_bytes()) == (two.name, two.read_bytes())


def test_a_block_whose_file_has_changed_is_captured_again(tmp_path: Path, code: Path) -> None:
    written(code, "help_a", "WIDTH = 1")
    twice = CODE.format(helper="help_a", factor=2)
    assert asked(tmp_path, Block("a", written(code, "blocks_a", twice).Scaled)) == 1
    assert asked(tmp_path, Block("a", written(code, "blocks_a", twice).Scaled)) == 0
    thrice = CODE.format(helper="help_a", factor=3)
    assert asked(tmp_path, Block("a", written(code, "blocks_a", thrice).Scaled)) == 1
    assert asked(tmp_path, Block("a", written(code, "blocks_a", twice).Scaled)) == 0


def test_a_block_that_imports_a_file_which_has_changed_is_captured_again(
    tmp_path: Path, code: Path
) -> None:
    text = CODE.format(helper="help_b", factor=2)
    for width, expected in (("1", 1), ("2", 1), ("1", 0)):
        written(code, "help_b", f"WIDTH = {width}")
        assert asked(tmp_path, Block("a", written(code, "blocks_b", text).Scaled)) == expected


@pytest.mark.parametrize(
    "line",
    [
        "import pack.deep",
        "from pack import deep",
        "from pack.deep import value",
        "def later():\n    from pack import deep",
    ],
)
def test_every_way_to_import_a_file_counts(tmp_path: Path, code: Path, line: str) -> None:
    (code / "pack").mkdir()
    (code / "pack" / "__init__.py").write_text("")
    (code / "pack" / "deep.py").write_text("from . import deeper\nvalue = 1\n")
    text = f"{line}\n{CODE.format(helper='os', factor=2).replace('WIDTH', 'sep')}"
    for deeper, expected in (("one = 1", 1), ("one = 1", 0), ("one = 2", 1)):
        (code / "pack" / "deeper.py").write_text(deeper)
        assert asked(tmp_path, Block("a", written(code, "blocks_c", text).Scaled)) == expected


def test_a_file_that_changes_while_the_process_runs_does_not_count_yet(
    tmp_path: Path, code: Path
) -> None:
    """What runs is what was loaded, so that this is what a capture is filed under."""
    written(code, "help_d", "WIDTH = 1")
    text = CODE.format(helper="help_d", factor=2)
    block = Block("a", written(code, "blocks_d", text).Scaled)
    assert asked(tmp_path, block) == 1
    (code / "blocks_d.py").write_text(text.replace("* 2", "* 3"))
    assert asked(tmp_path, block) == 0


def test_a_block_whose_file_imports_a_package_of_another_version_is_captured_again(
    tmp_path: Path, code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "import yaml\n" + CODE.format(helper="os", factor=2).replace("WIDTH", "sep")
    block = Block("a", written(code, "blocks_f", text).Scaled)
    versions = {"PyYAML": "1"}
    asks = "codesign.workload.supernet_code.version"
    monkeypatch.setattr(asks, lambda name: versions.get(name) or version(name))
    for now, expected in (("1", 1), ("2", 1), ("1", 0)):
        versions["PyYAML"] = now
        supernet_code._LOADED.clear()  # as in another process
        assert asked(tmp_path, block) == expected


SCRIPT = """
import sys, torch
sys.path.insert(0, sys.argv[1])
from blocks_e import Scaled
from codesign.workload.supernet import Block, Supernet
supernet = Supernet(sys.argv[2])
supernet.trace([Block("a", Scaled)], {"x": torch.empty(1, 6, 8, device="meta")})
print(supernet.captures)
"""


def test_another_process_finds_what_was_captured(tmp_path: Path, code: Path) -> None:
    written(code, "help_e", "WIDTH = 1")
    blocks = written(code, "blocks_e", CODE.format(helper="help_e", factor=2))
    assert asked(tmp_path / "kept", Block("a", blocks.Scaled)) == 1
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(code), str(tmp_path / "kept")]
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert ran.stdout.strip() == "0"


def test_what_cannot_be_found_again_by_name_needs_no_folder(tmp_path: Path) -> None:
    class Inner(Tells):
        pass

    for build in (Inner, lambda: Tells()):
        assert asked_without(Block("a", build)) == 1
        with pytest.raises(CaptureError, match=r"block 'a': .* must stand at the top of a module"):
            asked(tmp_path, Block("a", build))
    assert not list(tmp_path.iterdir())


def asked_without(block: Block) -> int:
    """Captures of a new supernet without a folder."""
    return captures([block])


def test_a_file_of_another_block_is_refused(tmp_path: Path) -> None:
    asked(tmp_path, linear("a", 8, 8))
    asked(tmp_path, linear("a", 8, 9))
    one, two = tmp_path.iterdir()
    one.write_bytes(two.read_bytes())
    with pytest.raises(TraceError, match="holds another block than its name says; delete it"):
        asked(tmp_path, linear("a", 8, 8), linear("b", 8, 9))


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CodesignError, match=r"block 'a': .*cannot be written"):
        asked(tmp_path / "file", linear("a", 8, 8))


def test_what_is_in_a_folder_is_read_without_torch_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(tmp_path, layer("a"))
    monkeypatch.setattr(torch.export, "export", None)
    assert asked(tmp_path, layer("a"), layer("b")) == 0
    with pytest.raises(CaptureError):
        asked(tmp_path, linear("a", 8, 8))
