"""The house rules that a reader relies on: direction of imports, sizes, types and docstrings."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
SOURCES = sorted([*(ROOT / "codesign").rglob("*.py"), *PLUGINS])
STAGES = (
    "workload",
    "hardware",
    "mapping",
    "replay",
    "result",
    "scenario",
    "validation",
    "calibration",
    "explore",
    "report",
)
"""Folders in the order of the journey: one imports only from those before it, or from itself."""

FOUNDATIONS = {
    "errors",
    "units",
    "hookspecs",
    "own_code",
    "code_file",
    "mistaken",
    "raised",
    "whole_file",
    "plugin_choice",
    "quantities",
}
"""Modules that every stage may use."""

EARLIER_USES = {
    "workload": {"plugins"},
    "hardware": {"energy", "memory", "plugins", "workload"},
    "mapping": {"hardware", "workload"},
    "replay": {"mapping", "hardware", "workload"},
    "result": {"plugins", "replay", "mapping", "hardware", "workload"},
    "scenario": {
        "annotation_file",
        "models",
        "plugins",
        "result",
        "replay",
        "mapping",
        "hardware",
        "workload",
    },
    # what is compared is up to plugins, so this one needs no stage
    "validation": {"plugins"},
    # it reads tables as validation does, and asks engines what they predict
    "calibration": {"validation", "mapping", "hardware", "workload"},
    "explore": {
        "annotation_file",
        "hardware",
        "mapping",
        "models",
        "plugins",
        "replay",
        "result",
        "simulation",
        "workload",
    },
    # it reads files, and draws studies as their own figures do
    "report": {"explore", "result"},
}
OWNERS = {
    "torch": (
        "codesign/workload/capture",
        "codesign/workload/convert.py",
        "codesign/zoo/",
        # what checks a lowering or builds a model of somebody's own needs a graph of torch
        "codesign/testing/suite_lowerings.py",
        "codesign/templates/",
    ),
    "transformers": ("codesign/zoo/huggingface.py",),
    "simpy": ("codesign/replay/run.py",),
    "pluggy": ("codesign/hookspecs.py", "codesign/plugins.py"),
    "typer": ("codesign/cli/",),
    "rich": ("codesign/cli/",),
    "networkx": ("codesign/hardware/graph.py",),
    "yaml": ("codesign/hardware/yaml_source.py",),
    "pyarrow": (
        "codesign/result/save.py",
        "codesign/scenario/save.py",
        "codesign/explore/save.py",
        "codesign/result/columns.py",
    ),
    "jinja2": ("codesign/report/page.py",),
}
"""Where each library may be imported."""

LONGEST_FILE, MEDIAN_FILE = 350, 160
LONGEST_FUNCTION_P90 = 35


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _runtime(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node except what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from _runtime(node)


@cache
def _imports(path: Path, *, runtime: bool = True) -> list[str]:
    """Full names of what a file imports."""
    tree = _tree(path)
    found: list[str] = []
    for node in _runtime(tree) if runtime else ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            # a plugin does not know where it is installed, so its own modules are its neighbours
            neighbours = path in PLUGINS and path.parent != ROOT / "plugins"
            assert node.level == 0 or (node.level == 1 and neighbours), f"{_name(path)} imports up"
            found += [f"{'.' * node.level}{node.module}.{alias.name}" for alias in node.names]
    return found


def _functions(path: Path) -> Iterator[ast.FunctionDef]:
    yield from (n for n in ast.walk(_tree(path)) if isinstance(n, ast.FunctionDef))


@pytest.mark.parametrize("physics", ["memory", "energy"])
def test_the_physics_of_memories_and_of_energy_knows_no_stage(physics: str) -> None:
    paths = sorted((ROOT / "codesign" / physics).glob("*.py"))
    assert paths
    for path in paths:
        ours = {name.split(".")[1] for name in _imports(path) if name.startswith("codesign.")}
        assert ours <= {physics, "errors", "units"}, _name(path)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_only_from_the_stages_before_it(stage: str) -> None:
    allowed = {stage, "__version__"} | FOUNDATIONS | EARLIER_USES[stage]
    for path in sorted((ROOT / "codesign" / stage).glob("*.py")):
        ours = [name.split(".") for name in _imports(path) if name.startswith("codesign.")]
        wrong = [".".join(name) for name in ours if name[1] not in allowed]
        assert not wrong, f"{_name(path)} imports {wrong}"


@pytest.mark.parametrize("module", sorted(FOUNDATIONS))
def test_a_foundation_stands_on_foundations_alone(module: str) -> None:
    path = ROOT / "codesign" / f"{module}.py"
    ours = [name.split(".") for name in _imports(path) if name.startswith("codesign.")]
    assert not [".".join(name) for name in ours if name[1] not in FOUNDATIONS]


def test_nothing_imports_the_command_line() -> None:
    outside = [path for path in SOURCES if not _name(path).startswith("codesign/cli/")]
    for path in outside:
        assert not [n for n in _imports(path, runtime=False) if n.startswith("codesign.cli")]


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_is_imported_in_its_place_only(library: str) -> None:
    users = [
        _name(path)
        for path in SOURCES
        if any(name.split(".")[0] == library for name in _imports(path))
    ]
    assert users, f"{library} is imported nowhere"
    assert [user for user in users if not user.startswith(OWNERS[library])] == []


@pytest.mark.parametrize("path", PLUGINS, ids=_name)
def test_a_shipped_plugin_uses_no_door_that_a_third_party_lacks(path: Path) -> None:
    ours = [name for name in _imports(path, runtime=False) if name.startswith("codesign")]
    private = [name for name in ours if any(part.startswith("_") for part in name.split("."))]
    assert private == []
    assert not [name for name in ours if name.startswith("codesign_")], "imports another plugin"


PAGES = sorted((ROOT / "codesign" / "report" / "static").iterdir())


@pytest.mark.parametrize("path", [*SOURCES, *PAGES], ids=_name)
def test_a_file_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


def test_the_median_file_is_short() -> None:
    assert statistics.median(len(path.read_text().splitlines()) for path in SOURCES) < MEDIAN_FILE


def test_nine_of_ten_functions_are_short() -> None:
    lengths = [
        node.end_lineno - node.lineno + 1
        for path in SOURCES
        for node in _functions(path)
        if node.end_lineno is not None
    ]
    assert statistics.quantiles(lengths, n=10)[-1] < LONGEST_FUNCTION_P90


def test_tests_outweigh_the_code() -> None:
    tests = sum(len(path.read_text().splitlines()) for path in (ROOT / "tests").rglob("*.py"))
    assert tests > sum(len(path.read_text().splitlines()) for path in SOURCES)


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_every_public_name_is_documented_and_annotated(path: Path) -> None:
    tree = _tree(path)
    assert ast.get_docstring(tree), "the module has no docstring"
    for node, parent in _public(tree):
        place = f"{_name(path)}:{node.lineno} {node.name}"
        inherited = isinstance(parent, ast.ClassDef) and parent.bases
        assert ast.get_docstring(node) or inherited, f"{place} has no docstring"
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            bare = [a.arg for a in arguments if not a.annotation and a.arg not in ("self", "cls")]
            assert not bare, f"{place}: {bare} not annotated"
            assert node.returns, f"{place} has no return type"


def _public(
    tree: ast.Module | ast.ClassDef,
) -> Iterator[tuple[ast.ClassDef | ast.FunctionDef, ast.Module | ast.ClassDef]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield node, tree
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_library_code_evaluates_prints_and_swallows_nothing(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec", "print", "exit", "__import__"), node.lineno
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", "")}
            # the conformance kit checks that components can be sent to another process
            if not _name(path).startswith("codesign/testing/"):
                assert not names & {"pickle", "marshal", "shelve"}, node.lineno
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, node.lineno
        if isinstance(node, ast.Attribute):
            assert ast.unparse(node) not in ("os.environ", "os.getenv"), node.lineno


def test_test_files_have_names_of_their_own() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "__init__.py"]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []
