"""The checks of lowerings: each is called from a small graph of torch, and its trace checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial, wraps
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from codesign.errors import OF_OTHERS, CaptureError, CodesignError, PluginError
from codesign.plugins import Registry, registry
from codesign.raised import raised
from codesign.testing.offered import Check, Offered, Skip
from codesign.testing.rules import expect
from codesign.workload.check import check_trace
from codesign.workload.file import load_trace, save_trace

if TYPE_CHECKING:
    from codesign.workload.record import Trace

HOOK = "codesign_register_lowerings"
_SHAPES = ((4, 8), (8,), (8, 8), (2, 4, 8), (1, 4, 8, 8), (1,))
"""Shapes that every tensor of a call is given, until torch takes them."""
_TRIES = 3
"""Calls that are captured until one of them is lowered."""
_PLAIN: Mapping[str, object] = {
    "int": 1,
    "SymInt": 1,
    "float": 0.5,
    "number": 2,
    "bool": False,
    "List[int]": [1],
    "List[SymInt]": [1],
}
"""Values of other arguments that have no default, by their type in the schema."""


def lowering_checks(offered: Offered, name: str, lowering: Any) -> Iterator[Check]:
    """The checks of one lowering.

    Args:
        offered: all that is offered beside it.
        name: its target.
        lowering: what the plugin returned.
    """
    yield Check(f"lowering {name}: signature", partial(check_lowering_signature, name, lowering))
    yield Check(f"lowering {name}: lowers a small graph", partial(_check_graph, offered, name))


def check_lowering_signature(name: str, lowering: Any) -> None:
    """Checks that a lowering takes a node and a builder, and that its target has a name.

    Raises:
        AssertionError: says what to change.
    """
    expect(
        isinstance(name, str) and name and " " not in name,
        f"a target must be a name such as 'mylib.gate' or 'aten.add.Tensor', got {name!r}",
    )
    expect(callable(lowering), f"must be a function of a node and a builder, got {lowering!r:.60}")
    try:
        inspect.signature(lowering).bind("node", "builder")
    except TypeError as error:
        raise AssertionError(
            f"{getattr(lowering, '__name__', lowering)} must take a node and a builder ({error}); "
            "write def lower(node, builder)"
        ) from error


def _check_graph(offered: Offered, name: str) -> None:
    """Lowers its example, or calls with arguments that torch takes until one of them is lowered."""
    made = offered.example(name)
    if made is not None:
        trace, watched = _traced(offered, name, *made)
        expect(
            watched.number,
            "the graph of its example does not call it, so torch made it of other operators; name "
            "one of those, or let codesign_examples return a module that keeps it",
        )
        check_lowered(trace)
        return
    failed: AssertionError | None = None
    for module, args in islice(_calls(name), _TRIES):
        try:
            trace, watched = _traced(offered, name, module, args)
            if watched.number:
                check_lowered(trace)
                return
        except AssertionError as error:
            failed = failed or error
        except CaptureError:
            continue
    if failed:
        raise failed
    raise Skip("no call found that torch keeps; offer (module, args) through codesign_examples")


def check_lowered(trace: Trace) -> None:
    """Checks a trace that a lowering made: valid, whole, and the same after a file.

    Raises:
        AssertionError: nothing is modelled, or the trace reads otherwise than it was written.
        TraceError: it breaks a rule of a trace.
    """
    check_trace(trace)
    expect(
        trace.coverage.share == 1.0,
        f"{trace.coverage.share:.0%} of the graph is modelled; lower every target in it",
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        save_trace(trace, path)
        expect(
            load_trace(path) == trace,
            "its trace reads otherwise than it was written; put only plain values into operators",
        )


class _Watched:
    """A registry that notes the calls of one lowering and what they return."""

    def __init__(self, loaded: Registry, name: str) -> None:
        self._loaded, self._name = loaded, name
        self.number = 0
        self.returned: list[object] = []

    def get(self, hook: str) -> dict[str, Any]:
        found = self._loaded.get(hook)
        if hook == HOOK:
            found[self._name] = self._noted(found[self._name])
        return found

    def lost(self) -> str:
        return self._loaded.lost()

    def _noted(self, lowering: Callable[..., object]) -> Callable[..., None]:
        @wraps(lowering)
        def noted(*given: object) -> None:
            self.number += 1
            self.returned.append(lowering(*given))

        return noted


def _traced(
    offered: Offered, name: str, module: Any, args: tuple[Any, ...]
) -> tuple[Trace, _Watched]:
    """The trace, and what the lowering did.

    Raises:
        CaptureError: the model cannot be captured.
        AssertionError: it cannot be lowered, or the lowering returns something.
    """
    from codesign.workload import capture

    loaded = registry(offered.words)
    watched, lowering = _Watched(loaded, name), loaded.get(HOOK)[name]
    with patch.object(capture, "registry", lambda _: watched):
        try:
            trace = capture.trace(module, args)
        except OF_OTHERS as error:
            if not watched.number and isinstance(error, CodesignError):
                raise CaptureError(str(error)) from error
            own = isinstance(error, PluginError) and error.__cause__
            raise AssertionError(
                f"raised {raised(own or error, lowering)}; bind every output of the node with "
                "builder.bind, builder.fold, or builder.new and builder.emit"
            ) from error
    for value in watched.returned:
        expect(
            value is None,
            f"returns {value!r:.60}; a lowering returns nothing: it tells the builder",
        )
    return trace, watched


def _calls(name: str) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Modules that call the operator of torch of a target, with arguments that it takes."""
    import torch

    space, _, rest = name.partition(".")
    packet = getattr(getattr(torch.ops, space, None), rest.partition(".")[0], None)
    overload = rest.partition(".")[2]
    if packet is None or not hasattr(packet, "overloads"):
        return
    for one in [overload] if overload else packet.overloads():
        operator = getattr(packet, one, None)
        for dtype in (torch.float32, torch.long) if operator else ():
            for shape in _SHAPES:
                tensor = torch.ones(shape, dtype=dtype)
                given, named = _given(operator, tensor)
                if _is_taken(operator, given, named):
                    yield _called(operator, given, named)


def _is_taken(operator: Any, given: list[Any], named: dict[str, Any]) -> bool:
    """Whether torch takes a call; of batch normalisations only calls with vectors are tried.

    Their kernels read parameters as long as there are channels without looking how long they are,
    which may end the process.
    """
    if "batch_norm" in str(operator) and any(getattr(one, "ndim", 1) != 1 for one in given):
        return False
    try:
        operator(*given, **named)
    except OF_OTHERS:  # torch raises anything for what it cannot take
        return False
    return True


def _given(operator: Any, tensor: Any) -> tuple[list[Any], dict[str, Any]]:
    given: list[Any] = []
    named: dict[str, Any] = {}
    for argument in operator._schema.arguments:
        if argument.has_default_value():
            continue
        kind = str(argument.type)
        value = {"Tensor": tensor, "List[Tensor]": [tensor, tensor]}.get(kind, _PLAIN.get(kind))
        if isinstance(value, list) and argument.N:
            value = value[:1] * argument.N
        if argument.kwarg_only:
            named[argument.name] = value
        else:
            given.append(value)
    return given, named


def _called(operator: Any, given: list[Any], named: dict[str, Any]) -> tuple[Any, tuple[Any, ...]]:
    """A module that calls an operator: its tensors are the arguments, all else stays as it is."""
    import torch

    class Called(torch.nn.Module):
        def forward(self, tensors: list[Any]) -> Any:
            left = iter(tensors)

            def put(value: Any) -> Any:
                if isinstance(value, list):
                    return [put(one) for one in value]
                return next(left) if isinstance(value, torch.Tensor) else value

            made = operator(*map(put, given), **{key: put(one) for key, one in named.items()})
            return made[0] if isinstance(made, tuple) else made

    flat: list[Any] = []
    for value in (*given, *named.values()):
        flat += [
            one
            for one in (value if isinstance(value, list) else [value])
            if isinstance(one, torch.Tensor)
        ]
    return Called(), ([torch.empty_like(one) for one in flat],)
