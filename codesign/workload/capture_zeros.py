"""Zeros of a captured model, read from the values of its weights where it has any."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from codesign.errors import CaptureError, nearest
from codesign.workload.graph import Graph, GraphInput
from codesign.workload.quantised import Zeros
from codesign.workload.record import Trace
from codesign.workload.retensor import with_tensors
from codesign.workload.sparsity import Sparsity
from codesign.workload.zeros import require_nm

LEAST_ZEROS = 1 / 16
"""Share of zeros from which a scan says so: below it a bitmask of weights of 16 bits saves nothing
(one bit for each element, 16 for each zero)."""
_PLAIN = Zeros(None, ())
_PATTERN = re.compile(r"(\d{1,4}):(\d{1,4})(?: axis (-?\d{1,2}))?$")


@dataclass(frozen=True, slots=True)
class Scan:
    """What to look for.

    Attributes:
        every: whether to look at every weight, else only at those that say that they have zeros.
        expect: ``n:m`` or ``n:m axis a`` by pattern of weight paths, which must hold.
        sparse: paths of the tensors that have a sparse layout in the model.
    """

    every: bool = False
    expect: Mapping[str, str] = field(default_factory=dict)
    sparse: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.every, bool):
            raise CaptureError(f"scan_zeros must be True or False, got {self.every!r}")
        if not isinstance(self.expect, Mapping) or not all(
            isinstance(text, str) for pair in self.expect.items() for text in pair
        ):
            raise CaptureError(
                f"expect must give a pattern of zeros by pattern of names, got "
                f"{repr(self.expect)[:60]}; write for example {{'encoder.*': '2:4'}}"
            )


@dataclass(frozen=True, slots=True)
class Values:
    """The values behind the inputs of a graph, by name of the value.

    Attributes:
        data: tensors of those inputs that have values.
        zeros: what stands for zero in a quantised weight.
        masks: name of the mask of a pruned weight.
    """

    data: Mapping[str, torch.Tensor]
    zeros: Mapping[str, Zeros] = field(default_factory=dict)
    masks: Mapping[str, str] = field(default_factory=dict)

    def kept(self, name: str) -> NDArray[np.bool_] | None:
        """True where a weight is not zero, masked and with its zero points; None without values."""
        zeros = self.zeros.get(name, _PLAIN)
        needed = (name, self.masks.get(name, name), zeros.point)
        if any(isinstance(part, str) and part not in self.data for part in needed):
            return None
        tensor = self.data[name]
        wide = tensor if tensor.itemsize > 1 else tensor.to(torch.float32)
        kept = wide != self._points(zeros, tensor)
        if name in self.masks:
            kept &= self.data[self.masks[name]] != 0
        found: NDArray[np.bool_] = kept.cpu().numpy()
        return found

    def _points(self, zeros: Zeros, tensor: torch.Tensor) -> Any:
        """What stands for zero in each element, or in all of them."""
        if not isinstance(zeros.point, str):
            return zeros.point or 0
        points = self.data[zeros.point]
        grid = [-(-n // size) for n, size in zip(tensor.shape, zeros.block, strict=True)]
        points = points.reshape(grid)
        for axis, size in enumerate(zeros.block):
            points = points.repeat_interleave(size, axis)
        return points[tuple(slice(extent) for extent in tensor.shape)]


def find_zeros(graph: Graph, values: Values, scan: Scan) -> dict[str, Sparsity]:
    """The sparsity of the weights that have one worth saying, by path.

    Looked at are weights of two axes and more: all of them if asked, else those with a mask or a
    sparse layout. What is expected must hold exactly and is then what the trace says.

    Args:
        graph: the captured graph.
        values: of its inputs.
        scan: what to look for.

    Raises:
        CaptureError: no weight has values, a pattern that matches nothing or has no such form.
        TraceError: a weight does not follow what is expected of it.
    """
    weights = [i for i in graph.inputs if i.role == "weight" and len(i.value.shape) > 1]
    expected = _expected(weights, scan.expect)
    if scan.every and weights and not any(i.value.name in values.data for i in weights):
        raise _without_values("scan_zeros", weights[0].path)
    found = {}
    for given in weights:
        path, name = given.path, given.value.name
        if path in expected:
            found[path] = _checked(given, values.kept(name), *expected[path])
        elif scan.every or name in values.masks or path in scan.sparse:
            kept = values.kept(name)
            if kept is not None and kept.size and 1 - kept.mean() >= LEAST_ZEROS:
                found[path] = Sparsity.of(kept)
    return found


def with_zeros(trace: Trace, zeros: Mapping[str, Sparsity]) -> Trace:
    """The trace with the sparsity of some weights, by their names, and a note that says so."""
    found = [tensor for tensor in trace.tensors if tensor.name in zeros]
    if not found:
        return trace
    told = with_tensors(trace, {t.name: replace(t, sparsity=zeros[t.name]) for t in found})
    which = "1 weight" if len(found) == 1 else f"{len(found)} weights"
    return told.replace(notes=(*told.notes, f"zeros of {which} read from the values"))


def _expected(
    weights: Sequence[GraphInput], expect: Mapping[str, str]
) -> dict[str, tuple[str, re.Match[str]]]:
    found: dict[str, tuple[str, re.Match[str]]] = {}
    for pattern, text in expect.items():
        match = _PATTERN.match(text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise CaptureError(
                f"expect: {pattern!r} must be given as n:m with 1 <= n <= m, got {text!r:.60}; "
                "write for example '2:4' or '2:4 axis 1'"
            )
        paths = [given.path for given in weights if fnmatchcase(given.path, pattern)]
        if not paths:
            known = [given.path for given in weights]
            raise CaptureError(
                f"expect: no weight of two axes matches {pattern!r}"
                f"{nearest(pattern.replace('*', ''), known)}"
            )
        found |= dict.fromkeys(paths, (text, match))
    return found


def _checked(
    given: GraphInput, kept: NDArray[np.bool_] | None, text: str, match: re.Match[str]
) -> Sparsity:
    if kept is None:
        raise _without_values("expect", given.path)
    require_nm(kept, int(match[1]), int(match[2]), int(match[3] or -1), given.path)
    return Sparsity.parse(text).on(given.value.shape, given.path)


def _without_values(option: str, path: str) -> CaptureError:
    return CaptureError(
        f"{option}: {path} has no values to look at, as on the meta device; load the weights "
        "before the capture, or declare the zeros with codesign.annotate"
    )
