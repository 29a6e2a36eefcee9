"""The report of ``codesign mapping show``, for people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.text import Text

from codesign.cli.output import table
from codesign.cli.parts import grid
from codesign.cli.quantities import count, quantity, share
from codesign.mapping.explain import Explanation, Operand, explain
from codesign.mapping.paths import Paths
from codesign.workload.work import elements

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_BYTES = ("read", "write", "move")


def report(one: Explanation) -> Sequence[RenderableType]:
    """Everything to print on one operator."""
    title = Text.assemble((one.op.name, "bold"), " on ", (one.engine.name, "bold"))
    nest = _nest(one, "Loop nest, the outermost first")
    parts: list[RenderableType] = [_headline(one), nest, _operands(one), _rooms(one)]
    parts += [_actions(one), _cycles(one), _limits(one)]
    if one.compared is not None:
        parts += _beside(one)
    return [title, *(piece for part in parts for piece in ("", part))]


def best_of(one: Explanation) -> Explanation | None:
    """The best mapping in the place of a fixed one, explained; None where there is none."""
    best = one.compared.best if one.compared else None
    if best is None:
        return None
    there = replace(
        one.one, engine=best.engine.name, plan=best.plan, budget_bytes=best.budget_bytes
    )
    return explain(there, one.times, Paths(one.hardware, one.budget.objective))


def _headline(one: Explanation) -> Table:
    op, nest = one.op, one.op.nest
    pairs = zip(nest.dims, nest.extents, strict=True) if nest else ()
    loops = ", ".join(f"{name} {extent:,}" for name, extent in pairs if extent > 1)
    rows = [
        ("engine", one.engine.kind, f"{_tiles(one.plan.tiles)}, {_times(one.times)} a run"),
        ("work", op.kind, loops or f"{count(elements(op))} elements"),
        ("time", quantity(one.seconds, "s"), "estimated, alone, without company on memories"),
        ("energy", quantity(one.energy_j, "J"), "of all actions, without leakage and background"),
        ("bound", one.bound, _why(one)),
    ]
    objective = one.budget.objective
    if objective is not None and objective.weighs_energy:
        rows.insert(2, ("objective", str(objective), "what the mapping makes small"))
    return grid(rows)


def _tiles(number: int) -> str:
    return "1 tile" if number == 1 else f"{count(number)} tiles"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{count(number)} times"


def _why(one: Explanation) -> str:
    """The bound in a sentence."""
    busy = one.limits[one.bound]
    text = f"busy for {quantity(busy, 's')}, {share(busy, one.seconds)} of the time"
    wasted = {cause: cycles for cause, cycles in one.cycles if cause not in ("effective", "work")}
    if one.bound != "compute" or not wasted:
        return text
    worst = max(wasted, key=lambda cause: wasted[cause])
    return f"{text}; most lost to {worst}, {share(wasted[worst], one.plan.cycles)} of the cycles"


# -- the nest ------------------------------------------------------------------------------------


def _nest(one: Explanation, title: str) -> Table:
    """One line for each loop, with what comes and what stays beside it."""
    lines = [(one.operands[0].home, "once", _moved(one, _once(one)))]
    if not one.nest:
        often = [number for number, operand in enumerate(one.operands) if operand.times > 1]
        first = one.engine.stage(one.op, 0)
        # with products it has loops of its own, and the engine tells only how many tiles they make
        turn = "tile" if one.op.kind == "contraction" else "piece of elements"
        lines.append((first, f"for {turn} in {count(one.plan.tiles)}", _moved(one, often)))
    for depth, loop in enumerate(one.nest):
        words = ("side by side", "x") if loop.spatial else ("for", "in")
        head = f"{'  ' * depth}{words[0]} {loop.name} {words[1]} {count(loop.count)}"
        lines.append((loop.level, head, _at(one, depth)))
    rows = [line for line in lines if line[2] or line[1] != "once"]
    return table(title, ("=from", "=loop", "what comes and what stays"), rows)


def _once(one: Explanation) -> list[int]:
    """Operands that come or leave only once."""
    turning = {x for loop in one.nest for x in loop.brings}
    return [
        number
        for number, operand in enumerate(one.operands)
        if operand.times and (number not in turning if one.nest else operand.times == 1)
    ]


def _moved(one: Explanation, numbers: Sequence[int], words: str = "loads") -> str:
    """Operands that come and leave, with the bytes at a time."""
    inputs = len(one.op.inputs)
    texts = []
    for word, group in (
        (words, [n for n in numbers if n < inputs]),
        ("stores", [n for n in numbers if n >= inputs]),
    ):
        named = [f"{one.operands[n].name} {count(one.operands[n].chunk)} B" for n in group]
        texts += [f"{word} {', '.join(named)}"] if named else []
    return "; ".join(texts)


def _at(one: Explanation, depth: int) -> str:
    """What a turn of a loop brings, what comes back inside it, and what stays meanwhile."""
    loop, inner = one.nest[depth], one.nest[depth + 1 :]
    if not loop.brings and not loop.stays:
        return ""
    later = {x for other in inner for x in other.brings}
    held = {x for other in one.nest[:depth] for x in other.stays}
    fresh = [x for x in loop.brings if x not in later]
    again = later - {*loop.brings, *loop.stays}
    texts = [
        _moved(one, [x for x in fresh if x not in held]),
        _moved(one, [x for x in fresh if x in held], "the first time loads"),
        _named(one, "again", again),
        _named(one, "keeps", loop.stays),
    ]
    return "; ".join(text for text in texts if text)


def _named(one: Explanation, word: str, numbers: Collection[int]) -> str:
    names = [one.operands[number].name for number in sorted(numbers)]
    return f"{word} {', '.join(names)}" if names else ""


# -- tables --------------------------------------------------------------------------------------


def _operands(one: Explanation) -> Table:
    rows = [
        (
            x.name,
            x.tensor,
            x.dtype,
            count(x.bytes),
            _way(x, number < len(one.op.inputs)),
            count(x.chunk),
            count(x.times),
            count(x.moved),
        )
        for number, x in enumerate(one.operands)
    ]
    columns = (
        "=operand", "~tensor", "=format", ">bytes", "=way", ">at most", ">times", ">moved bytes",
    )  # fmt: skip
    return table("What comes and goes", columns, rows)


def _way(operand: Operand, is_input: bool) -> str:
    if not operand.times:
        return f"in {operand.home}"
    ends = (operand.home, operand.stage)
    return " > ".join(ends if is_input else ends[::-1])


def _rooms(one: Explanation) -> Table:
    rows = []
    for room in one.taken:
        slots = [f"{n} x {count(size)}" if size else "" for n, size in room.slots]
        rows.append(
            (
                room.memory,
                count(room.granted),
                count(room.bytes),
                share(room.bytes, room.granted),
                count(room.held),
                *slots,
            )
        )
    columns = ("=memory", ">granted bytes", ">taken", ">share", ">held", ">inputs", ">results")
    return table("What tiles take of memories", columns, rows)


def _actions(one: Explanation) -> Table:
    total = one.energy_j
    rows = [
        (
            a.component,
            a.kind,
            a.action,
            f"{count(a.count)}{' B' if a.action in _BYTES else ''}",
            quantity(a.energy_j, "J"),
            share(a.energy_j, total),
        )
        for a in one.actions
    ]
    columns = ("=component", "=kind", "=action", ">count", ">energy", ">share")
    return table("Bytes by memory, and what the engine does", columns, rows)


def _cycles(one: Explanation) -> Table:
    total = one.plan.cycles
    ranked = sorted(one.cycles, key=lambda pair: -pair[1])
    rows = [(cause, count(cycles), share(cycles, total)) for cause, cycles in ranked]
    rows.append(("all", count(total), share(total, total)))
    return table("Cycles by cause", ("=cause", ">cycles", ">share"), rows)


def _limits(one: Explanation) -> Table:
    rows = [
        (name, quantity(busy, "s"), share(busy, one.seconds), _figures(one, name))
        for name, busy in sorted(one.limits.items(), key=lambda pair: -pair[1])
    ]
    return table("Bounds", ("=what", ">busy", ">of the time", "figures"), rows)


def _figures(one: Explanation, name: str) -> str:
    """What makes up the time of a bound."""
    plan, budget = one.plan, one.budget
    if name == "compute":
        return f"{count(plan.cycles)} cycles at {quantity(plan.clock_hz, 'Hz')}"
    if name.startswith("port"):
        rate = budget.port_bytes_per_s
        return f"{quantity(one.limits[name] * rate, 'B')} at {quantity(rate, 'B/s')}"
    found = []
    for word, moved, rate in (
        ("loads", plan.loaded, budget.load_bytes_per_s),
        ("stores", plan.stored, budget.store_bytes_per_s),
    ):
        if word in name:
            found.append(f"{word} {quantity(sum(moved.values()), 'B')} at {quantity(rate, 'B/s')}")
    setup = f", {quantity(budget.setup_s, 's')} before each" if budget.setup_s else ""
    return ", ".join(found) + setup


def _beside(one: Explanation) -> list[RenderableType]:
    """A fixed mapping and the best one found."""
    best = best_of(one)
    if best is None:
        return [Text("The search finds no mapping that fits where this one does.")]
    pairs = [
        ("engine", one.engine.name, best.engine.name),
        ("time", quantity(one.seconds, "s"), quantity(best.seconds, "s")),
        ("energy", quantity(one.energy_j, "J"), quantity(best.energy_j, "J")),
        ("cycles", count(one.plan.cycles), count(best.plan.cycles)),
        ("tiles", count(one.plan.tiles), count(best.plan.tiles)),
        ("loaded", *(quantity(sum(x.plan.loaded.values()), "B") for x in (one, best))),
        ("stored", *(quantity(sum(x.plan.stored.values()), "B") for x in (one, best))),
        ("bound", one.bound, best.bound),
    ]
    made = table("", ("", ">fixed mapping", ">best one found"), pairs)
    return [made, _nest(best, "Loop nest of the best one found")]
