"""Mistakes through the front door: one line with the rule, the value and the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from strategies import Sketch, machine

from codesign import CodesignError, save_trace, simulate
from codesign.errors import HardwareError, MappingError, ModelError, TraceError, UnitError
from codesign.workload.dtype import DType
from codesign.workload.record import Op, Region, Trace


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder: anything that appears there was written by the call."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def product(dtype: str = "int8", columns: int = 8) -> Trace:
    sketch = Sketch("product", DType.parse(dtype))
    sketch.matmul("mm", sketch.input("x", 4, 8), columns)
    return sketch.trace()


def refused(*args: Any, **options: Any) -> tuple[type[CodesignError], str]:
    """The kind and the only line of the error, after checking that nothing was written."""
    before = sorted(Path.cwd().iterdir())
    with pytest.raises(CodesignError) as caught:
        simulate(*args, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message == message.strip() != ""
    assert sorted(Path.cwd().iterdir()) == before
    return type(caught.value), message


def test_a_tensor_larger_than_any_memory() -> None:
    kind, message = refused(product(columns=2**30), machine())
    assert kind is MappingError
    assert message == (
        "tensor 'mm.weight' takes 8,589,934,592 B and its memory, dram, has "
        "1,073,741,824 B; enlarge dram.size"
    )


def test_tensors_that_together_are_larger_than_any_memory() -> None:
    sketch = Sketch()
    for number in range(3):
        sketch.matmul(f"mm{number}", sketch.input(f"x{number}", 1, 2**14), 2**15)
    kind, message = refused(sketch.trace(), machine())
    assert kind is MappingError
    assert "enlarge dram.size or lower the precision with --dtype" in message


def test_an_operator_that_no_engine_takes_lists_the_reason_of_each() -> None:
    kind, message = refused(product("fp16"), machine(systolics=2, formats=("int8", "int4")))
    assert kind is MappingError
    assert message == (
        "no engine of machine takes: 1 x e.g. 'mm' ("
        "npu0: no MAC rate or energy for fp16*fp16; has int8*int8; "
        "npu1: no MAC rate or energy for fp16*fp16; has int4*int4; "
        "vector: takes no contraction); "
        "add an engine that does, or change the precision with --dtype"
    )


def test_a_tile_that_fits_no_buffer() -> None:
    sketch = Sketch()
    sketch.softmax("soft", sketch.input("x", 1, 2**14))
    kind, message = refused(sketch.trace(), machine(size=1))
    assert kind is MappingError
    assert "'soft'" in message or "soft:" in message
    assert "enlarge the buffer" in message


@pytest.mark.parametrize(
    ("settings", "kind", "said"),
    [
        ({"npu9.rows": 3}, HardwareError, "unknown component 'npu9'"),
        ({"npu0.rowz": 3}, HardwareError, "did you mean 'rows'?"),
        ({"npu0": 3}, HardwareError, "npu0"),
        ({"npu0.macs_per_cell.int9*int9": 3}, HardwareError, "unknown entry 'int9*int9'"),
        ({"sram0.size": "3 GHz"}, UnitError, "3 GHz"),
        ({"npu0.rows": 0}, HardwareError, "rows"),
        ({"bus0.duplex": "both"}, HardwareError, "half"),
        ({"sram0.size": "lots"}, UnitError, "lots"),
    ],
)
def test_a_setting_that_means_nothing(
    settings: dict[str, object], kind: type[CodesignError], said: str
) -> None:
    found, message = refused(product(), machine(), settings=settings)
    assert issubclass(found, (kind, HardwareError))
    assert said in message


@pytest.mark.parametrize("dtype", ["int8x", "", "8"])
def test_an_unknown_dtype(dtype: str) -> None:
    kind, message = refused(product(), machine(), dtype=dtype)
    assert kind is TraceError
    assert message == f"unknown dtype {dtype!r}; write for example int8, bf16 or fp4[16x8]"


@pytest.mark.parametrize("model", [None, 3, [product()]])
def test_a_model_that_is_none(model: object) -> None:
    kind, message = refused(model, machine())
    assert kind is ModelError
    assert message.endswith(f"got {type(model).__name__}; pass one of them")


@pytest.mark.parametrize("items", [(), (Region("empty", 3, ()),)])
def test_a_trace_without_operators(items: tuple[Region, ...]) -> None:
    kind, message = refused(Trace("nothing", items, ()), machine())
    assert kind is TraceError
    assert message.startswith("trace 'nothing' must hold at least one operator, got none; ")


def test_an_unknown_residency() -> None:
    kind, message = refused(product(), machine(), residency="layer")
    assert kind is MappingError
    assert message == (
        "residency must be one of region, none, pinned, greedy, optimal, got 'layer'; "
        "take one of them"
    )


def test_a_cyclic_trace() -> None:
    sketch = Sketch()
    x, y = sketch.tensor("x", (4,), "activation"), sketch.tensor("y", (4,), "activation")
    for name, source, target in (("a", y, x), ("b", x, y)):
        sketch.items.append(Op(name, "move", (source.access(),), (target.access(),)))
    kind, message = refused(sketch.trace(), machine())
    assert kind is TraceError
    assert "cyclic graph: 'a' reads tensor 'y' before 'b' writes it" in message


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def emptied(data: bytes) -> bytes:
    return b""


def garbled(data: bytes) -> bytes:
    return data.replace(b'"int8"', b'"int999"')


@pytest.mark.parametrize("suffix", [".json", ".json.gz"])
@pytest.mark.parametrize("harm", [cut, emptied])
def test_a_trace_file_that_ends_early(
    folder: Path, suffix: str, harm: Callable[[bytes], bytes]
) -> None:
    path = folder / f"trace{suffix}"
    save_trace(product(), path)
    path.write_bytes(harm(path.read_bytes()))
    kind, message = refused(str(path), machine())
    assert kind is TraceError
    assert path.name in message


def test_a_trace_file_with_an_unknown_dtype(folder: Path) -> None:
    path = folder / "trace.json"
    save_trace(product(), path)
    path.write_bytes(garbled(path.read_bytes()))
    kind, message = refused(str(path), machine())
    assert kind is TraceError
    assert "int999" in message or "999" in message


def test_a_model_that_does_not_exist() -> None:
    assert refused("resnet51", machine())[0] is ModelError
    assert refused("missing.json", machine())[0] in (ModelError, TraceError)


def test_a_hardware_that_does_not_exist() -> None:
    kind, message = refused(product(), "edge-npux")
    assert kind is HardwareError
    assert "did you mean 'edge-npu'?" in message


def test_options_of_a_named_model_with_a_trace() -> None:
    kind, message = refused(product(), machine(), batch=4)
    assert kind is ModelError
    assert message == "batch can be set for a model given by name only"


def test_inputs_with_a_trace() -> None:
    kind, message = refused(product(), machine(), args=(1,))
    assert kind is ModelError
    assert "args and kwargs go with a torch module" in message


def test_a_mistake_is_found_before_anything_is_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the replay began")

    monkeypatch.setattr("codesign.simulation.replay", never)
    refused(product("fp16"), machine())
    refused(product(), machine(), settings={"npu0.rowz": 1})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"settings": ["npu.rows"]}, "settings must map paths to values, got ['npu.rows']"),
        ({"plugins": "engines"}, "plugins must be a list of folders, got 'engines' alone"),
        ({"plugins": Path("engines")}, "plugins must be a list of folders, got 'engines' alone"),
    ],
)
def test_an_argument_of_another_kind(options: dict[str, Any], message: str) -> None:
    assert message in refused(product(), "edge-npu", **options)[1]


def test_a_kind_of_ones_own_without_its_folder(folder: Path) -> None:
    text = "name: m\ncomponents:\n  npu: {kind: mine, buffer: sram}\n"
    (folder / "m.yaml").write_text(text)
    kind, message = refused(product(), "m.yaml")
    assert kind is HardwareError
    assert "a kind of your own needs its folder in --plugins" in message
