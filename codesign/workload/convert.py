"""From an exported program to the neutral graph: roles, ties, mutations, module paths.

No torch import is needed: nodes, fake tensors and number formats are read by their attributes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import Any

from codesign.errors import CaptureError, did_you_mean
from codesign.workload.dtype import DType
from codesign.workload.graph import Graph, GraphInput, Node, Value
from codesign.workload.record import ROLES, Role

_FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')
_DTYPES = {
    "float64": "fp64",
    "float32": "fp32",
    "float16": "fp16",
    "bfloat16": "bf16",
    # a complex number is stored as its two parts; the width is what matters
    "complex32": "fp32",
    "complex64": "fp64",
    "complex128": "fp128",
    # two values share a byte in this format, and the shape counts bytes
    "float4_e2m1fn_x2": "fp8",
    "bool": "bool",
}


def dtype_of(name: Any) -> DType:
    """The number format of a torch dtype.

    Args:
        name: a ``torch.dtype`` or its name, with or without ``torch.``.

    Raises:
        CaptureError: a format that cannot be stored as plain elements.
    """
    short = str(name).removeprefix("torch.")
    if short.startswith("float8"):
        return DType("fp", 8)
    if short.startswith(("int", "uint")):
        return DType.parse(short)
    if short not in _DTYPES:
        raise CaptureError(f"torch dtype {short} has no counterpart{did_you_mean(short, _DTYPES)}")
    return DType.parse(_DTYPES[short])


def convert_graph(
    exported: Any,
    paths: Mapping[str, str],
    roles: Mapping[str, Role],
    names: Mapping[str, str] | None = None,
) -> Graph:
    """Converts a functional exported program.

    Args:
        exported: a ``torch.export.ExportedProgram`` after ``run_decompositions``.
        paths: path in the argument tree by placeholder name, where known.
        roles: role by pattern of argument path or placeholder name.
        names: what to call stored tensors in the place of the paths that export gave them.

    Raises:
        CaptureError: a dynamic shape, or a role or pattern that means nothing.
    """
    signature = exported.graph_signature
    mutated = _mutations(signature)
    reader = _Reader(exported.graph_module)
    reader.walk()
    named = _Roles(roles)
    inputs = []
    for spec in signature.input_specs:
        value = reader.env.get(getattr(spec.arg, "name", None))
        if isinstance(value, Value):
            path = spec.target or paths.get(value.name, value.name)
            path = (names or {}).get(path, path)
            default = _default_role(spec.kind.name, value.name in mutated.values())
            role = named.find(path, value.name) or default
            inputs.append(GraphInput(value, role, path, _storage(exported, spec.target, value)))
    named.check(inputs)
    ends = zip(signature.output_specs, reader.outputs, strict=True)
    outputs = tuple(value for spec, value in ends if spec.kind.name == "USER_OUTPUT")
    pairs = tuple((reader.env[out].name, target) for out, target in mutated.items())
    return Graph(tuple(inputs), tuple(reader.nodes), outputs, pairs)


def _mutations(signature: Any) -> dict[str, str]:
    """Placeholder that ends as each output, by output name."""
    buffers = {target: name for name, target in signature.inputs_to_buffers.items()}
    buffers |= {target: name for name, target in signature.inputs_to_parameters.items()}
    found = {}
    for spec in signature.output_specs:
        if spec.kind.name in ("BUFFER_MUTATION", "PARAMETER_MUTATION"):
            found[spec.arg.name] = buffers[spec.target]
        elif spec.kind.name == "USER_INPUT_MUTATION":
            found[spec.arg.name] = spec.target
    return found


def _default_role(kind: str, is_mutated: bool) -> Role:
    if is_mutated:
        return "state"
    if kind == "PARAMETER":
        return "weight"
    return "input" if kind == "USER_INPUT" else "constant"


def _storage(exported: Any, target: str | None, value: Value) -> str:
    """Identity of the stored data: equal for tied parameters, also on the meta device."""
    data = exported.state_dict.get(target, exported.constants.get(target))
    if data is None or not hasattr(data, "untyped_storage"):
        return value.name
    place = data.untyped_storage()._cdata, data.storage_offset(), tuple(data.shape)
    return f"{place}{data.stride()}{data.dtype}"


class _Roles:
    """Roles that the user gives, by pattern; each pattern has to match something."""

    def __init__(self, roles: Mapping[str, Role]) -> None:
        for pattern, role in roles.items():
            if role not in ROLES:
                raise CaptureError(f"role of {pattern!r}: {role!r} is none{_known(role)}")
        self._roles = roles
        self._used: set[str] = set()

    def find(self, path: str, name: str) -> Role | None:
        for pattern, role in self._roles.items():
            if fnmatchcase(path, pattern) or fnmatchcase(name, pattern):
                self._used.add(pattern)
                return role
        return None

    def check(self, inputs: Sequence[GraphInput]) -> None:
        for pattern in self._roles:
            if pattern not in self._used:
                known = [i.path for i in inputs if i.role in ("input", "state")]
                hint = did_you_mean(pattern, known)
                raise CaptureError(f"roles: no argument matches {pattern!r}{hint}")


def _known(role: str) -> str:
    return did_you_mean(role, ROLES)


class _Reader:
    """Reads one ``torch.fx`` graph module, and the ones it calls, into nodes and values."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.env: dict[str | None, Any] = {}
        self.nodes: list[Node] = []
        self.inputs: list[Value] = []
        self.outputs: tuple[Any, ...] = ()

    def walk(self) -> None:
        for node in self.module.graph.nodes:
            if node.op == "placeholder":
                self.env[node.name] = self._placeholder(node)
            elif node.op == "get_attr":
                self.env[node.name] = self._attribute(node)
            elif node.op == "output":
                ends = self._plain(node.args[0])
                self.outputs = tuple(ends) if isinstance(ends, (list, tuple)) else (ends,)
            elif _is_getitem(node):
                self.env[node.name] = self.env[node.args[0].name][node.args[1]]
            else:
                self._call(node)

    def _placeholder(self, node: Any) -> Any:
        example = node.meta.get("val")
        if not _is_tensor(example):
            return example
        value = _value(node.name, example)
        self.inputs.append(value)
        return value

    def _attribute(self, node: Any) -> Any:
        target = self.module
        for part in node.target.split("."):
            target = getattr(target, part)
        return _body(target) if hasattr(target, "graph") else _value(node.name, target)

    def _call(self, node: Any) -> None:
        example = node.meta.get("val")
        args = tuple(self._plain(a) for a in node.args)
        kwargs = {key: self._plain(a) for key, a in sorted(node.kwargs.items())}
        if isinstance(example, (list, tuple)):
            place = _place(node)
            outputs = tuple(
                _value(f"{node.name}.{i}", part, place) for i, part in enumerate(example)
            )
            self.env[node.name] = outputs
        else:
            outputs = (_value(node.name, example, _place(node)),) if _is_tensor(example) else ()
            self.env[node.name] = outputs[0] if outputs else example
        self.nodes.append(Node(_target(node.target), args, kwargs, outputs, _module(node)))

    def _plain(self, argument: Any) -> Any:
        if isinstance(argument, (list, tuple)):
            return [self._plain(part) for part in argument]
        if isinstance(argument, dict):
            return {key: self._plain(part) for key, part in argument.items()}
        if hasattr(argument, "op") and hasattr(argument, "meta"):
            return self.env[argument.name]
        if argument is None or isinstance(argument, (bool, int, float, str)):
            return argument
        return dtype_of(argument) if type(argument).__name__ == "dtype" else str(argument)


def _body(module: Any) -> Graph:
    reader = _Reader(module)
    reader.walk()
    inputs = tuple(GraphInput(v, "input", v.name, v.name) for v in reader.inputs)
    return Graph(inputs, tuple(reader.nodes), reader.outputs)


def _value(name: str, example: Any, place: str = "") -> Value:
    if not _is_tensor(example):
        # an output that this call does not make, such as the mask of an inference-mode norm
        return Value(name, (0,), DType("fp", 32))
    try:
        shape = tuple(int(extent) for extent in example.shape)
    except Exception as error:  # torch refuses to turn an unknown extent into a number
        raise CaptureError(_dynamic(name, tuple(map(str, example.shape)), place)) from error
    return Value(name, shape, dtype_of(example.dtype))


def _dynamic(name: str, extents: tuple[str, ...], place: str) -> str:
    shape = f"({', '.join(extents)})"
    if not any(extent.startswith("u") for extent in extents):
        return f"{name}{place} has the dynamic shape {shape}; export with static shapes"
    return (
        f"{name}{place} has the shape {shape}, which depends on data, but capture holds shapes and "
        "no data; write it with a fixed size, such as torch.topk or a mask"
    )


def _place(node: Any) -> str:
    """The line of the model that a node came from; empty where the program does not say."""
    frames = _FRAME.findall(node.meta.get("stack_trace") or "")
    if not frames:
        return ""
    file, line, function = frames[-1]
    return f" at {PurePath(file).name}:{line} ({function})"


def _is_tensor(example: Any) -> bool:
    return hasattr(example, "shape") and hasattr(example, "dtype")


def _is_getitem(node: Any) -> bool:
    return node.op == "call_function" and getattr(node.target, "__name__", "") == "getitem"


def _target(target: Any) -> str:
    name = getattr(target, "name", None)
    if callable(name) and not hasattr(target, "overloadpacket"):
        return str(name())
    return str(target)


def _module(node: Any) -> str:
    stack = node.meta.get("nn_module_stack") or {}
    path = str(next(reversed(stack.values()))[0]) if stack else ""
    # a module that is called twice gets a suffix such as "head@1"
    return path.partition("@")[0]
