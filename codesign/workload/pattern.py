"""Finding a small expression among the operators of a trace, for fusion passes.

A pattern is a nested tuple ``(labels, operand, ...)``: ``labels`` are function names separated by
``|``, an operand is another pattern or the name of a variable. ``("mul", "x", ("sigmoid", "x"))``
is SiLU spelled out. Casts in between are looked through, the factors of a sum or product may come
in either order, and a variable that occurs twice must be the same view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import permutations
from typing import TypeAlias

from codesign.workload.affine import traversal, without_broadcast
from codesign.workload.record import Access, Op
from codesign.workload.rewrite import Editor

Pattern: TypeAlias = "str | tuple[str | Pattern, ...]"
"""A variable, or labels and operand patterns."""
_COMMUTE = frozenset({"add", "mul"})


@dataclass(frozen=True, slots=True)
class Match:
    """A place where a pattern holds.

    Attributes:
        root: the last operator, whose output is that of the expression.
        members: all operators of the expression by name, the root among them.
        bound: the view that each variable stands for.
    """

    root: Op
    members: Mapping[str, Op]
    bound: Mapping[str, Access]


def label(op: Op) -> str:
    """The function of an operator that does one thing, else its kind."""
    return op.functions[0] if len(op.functions) == 1 else op.kind


def find(
    editor: Editor, root: Op, pattern: Pattern, accept: Callable[[Match], bool] = lambda _: True
) -> Match | None:
    """Matches a pattern whose last operator is ``root``.

    Args:
        editor: the trace.
        root: operator whose output is that of the expression.
        pattern: what to look for.
        accept: further condition on what the variables stand for.

    Returns:
        The first accepted match whose inner results nobody else reads and that may be moved to
        ``root``.
    """
    for match in _match_op(editor, root, pattern, Match(root, {}, {})):
        grown = _absorb_casts(editor, match)
        alone = _closed(editor, grown) and accept(grown)
        if alone and editor.may_merge(tuple(grown.members.values()), root):
            return grown
    return None


def _match_op(editor: Editor, op: Op, pattern: Pattern, match: Match) -> Iterator[Match]:
    name = label(op)
    labels, operands = str(pattern[0]), tuple(pattern[1:])
    if name not in labels.split("|") or len(op.inputs) != len(operands):
        return
    begun = replace(match, members={**match.members, op.name: op})
    orders = permutations(operands) if name in _COMMUTE else iter([operands])
    for order in orders:
        yield from _match_all(editor, op.inputs, order, begun)


def _match_all(
    editor: Editor, accesses: tuple[Access, ...], patterns: tuple[Pattern, ...], match: Match
) -> Iterator[Match]:
    if not accesses:
        yield match
        return
    for step in _match_access(editor, accesses[0], patterns[0], match):
        yield from _match_all(editor, accesses[1:], patterns[1:], step)


def _match_access(
    editor: Editor, access: Access, pattern: Pattern, match: Match
) -> Iterator[Match]:
    if isinstance(pattern, str):
        known = match.bound.get(pattern)
        if known is None:
            yield replace(match, bound={**match.bound, pattern: access})
        elif traversal(known) == traversal(access):
            yield match
        return
    op = editor.maker(access.tensor)
    if op is None or not _in_order(op.outputs[0], access):
        return
    yield from _match_op(editor, op, pattern, match)
    if label(op) == "cast":
        begun = replace(match, members={**match.members, op.name: op})
        yield from _match_access(editor, op.inputs[0], pattern, begun)


def _in_order(written: Access, read: Access) -> bool:
    """Whether a reader sees every element in the order of writing, repeated at most."""
    return traversal(without_broadcast(read)) == traversal(without_broadcast(written))


def _absorb_casts(editor: Editor, match: Match) -> Match:
    """Reads a variable before its cast, where the cast serves this expression alone."""
    members, bound = dict(match.members), dict(match.bound)
    for name, access in match.bound.items():
        op = editor.maker(access.tensor)
        if op is None or label(op) != "cast" or traversal(access) != traversal(op.outputs[0]):
            continue
        if all(reader.name in members for reader in editor.readers(access.tensor)):
            members[op.name], bound[name] = op, op.inputs[0]
    return replace(match, members=members, bound=bound)


def _closed(editor: Editor, match: Match) -> bool:
    """Whether nobody outside reads an inner result, and no variable stands for one."""
    inner = [op for op in match.members.values() if op.name != match.root.name]
    results = {access.tensor.name: access.tensor for op in inner for access in op.outputs}
    if any(access.tensor.name in results for access in match.bound.values()):
        return False
    return all(
        reader.name in match.members
        for tensor in results.values()
        for reader in editor.readers(tensor)
    )
