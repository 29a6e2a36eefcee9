"""The public names: what ``import codesign`` promises, no more and no less."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import codesign

SOURCE = Path(codesign.__file__).read_text()


def _imported_for_type_checkers() -> dict[str, str]:
    """Name and home module of each import below ``if TYPE_CHECKING``."""
    block = next(node for node in ast.parse(SOURCE).body if isinstance(node, ast.If))
    return {
        alias.name: str(node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_all_is_sorted_and_without_repetition() -> None:
    assert codesign.__all__ == sorted(set(codesign.__all__))


def test_all_is_what_is_really_exported() -> None:
    homes = _imported_for_type_checkers()
    assert sorted(homes) == codesign.__all__
    assert sorted(codesign._HOME) == codesign.__all__
    assert {name: f"codesign.{home}" for name, home in codesign._HOME.items()} == homes


@pytest.mark.parametrize("name", codesign.__all__)
def test_a_public_name_is_its_home_object_with_a_docstring(name: str) -> None:
    value = getattr(codesign, name)
    assert value is getattr(import_module(f"codesign.{codesign._HOME[name]}"), name)
    assert inspect.getdoc(value)


@pytest.mark.parametrize("name", codesign.__all__)
def test_a_public_function_is_annotated(name: str) -> None:
    value = getattr(codesign, name)
    if inspect.isfunction(value):
        signature = inspect.signature(value)
        assert signature.return_annotation is not inspect.Signature.empty
        kinds = [parameter.annotation for parameter in signature.parameters.values()]
        assert inspect.Parameter.empty not in kinds


def test_dir_lists_the_public_names() -> None:
    assert dir(codesign) == sorted([*codesign.__all__, "__version__"])


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = codesign.nothing


def test_the_version_is_that_of_the_project_file() -> None:
    project = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    assert f'\nversion = "{codesign.__version__}"\n' in project


def test_every_error_is_of_one_family() -> None:
    errors = import_module("codesign.errors")
    kinds = [value for value in vars(errors).values() if inspect.isclass(value)]
    kinds = [kind for kind in kinds if kind.__module__ == "codesign.errors"]
    assert len(kinds) > 5
    assert all(issubclass(kind, codesign.CodesignError) for kind in kinds)
