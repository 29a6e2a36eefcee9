"""The function of a user that builds a model: where it is, and whether it can be called."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from codesign.code_file import SUFFIX, import_code, module_name, split_code, what_to_give
from codesign.errors import OF_OTHERS, CodesignError, ModelError, did_you_mean, nearest
from codesign.raised import place_of, raised
from codesign.zoo import check_size

_SHOWN = 8


def find_factory(spec: str) -> Callable[..., Any]:
    """The function that ``FILE.py:FUNCTION`` or ``package.module:function`` names.

    Raises:
        ModelError: no such file, module or function, or importing it fails.
    """
    path, name = split_code(spec)
    if path.endswith(SUFFIX) and not name and Path(path).is_file():
        raise ModelError(what_to_give(path))
    try:
        module = import_code(path)
    except CodesignError:
        raise
    except OF_OTHERS as error:  # the user's code runs here; say what it raised
        raise ModelError(
            f"{spec}: importing {path!r} failed: {raised(error, *_file(path))}; {_way(path, error)}"
        ) from error
    if not hasattr(module, name):
        known = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        many = f"it has {', '.join(known[:_SHOWN])} and more"
        hint = (nearest if len(known) > _SHOWN else did_you_mean)(name[:60], known)
        hint = hint if "did you mean" in hint or len(known) <= _SHOWN else f"; {many}"
        raise ModelError(f"{path} has no function {name[:60]!r}{hint}")
    found: Callable[..., Any] = getattr(module, name)
    _check_kind(spec, found)
    return found


def check_call(
    spec: str, factory: Callable[..., Any], given: Mapping[str, int], options: Sequence[str]
) -> None:
    """Checks that a function takes the options that the user gave, and needs nothing else.

    Args:
        spec: what the user calls it, for messages.
        factory: the function.
        given: options and their values.
        options: names that the user could give.

    Raises:
        ModelError: it has no parameter of such a name, a value below 1, or a parameter without a
            default that none of the options gives.
    """
    try:
        parameters = inspect.signature(factory).parameters
    except ValueError:  # code that is not Python's says nothing of what it takes
        return
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    for option, value in given.items():
        check_size(spec, option, value)
        if not takes_any and option not in parameters:
            raise ModelError(_refusal(spec, option, value, list(parameters), options))
    bare = [
        name
        for name, one in parameters.items()
        if one.default is one.empty and one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
    ]
    if missing := [name for name in bare if name not in given]:
        raise ModelError(_missing(spec, missing, options))


def _refusal(
    spec: str, option: str, value: int, names: Sequence[str], options: Sequence[str]
) -> str:
    told = f"{spec} has no parameter {option} (got {value})"
    name = split_code(spec)[1]
    if not names:
        return f"{told}, as it takes nothing; write def {name}({option}=...) to set it, or drop it"
    if all(known in options for known in names):
        return f"{told}; it takes {_and(names)}: give {_and(names, 'or')}, or drop {option}"
    other = next(known for known in names if known not in options)
    return (
        f"{told}; it takes {_and(names)}, and only {_and(options)} can be set from outside: rename "
        f"{other} to {option} in the file, or name a function of yours that returns "
        f"{name}({other}={value})"
    )


def _missing(spec: str, missing: Sequence[str], options: Sequence[str]) -> str:
    ours, others = (
        [name for name in missing if (name in options) is known] for known in (True, False)
    )
    ways = [f"set {_and(ours)}"] if ours else []
    if others:
        some = f"{split_code(spec)[1]}({others[0]}=...)"
        ways += [f"give {_and(others)} a default in the file, or name a function that calls {some}"]
    return f"{spec} needs a value for {_and(missing)}; {', and '.join(ways)}"


def _check_kind(spec: str, found: object) -> None:
    """Refuses what is no function; modules are told by what torch gives them.

    Raises:
        ModelError: it is a class of modules, a module, or nothing that can be called.
    """
    name = split_code(spec)[1]
    kind = type(found).__name__
    if hasattr(found, "state_dict"):
        one = f"{name}(...)" if isinstance(found, type) else name
        what = "a class" if isinstance(found, type) else f"a module of class {kind}"
        raise ModelError(
            f"{spec} is {what}, and a model needs example inputs, too; write a function such as "
            f"def make(): return {one}, (input,) and give that"
        )
    if not callable(found):
        raise ModelError(f"{spec} is of type {kind}, no function; name one that builds the model")


def _and(names: Sequence[str], word: str = "and") -> str:
    first = f"{', '.join(names[:-1])} {word} " if len(names) > 1 else ""
    return f"{first}{names[-1]}"


def _way(path: str, error: BaseException) -> str:
    """What to do about an import that failed."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if place_of(error, *_file(path)):
        return f"install {missing}, or mend the file" if missing else "mend the file"
    return (
        "write FILE.py:FUNCTION, or package.module:function as it is imported from the current "
        "folder"
    )


def _file(module: str) -> list[Path]:
    """The file that a module is written in; nothing where there is none of that name."""
    if module.endswith(SUFFIX):
        return [Path(module)]
    with contextlib.suppress(*OF_OTHERS):  # the packages around it are imported
        spec = find_spec(module_name(module))
        return [Path(spec.origin)] if spec and spec.origin else []
    return []
