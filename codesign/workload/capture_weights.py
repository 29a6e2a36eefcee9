"""What the weights of a model say of themselves: their subclass, their layout, their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch._subclasses import FakeTensor
from torch.export import ExportedProgram
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from codesign.errors import CaptureError
from codesign.workload.convert import dtype_of
from codesign.workload.dtype import DType


@dataclass(frozen=True, slots=True)
class Subclasses:
    """Tensor subclasses of a program, which export takes apart into plain tensors.

    Attributes:
        names: readable path of each plain tensor by the path that export gives it.
        formats: number format that a subclass states, by readable path of its data.
    """

    names: Mapping[str, str]
    formats: Mapping[str, DType]


def read_subclasses(exported: ExportedProgram) -> Subclasses:
    """Reads the subclasses before the program is made functional, which takes them apart.

    The attribute ``target_dtype`` states the true format (torchao); the data may travel in a wider
    one. The data keep the path of the weight, what comes with them is named below it.

    Args:
        exported: a program as ``torch.export.export`` returns it.
    """
    names: dict[str, str] = {}
    formats: dict[str, DType] = {}
    for path, tensor in exported.state_dict.items():
        if not is_traceable_wrapper_subclass(tensor):
            continue
        module, _, leaf = path.rpartition(".")
        flat = f"{module}.parametrizations.{leaf}.original".removeprefix(".")
        for index, attribute in enumerate(_inner_names(tensor)):
            names[f"{flat}{index}"] = f"{path}.{attribute}" if index else path
        target = getattr(tensor, "target_dtype", None)
        if isinstance(target, torch.dtype):
            formats[path] = dtype_of(target)
    return Subclasses(names, formats)


def _inner_names(tensor: Any) -> Iterator[str]:
    """Names of the plain tensors below a subclass, in the order in which torch takes it apart."""
    for attribute in tensor.__tensor_flatten__()[0]:
        inner = getattr(tensor, attribute)
        if is_traceable_wrapper_subclass(inner):
            yield from (f"{attribute}.{name}" for name in _inner_names(inner))
        else:
            yield attribute


def stored_data(exported: ExportedProgram) -> dict[str, torch.Tensor]:
    """The data of every stored input that has values, by the name of its placeholder."""
    found = {}
    for spec in exported.graph_signature.input_specs:
        target = spec.target or ""
        data = exported.state_dict.get(target, exported.constants.get(target))
        if isinstance(data, torch.Tensor) and not data.is_meta and not isinstance(data, FakeTensor):
            found[spec.arg.name] = data.detach()
    return found


def sparse_paths(model: nn.Module) -> list[str]:
    """Paths of the parameters and buffers with a sparse layout such as ``torch.sparse_csr``."""
    named = model.state_dict(keep_vars=True).items()
    return [path for path, tensor in named if tensor.layout != torch.strided]


def refuse_sparse(exported: ExportedProgram) -> None:
    """Refuses a program with a tensor of a sparse layout, which torch cannot make functional.

    Raises:
        CaptureError: it has one.
    """
    for path, tensor in {**exported.state_dict, **exported.constants}.items():
        if isinstance(tensor, torch.Tensor) and tensor.layout != torch.strided:
            raise CaptureError(
                f"{path} has the layout {tensor.layout}, with which torch cannot lower an exported "
                "program; capture the module itself, or export it with the weight made dense by "
                "to_dense() and pass scan_zeros=True"
            )


@contextmanager
def dense_layouts(model: nn.Module) -> Iterator[None]:
    """Gives the model dense copies of its tensors of sparse layouts, as long as it is exported."""
    copies: dict[int, torch.Tensor] = {}
    changed: list[tuple[dict[str, Any], str, torch.Tensor]] = []
    try:
        for module in model.modules():
            for tensors in (module._parameters, module._buffers):
                for name, tensor in tensors.items():
                    if tensor is None or tensor.layout == torch.strided:
                        continue
                    dense = copies.setdefault(id(tensor), _dense(tensor))
                    changed.append((tensors, name, tensor))
                    tensors[name] = dense
        yield
    finally:
        for tensors, name, tensor in changed:
            tensors[name] = tensor


def _dense(tensor: torch.Tensor) -> torch.Tensor:
    dense = tensor.detach().to_dense()
    is_parameter = isinstance(tensor, nn.Parameter)
    return nn.Parameter(dense, requires_grad=False) if is_parameter else dense
