"""Matrix products: linear, matmul, einsum, grouped products. Each is one labelled loop nest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codesign.errors import CaptureError
from codesign.hookspecs import hookimpl
from codesign.workload import view
from codesign.workload.builder import Builder
from codesign.workload.contraction import labelled_nest
from codesign.workload.graph import Node, Value
from codesign.workload.lowering import Lowering
from codesign.workload.record import Access

Labelled = tuple[Access, Sequence[str]]


def _emit(
    builder: Builder,
    factors: Sequence[Labelled],
    output: Labelled,
    extents: Mapping[str, int],
    functions: Sequence[str] = (),
) -> None:
    accesses, nest = labelled_nest([*factors, output], extents)
    builder.emit("contraction", accesses[:-1], accesses[-1:], nest=nest, functions=functions)


def _rows(count: int) -> list[str]:
    return [f"m{i}" for i in range(count)]


def _linear(node: Node, builder: Builder) -> None:
    """``[*, k] x [n, k] (+ [n]) -> [*, n]``."""
    first, weight = builder.access(node.args[0]), builder.access(node.args[1])
    bias = node.argument(2, "bias")
    rows = _rows(len(first.shape) - 1)
    columns = ["n"] if len(weight.shape) == 2 else []
    extents = dict(zip(rows, first.shape, strict=False))
    extents |= {"n": weight.shape[0] if columns else 1, "k": first.shape[-1]}
    factors: list[Labelled] = [(first, [*rows, "k"]), (weight, [*columns, "k"])]
    if bias is not None:
        factors.append((builder.access(bias), columns))
    output = builder.new(node.outputs[0])
    functions = ("add",) if bias is not None else ()
    _emit(builder, factors, (output, [*rows, *columns]), extents, functions)


def _product(
    builder: Builder, first: Access, second: Access, output: Access, bias: Access | None = None
) -> None:
    """``[*, m, k] x [*, k, n] (+ [*, m, n])``, batch axes broadcast; vectors lack m or n."""
    if len(first.shape) == 1:
        first, output = view.unsqueeze(first, 0), view.unsqueeze(output, _row(second))
    if len(second.shape) == 1:
        second, output = view.unsqueeze(second, 1), view.unsqueeze(output, -1)
    depth = len(output.shape) - 2
    batch = [f"b{i}" for i in range(depth)]
    extents = dict(zip(batch, output.shape, strict=False))
    extents |= {"m": first.shape[-2], "n": second.shape[-1], "k": first.shape[-1]}
    factors: list[Labelled] = [
        (first, [*batch[depth + 2 - len(first.shape) :], "m", "k"]),
        (second, [*batch[depth + 2 - len(second.shape) :], "k", "n"]),
    ]
    if bias is not None:
        factors.append((view.expand(bias, output.shape), [*batch, "m", "n"]))
    functions = ("add",) if bias is not None else ()
    _emit(builder, factors, (output, [*batch, "m", "n"]), extents, functions)


def _row(second: Access) -> int:
    """Where the row axis of a product with a vector on the left belongs."""
    return -2 if len(second.shape) > 1 else 0


def _matmul(node: Node, builder: Builder) -> None:
    """mm, bmm, matmul, mv and dot."""
    first, second = (builder.access(value) for value in node.args[:2])
    _product(builder, first, second, builder.new(node.outputs[0]))


def _matmul_add(node: Node, builder: Builder) -> None:
    """addmm, addmv and baddbmm: the first argument is added, unless ``beta`` is 0."""
    bias, first, second = (builder.access(value) for value in node.args[:3])
    output = builder.new(node.outputs[0])
    _product(builder, first, second, output, bias if node.kwargs.get("beta", 1) else None)


def _grouped(node: Node, builder: Builder) -> None:
    """Experts over rows sorted by expert. The loads are data; rows are split as even as can be."""
    first, second = (builder.access(value) for value in node.args[:2])
    output = builder.new(node.outputs[0])
    if len(first.shape) == 3 or len(second.shape) == 2:
        if len(first.shape) == len(second.shape) == 3:
            _product(builder, first, second, output)
            return
        raise CaptureError(
            f"_grouped_mm of {list(first.shape)} and {list(second.shape)} is not lowered: only "
            "rows may be ragged; offer a lowering with codesign_register_lowerings"
        )
    rows, groups = first.shape[0], second.shape[0]
    builder.note(f"_grouped_mm: {rows} rows are spread evenly over {groups} groups")
    high, extra = divmod(rows, groups)
    _experts(builder, first, second, output, range(extra), high + 1)
    _experts(builder, first, second, output, range(extra, groups), high)


def _experts(
    builder: Builder, first: Access, second: Access, output: Access, groups: range, rows: int
) -> None:
    """One product of ``rows`` rows for each expert in ``groups``."""
    if not groups or not rows:
        return
    # experts before this range have one row more each
    start = groups.start * (rows + 1)
    stop, count = start + len(groups) * rows, len(groups)
    extents = {"b": count, "m": rows, "n": second.shape[2], "k": first.shape[1]}
    parts = [
        builder.reshape(view.slice_axis(access, 0, start, stop, 1), (count, rows, -1))
        for access in (first, output)
    ]
    weights = view.slice_axis(second, 0, groups.start, groups.stop, 1)
    factors: list[Labelled] = [(parts[0], ["b", "m", "k"]), (weights, ["b", "k", "n"])]
    _emit(builder, factors, (parts[1], ["b", "m", "n"]), extents)


def _einsum(node: Node, builder: Builder) -> None:
    """Any einsum: operands are contracted from left to right, as torch does without a planner."""
    accesses = [builder.access(value) for value in node.args[1]]
    terms, result = _parse(str(node.args[0]), [len(a.shape) for a in accesses], node.outputs[0])
    pending = [_diagonal(a, term) for a, term in zip(accesses, terms, strict=True)]
    first, labels = pending[0]
    for position, (second, names) in enumerate(pending[1:], start=1):
        later = {name for _, rest in pending[position + 1 :] for name in rest} | set(result)
        keep = [n for n in dict.fromkeys([*labels, *names]) if n in later]
        last = position == len(pending) - 1
        first, labels = _reduced(builder, first, labels, {*names, *later})
        second, names = _reduced(builder, second, names, {*labels, *later})
        first, labels = _pair(
            node, builder, (first, labels), (second, names), result if last else keep, last
        )
    if len(pending) == 1:
        first, labels = _reduced(builder, first, labels, set(result))
        builder.bind(node.outputs[0], view.permute(first, [labels.index(n) for n in result]))


def _pair(
    node: Node,
    builder: Builder,
    first: Labelled,
    second: Labelled,
    result: Sequence[str],
    last: bool,
) -> tuple[Access, list[str]]:
    extents: dict[str, int] = {}
    for access, labels in (first, second):
        for name, extent in zip(labels, access.shape, strict=True):
            extents[name] = max(extent, extents.get(name, 1))
    shape = tuple(extents[name] for name in result)
    if last:
        output = builder.new(node.outputs[0])
    else:
        output = builder.tensor("einsum", shape, node.outputs[0].dtype).access()
    # loops of the output first, the reduction innermost
    order = [*result, *(name for name in extents if name not in result)]
    if len(order) == len(result):
        inputs = [_aligned(access, labels, result, shape) for access, labels in (first, second)]
        builder.emit("elementwise", inputs, [output], functions=("mul",))
    else:
        _emit(builder, [first, second], (output, result), {name: extents[name] for name in order})
    return output, list(result)


def _aligned(
    access: Access, labels: Sequence[str], result: Sequence[str], shape: Sequence[int]
) -> Access:
    """The access with its axes in the order of ``result``, missing ones broadcast."""
    present = [name for name in result if name in labels]
    found = view.permute(access, [list(labels).index(name) for name in present])
    for axis, name in enumerate(result):
        if name not in labels:
            found = view.unsqueeze(found, axis)
    return view.expand(found, shape)


def _reduced(
    builder: Builder, access: Access, labels: Sequence[str], needed: set[str]
) -> tuple[Access, list[str]]:
    """Sums the axes whose label nobody else has, before the product."""
    kept = [name for name in labels if name in needed]
    if len(kept) == len(labels):
        return access, list(labels)
    order = [labels.index(n) for n in kept]
    order += [i for i, name in enumerate(labels) if name not in needed]
    source = view.permute(access, order)
    target = builder.tensor("sum", source.shape[: len(kept)], access.tensor.dtype).access()
    width = source.elements // max(1, target.elements)
    builder.emit("reduce", [source], [target], what="sum", functions=("sum",), width=width)
    return target, kept


def _diagonal(access: Access, labels: Sequence[str]) -> Labelled:
    """A label that an operand repeats runs along a diagonal of it."""
    names = list(labels)
    for name in labels:
        while names.count(name) > 1:
            first = names.index(name)
            second = names.index(name, first + 1)
            access = view.diagonal(access, 0, first, second)
            names = [n for i, n in enumerate(names) if i not in (first, second)] + [name]
    return access, names


def _parse(equation: str, ranks: Sequence[int], output: Value) -> tuple[list[list[str]], list[str]]:
    """Labels of each operand and of the result; an ellipsis becomes numbered labels."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow:
        letters = sorted(set(left) - set(",."))
        once = "".join(c for c in letters if left.count(c) == 1)
        right = ("..." if "..." in left else "") + once
    widths = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=True)]
    most = max(w if "..." in t else 0 for w, t in zip(widths, terms, strict=True))
    operands = [_labels(term, most, w) for term, w in zip(terms, widths, strict=True)]
    return operands, _labels(right, most, len(output.shape) - len(right.replace("...", "")))


def _labels(term: str, most: int, width: int) -> list[str]:
    """``...ab`` with two axes under the ellipsis, of at most three, is ``.1 .2 a b``."""
    head, dots, tail = term.partition("...")
    middle = [f".{i}" for i in range(most - width, most)] if dots else []
    return [*head, *middle, *tail]


@hookimpl
def codesign_register_lowerings() -> Mapping[str, Lowering]:
    """Matrix products of aten."""
    found: dict[str, Lowering] = {"linear": _linear, "einsum": _einsum, "_grouped_mm": _grouped}
    found |= dict.fromkeys(("matmul", "mm", "bmm", "mv", "dot", "vdot", "_int_mm"), _matmul)
    found |= dict.fromkeys(("addmm", "addmv", "baddbmm"), _matmul_add)
    return {f"aten.{name}": lowering for name, lowering in found.items()}
