"""Fixed mappings of one program: which operator each entry means, checked against its loops."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from glob import escape

from codesign.errors import MappingError, did_you_mean, nearest
from codesign.hardware.component import Engine
from codesign.hardware.fixed import FixedMapping
from codesign.mapping.answers import refusals
from codesign.mapping.assign.ask import KIND, Engines, matches
from codesign.mapping.fixed_cut import operand_names
from codesign.mapping.fixed_file import Entry
from codesign.workload.record import Op
from codesign.workload.work import elements

_WORDS = ("g", "m", "k", "n")
"""Words for all loops of a class at once: groups, rows, reduction, columns."""
_ELEMENTS = "elements"
"""The one loop of an operator without products."""
_PRODUCTS = "contraction"
"""The kind of operators with products."""


@dataclass(frozen=True)
class Fixed:
    """What is decided of the operators of a program.

    Attributes:
        mappings: by name of the operator.
        engines: engine that must run it, by name of the operator.
    """

    mappings: Mapping[str, FixedMapping] = field(default_factory=dict)
    engines: Mapping[str, str] = field(default_factory=dict)

    def of(self, op: Op) -> FixedMapping | None:
        """The mapping of an operator, or of the one that it is a part of; None if it is free."""
        if not self.mappings:
            return None
        whole = self.mappings.get(op.name)
        if whole is not None or not op.name.endswith("]"):
            return whole
        # a part has the name of the whole with its columns
        whole = self.mappings.get(op.name.rpartition("[")[0])
        if whole is None or not whole.tile:
            return whole
        sizes = zip(whole.tile, _extents(op), strict=True)
        return replace(whole, tile=tuple(size and min(size, extent) for size, extent in sizes))


def with_rules(engines: Engines, fixed: Fixed) -> Engines:
    """Rules on engines with those of fixed mappings in front."""
    if not fixed.engines:
        return engines
    rules = {escape(name): engine for name, engine in fixed.engines.items()}
    return replace(engines, rules={**rules, **engines.rules})


def find_fixed(entries: Sequence[Entry], ops: Iterable[Op], engines: Sequence[Engine]) -> Fixed:
    """What entries mean for the operators of a program; of several that match the first counts.

    Raises:
        MappingError: an entry that matches nothing, or names an engine, loop or operand that is not
            there, or a size that its loop does not reach.
    """
    ops = list(ops) if entries else []
    seen: set[str] = set()
    mappings: dict[str, FixedMapping] = {}
    where: dict[str, str] = {}
    for entry in entries:
        _check_engine(entry, engines)
        matching = [op for op in ops if matches(entry.pattern, op)]
        fresh = [op for op in matching if op.name not in seen]
        if not matching:
            raise MappingError(
                f"{entry.place}: {entry.pattern!r} matches no operator"
                f"{near(entry.pattern.replace('*', ''), _names(entry, ops))}"
            )
        if not fresh:
            raise MappingError(
                f"{entry.place}: {entry.pattern!r} matches only operators that an entry before it "
                "decides; move it up, or remove it"
            )
        seen.update(op.name for op in fresh)
        decided = {op.name: _decided(entry, op) for op in fresh}
        _check_taken(entry, fresh, engines)
        mappings |= {name: one for name, one in decided.items() if not one.is_open}
        where |= dict.fromkeys(decided, entry.engine) if entry.engine else {}
    return Fixed(mappings, where)


def _names(entry: Entry, ops: Sequence[Op]) -> list[str]:
    """What the pattern of an entry might mean: operators, or their kinds."""
    if entry.pattern.startswith(KIND):
        return sorted({KIND + op.kind for op in ops})
    return [op.name for op in ops]


def near(word: str, names: Sequence[str]) -> str:
    """The nearest name, or a few of them."""
    shown = ", ".join(names[:5]) + ", ..." * (len(names) > 5)
    return nearest(word, names, f"operators are {shown}")


def _check_engine(entry: Entry, engines: Sequence[Engine]) -> None:
    names = [engine.name for engine in engines]
    if entry.engine and entry.engine not in names:
        raise MappingError(
            f"{entry.place}: {entry.pattern}: engine: no engine {entry.engine!r}"
            f"{did_you_mean(entry.engine, names)}"
        )


def _check_taken(entry: Entry, ops: Sequence[Op], engines: Sequence[Engine]) -> None:
    """The engine that an entry names takes the operators and their mappings."""
    for engine in engines if entry.engine else ():
        if engine.name != entry.engine:
            continue
        for op in ops:
            reason = refusals(op, [engine]).get(engine.name)
            if reason:
                raise MappingError(
                    f"{entry.place}: {op.name}: engine: {engine.name} does not take it: {reason}; "
                    "name another engine"
                )


def _decided(entry: Entry, op: Op) -> FixedMapping:
    """An entry as one operator takes it."""
    place = f"{entry.place}: {op.name}"
    if op.kind != _PRODUCTS:
        given = {"order": entry.order, "hold": entry.hold is not None, "unroll": entry.unroll}
        given |= {"inside": entry.inside}
        for key in [key for key, value in given.items() if value]:
            raise MappingError(
                f"{place}: {key} is of operators with products, this is one loop over its "
                f"elements; {_way_out(entry, op, key)}"
            )
        sizes = dict(entry.tile)
        _check_sizes(f"{place}: tile", sizes, {_ELEMENTS: elements(op)})
        return FixedMapping((sizes[_ELEMENTS],) if sizes else (), place=place)
    return FixedMapping(
        _tile(place, entry, op),
        _order(place, "order", entry.order, op),
        _held(place, entry, op),
        place,
        _unroll(place, entry, op),
        _order(place, "inside", entry.inside, op),
    )


def _way_out(entry: Entry, op: Op, key: str) -> str:
    """What to do about a key of operators with products."""
    if entry.pattern == op.name:
        return f"remove {key}"
    return f"name the others alone, for example with the pattern 'kind:{_PRODUCTS}'"


def _extents(op: Op) -> tuple[int, ...]:
    return op.loops.extents if op.kind == _PRODUCTS else (elements(op),)


def _check_sizes(place: str, sizes: Mapping[str, int], extents: Mapping[str, int]) -> None:
    for loop, size in sizes.items():
        if loop not in extents:
            raise MappingError(f"{place}: no loop {loop!r}{did_you_mean(loop, extents)}")
        if size > extents[loop]:
            raise MappingError(
                f"{place}: {loop} must be at most its extent {extents[loop]:,}, "
                f"got {size:,}; lower it"
            )


def _loops(op: Op) -> dict[str, tuple[int, ...]]:
    """What a name in a mapping means: a loop of the nest, or all loops of a class."""
    nest = op.loops
    classes = dict(zip(_WORDS, nest.classes(len(op.inputs)), strict=True))
    # loops of one turn are always whole and need no name
    words = {word: dims for word, dims in classes.items() if dims and word not in nest.dims}
    return {name: (dim,) for dim, name in enumerate(nest.dims)} | words


def _tile(place: str, entry: Entry, op: Op) -> tuple[int | None, ...]:
    """Extent of every loop in a tile; loops beside a named one of their class are whole."""
    if not entry.tile:
        return ()
    nest, loops = op.loops, _loops(op)
    extents = {name: math.prod(nest.extents[d] for d in dims) for name, dims in loops.items()}
    sizes = dict(entry.tile)
    _check_sizes(f"{place}: tile", sizes, extents)
    tile: list[int | None] = [None] * len(nest.dims)
    for name, size in sizes.items():
        dims = loops[name]
        for dim, part in zip(dims, _shared(place, name, size, op, dims), strict=True):
            if tile[dim] is not None:
                raise MappingError(
                    f"{place}: tile: {name} and {nest.dims[dim]} decide the same loop; keep one"
                )
            tile[dim] = part
    for dims in nest.classes(len(op.inputs)):
        if any(tile[dim] is not None for dim in dims):
            for dim in dims:
                tile[dim] = nest.extents[dim] if tile[dim] is None else tile[dim]
    return tuple(tile)


def _shared(place: str, name: str, size: int, op: Op, dims: Sequence[int]) -> tuple[int, ...]:
    """The size of a class as extents of its loops: inner ones whole, outer ones 1."""
    own = [op.loops.extents[dim] for dim in dims]
    sizes = []
    for cut in reversed(range(len(own))):
        inner = math.prod(own[cut + 1 :])
        part = size // inner
        if size % inner == 0 and 1 <= part <= own[cut]:
            return (*(1,) * cut, part, *own[cut + 1 :])
        sizes += [inner * p for p in (part, part + 1) if 1 <= p <= own[cut]]
    words = ", ".join(f"{op.loops.dims[d]} {extent}" for d, extent in zip(dims, own, strict=True))
    below = max((s for s in sizes if s < size), default=1)
    raise MappingError(
        f"{place}: tile: {name} {size:,} cuts no loop evenly out of {words}; name these loops, or "
        f"take {below:,} or {min(s for s in sizes if s > size):,}"
    )


def _unroll(
    place: str, entry: Entry, op: Op
) -> tuple[tuple[str, tuple[tuple[int, int], ...]], ...]:
    extents = dict(zip(op.loops.dims, op.loops.extents, strict=True))
    numbers = {name: number for number, name in enumerate(op.loops.dims)}
    left = dict(extents)
    for axis, sizes in entry.unroll:
        _check_sizes(f"{place}: unroll: {axis}", dict(sizes), left)
        left |= {loop: -(-left[loop] // size) for loop, size in sizes}
    return tuple(
        (axis, tuple((numbers[loop], size) for loop, size in sizes)) for axis, sizes in entry.unroll
    )


def _order(place: str, key: str, names: Sequence[str], op: Op) -> tuple[int, ...]:
    loops = _loops(op)
    found: list[int] = []
    for name in names:
        if name not in loops:
            raise MappingError(f"{place}: {key}: no loop {name!r}{did_you_mean(name, loops)}")
        twice = [dim for dim in loops[name] if dim in found]
        if twice:
            raise MappingError(
                f"{place}: {key}: {name} and a name before it are the same loop; keep one"
            )
        found += loops[name]
    return tuple(found)


def _held(place: str, entry: Entry, op: Op) -> frozenset[int] | None:
    if entry.hold is None:
        return None
    names = {name: number for number, name in enumerate(operand_names(op)[:2])}
    names |= {access.tensor.name: number for number, access in enumerate(op.inputs[:2])}
    for name in entry.hold:
        if name not in names:
            raise MappingError(f"{place}: hold: no operand {name!r}{did_you_mean(name, names)}")
    return frozenset(names[name] for name in entry.hold)
