"""The vector unit has a price for every function that the shipped plugins make, and no others."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from aten_case import PRICED, Called, meta
from codesign_plugins import fusion_elementwise
from codesign_plugins.vector import OPERATIONS, Vector
from test_aten_vocabulary import TARGETS
from torch.nn import functional

import codesign
from codesign.plugins import registry
from codesign.testing.operators import whole
from codesign.workload.capture import trace
from codesign.workload.lowering import Lowering, find_lowering
from codesign.workload.record import KINDS, Op

LOWERINGS: dict[str, Lowering] = registry().get("codesign_register_lowerings")
SOURCES = sorted(
    path
    for pattern in ("aten_*.py", "fusion_*.py")
    for path in (Path(__file__).parents[2] / "plugins").glob(pattern)
)
_PARAMETERS = ("function", "functions")


def given(lowering: Lowering | None) -> set[str]:
    """Functions that a table hands to a lowering."""
    keywords = lowering.keywords if isinstance(lowering, partial) else {}
    found: set[str] = set()
    for value in (keywords.get(name, ()) for name in _PARAMETERS):
        found |= {value} if isinstance(value, str) else set(value)
    return found


def written(source: str) -> set[str]:
    """Functions that a file names where it calls something with a parameter for them."""
    tree = ast.parse(source)
    places = dict(_places(tree))
    found: set[str] = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        values = [keyword.value for keyword in call.keywords if keyword.arg in _PARAMETERS]
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        values += call.args[places[name] :][:1] if name in places else []
        found |= {text for value in values for text in _texts(value)}
    return found


def _places(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Functions and records of a file that have such a parameter, and its position."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args]
        elif isinstance(node, ast.ClassDef):
            fields = [field for field in node.body if isinstance(field, ast.AnnAssign)]
            names = [ast.unparse(field.target) for field in fields]
        else:
            continue
        yield from ((node.name, names.index(name)) for name in _PARAMETERS if name in names)


def _texts(value: ast.expr) -> Iterator[str]:
    """Texts of an expression, but not those that it compares or looks up."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from [*_texts(value.body), *_texts(value.orelse)]
    elif isinstance(value, ast.Tuple):
        yield from (text for part in value.elts for text in _texts(part))


def made() -> set[str]:
    """Every function name that the shipped lowerings and fusion passes can make."""
    tables = {name for lowering in LOWERINGS.values() for name in given(lowering)}
    sources = {name for path in SOURCES for name in written(path.read_text())}
    return tables | sources | {name for name, _ in fusion_elementwise.ACTIVATIONS}


def test_the_enumeration_sees_tables_literals_records_and_fusions() -> None:
    assert made() >= {"eq", "topk", "nearest", "cumsum", "argmax", "log_softmax"}
    assert made() >= {"group_norm", "weight_norm", "histogram", "norm", "cast", "add"}
    assert made() >= {"sigmoid", "tanh", "rope", "rms_norm", "softmax", "gelu", "hardswish"}
    assert len(made()) > 110


@pytest.mark.parametrize("target", sorted({*TARGETS, *LOWERINGS}))
def test_every_lowered_target_makes_functions_that_have_a_price(target: str) -> None:
    assert given(find_lowering(target, LOWERINGS)) <= PRICED


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_function_that_a_plugin_names_has_a_price(path: Path) -> None:
    assert written(path.read_text()) <= PRICED


def test_every_activation_that_a_fusion_recognises_has_a_price() -> None:
    assert {name for name, _ in fusion_elementwise.ACTIVATIONS} <= PRICED


def test_nothing_has_a_price_that_nobody_makes() -> None:
    assert set(OPERATIONS) - made() - set(KINDS) == set()


def test_every_kind_of_vector_work_has_a_price_without_a_function() -> None:
    assert set(KINDS) - {"contraction", "attention"} <= PRICED


def test_the_groups_of_the_table_do_not_overlap() -> None:
    """A name in two groups would have the price of the later one."""
    module = ast.parse((SOURCES[0].parent / "vector.py").read_text())
    assigned = [node.value for node in module.body if isinstance(node, ast.Assign)]
    groups = [name for value in assigned for text in _texts(value) for name in text.split()]
    keys = [key for value in assigned if isinstance(value, ast.Dict) for key in value.keys if key]
    groups += [name for key in keys for name in _texts(key)]
    assert sorted(groups) == sorted(OPERATIONS)


@pytest.mark.parametrize("function", ["sort", "topk"])
def test_a_sort_is_priced_by_its_function_and_the_length_of_its_row(function: str) -> None:
    row, found = whole("x", (4, 256)), whole("y", (4, 256))
    op = Op("t", "sort", (row,), (found,), None, (function,))
    unit = Vector(name="v", buffer="sram", lanes=8, start=0, operations={function: 3})
    assert unit.supports(op) is None
    plan = unit.plan(op, codesign.Budget(1 << 20, 1e9, 1e9))
    assert plan.cycles == 4 * 256 // 8 * 3 * 8
    other = Vector(name="v", buffer="sram", operations={"add": 1})
    assert other.supports(op) == f"no entry in operations for {function}"


def test_a_sort_of_a_scalar_takes_one_comparison() -> None:
    op = Op("t", "sort", (whole("x", ()),), (whole("y", ()),), None, ("sort",))
    unit = Vector(name="v", buffer="sram", lanes=8, start=0)
    assert unit.plan(op, codesign.Budget(1 << 20, 1e9, 1e9)).cycles == OPERATIONS["sort"]


def _image(mode: str) -> Callable[[Any], Any]:
    return lambda x: functional.interpolate(x, scale_factor=2, mode=mode)


CALLS: dict[str, tuple[Callable[..., Any], tuple[int, ...]]] = {
    "where and compare": (lambda x: torch.where(x > x.flip(0), x, 2 * x), (8, 16)),
    "topk": (lambda x: torch.topk(x, 3), (8, 16)),
    "sort": (lambda x: torch.sort(x, -1), (8, 16)),
    "argsort": (lambda x: torch.argsort(x, 0), (8, 16)),
    "argmax": (lambda x: x.argmax(-1), (8, 16)),
    "log_softmax": (lambda x: torch.log_softmax(x, -1), (8, 16)),
    "logsumexp": (lambda x: torch.logsumexp(x, -1), (8, 16)),
    "nearest": (_image("nearest"), (1, 2, 4, 4)),
    "linear": (_image("linear"), (1, 2, 4)),
    "bilinear": (_image("bilinear"), (1, 2, 4, 4)),
    "bicubic": (_image("bicubic"), (1, 2, 4, 4)),
    "trilinear": (_image("trilinear"), (1, 2, 4, 4, 4)),
    "cumsum": (lambda x: x.cumsum(0), (8, 16)),
    "clamp": (lambda x: x.clamp(-1, 1), (8, 16)),
    "masked_fill": (lambda x: x.masked_fill(x < 0, 0.0), (8, 16)),
    "logic": (lambda x: ((x > 0) & ~(x > 1)) ^ (x == 3), (8, 16)),
    "rounding division": (lambda x: torch.div(x, 3, rounding_mode="trunc"), (8, 16)),
    "median": (lambda x: x.median(-1), (8, 16)),
    "scatter reduce": (
        lambda x: x.scatter_reduce(0, torch.zeros_like(x, dtype=torch.long), x, "amax"),
        (8, 16),
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_vector_work_of_every_sort_runs_on_a_preset(call: str) -> None:
    function, shape = CALLS[call]
    found = trace(Called(function), (meta(*shape),))
    result = codesign.simulate(found, "edge-npu")
    assert result.coverage == 1.0
    assert result.latency_s > 0
    assert set(result.operators["engine"]) == {"vector"}
