"""Arrays of cells with memories inside: any unrolling, any stores, searched loop by loop.

The model of ZigZag (Mei et al., ZigZag: enlarging joint architecture-mapping design space
exploration for DNN accelerators, IEEE TC 2021): cells along named axes that run some loops side by
side, stores that each serve one operand, and what crosses every border counted from the order of
the loops. Operands may leave the stores at different places of that order.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from codesign import Budget, Component, Engine, Least, Op, TilePlan, fields_only, hookimpl
from codesign.errors import HardwareError, MappingError, did_you_mean
from codesign.hardware.objective import Objective
from codesign.hardware.plan import Room
from codesign.hardware.plan import Store as PlanStore
from codesign.mapping.hierarchy.ahead import load_ahead
from codesign.mapping.hierarchy.choose import Mapping as Chosen
from codesign.mapping.hierarchy.choose import Rates, choose
from codesign.mapping.hierarchy.fixed import Limits
from codesign.mapping.hierarchy.nest import array_nest
from codesign.mapping.hierarchy.spec import (
    ACTIVATION,
    COLUMNS,
    GROUPS,
    INNER,
    RESULT,
    ROWS,
    WEIGHT,
    Array,
    Axis,
    Stage,
    Store,
)
from codesign.mapping.hierarchy.write import Writer, cells_cycles
from codesign.units import Bytes, Count, Hertz, Joules, JoulesPerByte
from codesign.workload.work import format_pair

_CLASSES = {"rows": ROWS, "reduction": INNER, "columns": COLUMNS, "groups": GROUPS}
_OPERANDS = {"activation": ACTIVATION, "weight": WEIGHT, "result": RESULT}
_FREE = "none"


@fields_only
@dataclass(frozen=True, kw_only=True)
class CellArray(Engine):
    """Cells that multiply and accumulate once a cycle, fed by stores inside the array.

    Attributes:
        axes: cells along each axis of the array, by name.
        unroll: for each axis the classes of loops that may run along it, the preferred one first:
            ``rows``, ``reduction``, ``columns`` and ``groups``, separated by blanks.
        clock: clock of the cells.
        holds: stores from the cells outwards, by name: ``activation``, ``weight`` or ``result``.
        store_size: bytes of one instance of each store.
        store_shared: for each store the axes along which cells share an instance, separated by
            blanks; ``none`` if every cell has its own.
        store_access: bits of the smallest access of each store.
        store_read: energy per byte read of each store.
        store_write: energy per byte written of each store.
        buffer_access: bits of the smallest access to the buffer.
        weight_buffer: memory that weights are staged in; the buffer if empty.
        weight_access: bits of the smallest access to it.
        weight_in_cells: whether every cell has its own part of that memory.
        sum_bits: width of a partial sum.
        mac_energy: energy of one multiply-accumulate by operand formats (``int8*int8``); a missing
            pair is refused; assumed.
        function_energy: energy of one fused function on one element of the result; assumed.
        objective: what the mapping makes small if the run asks for nothing else: ``latency``,
            ``energy``, their product ``edp`` or weights such as ``latency^2*energy``.
    """

    kind: ClassVar[str] = "array"
    takes_mappings: ClassVar[bool] = True
    expected_error: ClassVar[str] = (
        "inside an array tiles at an edge are counted as full ones, and only the port of the "
        "buffer stalls it"
    )

    axes: Mapping[str, Count]
    unroll: Mapping[str, str]
    clock: Hertz = 1e9
    holds: Mapping[str, Literal["activation", "weight", "result"]] = field(default_factory=dict)
    store_size: Mapping[str, Bytes] = field(default_factory=dict)
    store_shared: Mapping[str, str] = field(default_factory=dict)
    store_access: Mapping[str, Count] = field(default_factory=dict)
    store_read: Mapping[str, JoulesPerByte] = field(default_factory=dict)
    store_write: Mapping[str, JoulesPerByte] = field(default_factory=dict)
    buffer_access: Count = 64
    weight_buffer: str = ""
    weight_access: Count = 8
    weight_in_cells: bool = False
    sum_bits: Count = 16
    mac_energy: Mapping[str, Joules] = field(default_factory=lambda: {"int8*int8": 4e-14})
    function_energy: Joules = 1e-13
    objective: str = "latency"

    @property
    def stages(self) -> tuple[str, ...]:
        """The memory of the weights, if they have one."""
        return (self.weight_buffer,) if self.weight_buffer else ()

    def stage(self, op: Op, operand: int) -> str:
        """Second factors go to the memory of the weights."""
        is_weight = op.kind == "contraction" and operand == WEIGHT
        return self.weight_buffer if is_weight and self.weight_buffer else self.buffer

    def check(self) -> None:
        """Every axis has its loops, and every store its size, access, sharing and energies."""
        _same_names(self, "unroll", "axes")
        for table in ("store_size", "store_shared", "store_access", "store_read", "store_write"):
            _same_names(self, table, "holds")
        for axis, words in self.unroll.items():
            _known(f"{self.name}.unroll.{axis}", words, _CLASSES)
        for store, words in self.store_shared.items():
            if words != _FREE:
                _known(f"{self.name}.store_shared.{store}", words, self.axes)
        try:
            Objective.parse(self.objective)
        except MappingError as error:
            raise HardwareError(f"{self.name}.objective: {error}") from None

    def supports(self, op: Op) -> str | None:
        """Takes contractions whose operand formats have an energy."""
        if op.kind != "contraction":
            return f"takes contractions only, not {op.kind}"
        if format_pair(op) not in self.mac_energy:
            return f"no MAC energy for {format_pair(op)}; has {', '.join(sorted(self.mac_energy))}"
        return None

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        """The mapping that the objective finds best, as tiles."""
        resident = {x for x in range(len(op.operands)) if budget.is_resident(x)}
        names = [store.memory or "the buffer" for store in budget.stores[:-1]] or ["the buffer"] * 2
        limits = Limits(op, budget.fixed, names) if budget.fixed else None
        mapping = choose(
            op,
            self.array(op, budget),
            self._rates(budget),
            budget.objective or Objective.parse(self.objective),
            _roles(resident, op),
            limits,
        )
        port = int(mapping.counted.port_bits("0")[mapping.row])

        def cycles(extents: tuple[int, ...]) -> int:
            share = -(-port * math.prod(extents) // (8 * op.loops.points))
            return max(cells_cycles(mapping, extents), budget.port_cycles(share, self.clock))

        writer = Writer(mapping, cycles, resident)
        buffer, *further = writer.rooms()
        plan = TilePlan(
            writer.loop(),
            self.clock,
            held_bytes=buffer.held,
            slot_in_bytes=buffer.slot_in,
            slot_out_bytes=buffer.slot_out,
            actions=self._actions(op, mapping),
            rooms=tuple(
                Room(store.memory, store.bytes, room.held, room.slot_in)
                for store, room in zip(budget.stores[1:-1], further, strict=False)
            ),
            note=writer.note,
            nest=array_nest(writer, budget),
        )
        issued = plan.cycles * math.prod(self.axes.values())
        slots = (("effective", op.macs), ("unrolling, edges and port", issued - op.macs))
        return load_ahead(replace(plan, slots=tuple(slot for slot in slots if slot[1])))

    def least(self, op: Op) -> Least:
        """All cells busy; what moves between the stores depends on the mapping."""
        results = op.outputs[0].elements
        own = (f"mac {format_pair(op)}", op.macs), ("function", results * len(op.functions))
        seconds = op.macs / math.prod(self.axes.values()) / self.clock
        return Least(seconds, tuple(("", action, count) for action, count in own))

    def array(self, op: Op, budget: Budget) -> Array:
        """The array as the mapper sees it, with the memories that a budget grants.

        Args:
            op: whose fused inputs take room beside its result.
            budget: memories and their energies; without any, moving costs nothing.
        """
        free = PlanStore("", budget.buffer_bytes, 0.0, 0.0)
        stores = budget.stores or (free,) * (2 + len(self.stages))
        own = (ACTIVATION, RESULT) if self.weight_buffer else (ACTIVATION, WEIGHT, RESULT)
        stages = [_stage(own, replace(stores[0], bytes=budget.buffer_bytes), self.buffer_access)]
        if self.weight_buffer:
            cells = math.prod(self.axes.values()) if self.weight_in_cells else 1
            part = replace(stores[1], bytes=stores[1].bytes // cells)
            weights = _stage((WEIGHT,), part, self.weight_access)
            stages.append(replace(weights, cells=self.weight_in_cells))
        return Array(
            tuple(
                Axis(name, size, tuple(_CLASSES[word] for word in self.unroll[name].split()))
                for name, size in self.axes.items()
            ),
            tuple(self._store(name) for name in self.holds),
            tuple(stages),
            self.sum_bits,
            self.mac_energy[format_pair(op)],
            stores[-1].read_j / 8,
            stores[-1].write_j / 8,
        )

    def _store(self, name: str) -> Store:
        shared = [word for word in self.store_shared[name].split() if word != _FREE]
        return Store(
            name,
            _OPERANDS[self.holds[name]],
            8 * self.store_size[name],
            self.store_read[name] / 8,
            self.store_write[name] / 8,
            self.store_access[name],
            tuple(list(self.axes).index(axis) for axis in shared),
        )

    def _rates(self, budget: Budget) -> Rates:
        return Rates(
            self.clock,
            8 * budget.load_bytes_per_s,
            8 * budget.store_bytes_per_s,
            budget.setup_s,
            budget.shared_link,
            8 * budget.port_bytes_per_s,
            (budget.share(0), budget.share(1)),
        )

    def _actions(self, op: Op, mapping: Chosen) -> tuple[tuple[str, str, int], ...]:
        """What the array does to its stores and stages; loads and stores of tiles charge theirs."""
        stages = ("buffer", self.weight_buffer)
        found = [("", f"mac {format_pair(op)}", op.macs)]
        for (memory, action), bits in mapping.counted.actions.items():
            size = -(-int(bits[mapping.row]) // 8)
            if action in ("read", "write"):
                inside = memory in self.holds
                found.append(
                    ("", f"{memory} {action}", size)
                    if inside
                    else (stages[int(memory)], action, size)
                )
        results = op.outputs[0].elements
        fused = sum(access.bytes for access in op.inputs[RESULT:])
        found += [("buffer", "read", fused), ("", "function", results * len(op.functions))]
        return tuple(one for one in found if one[2])

    def energies_j(self) -> Mapping[str, float]:
        """MACs by format pair, bytes in each store, fused functions."""
        table = {f"mac {formats}": energy for formats, energy in self.mac_energy.items()}
        table |= {f"{name} read": energy for name, energy in self.store_read.items()}
        table |= {f"{name} write": energy for name, energy in self.store_write.items()}
        return table | {"function": self.function_energy}


def _stage(operands: tuple[int, ...], store: PlanStore, access_bits: int) -> Stage:
    prices = store.read_j / 8, store.write_j / 8
    return Stage(operands, 8 * store.bytes, *prices, access_bits)


def _roles(resident: Collection[int], op: Op) -> frozenset[int]:
    """Which of the two factors and the result lie in their stages."""
    factors = {x for x in (ACTIVATION, WEIGHT) if x in resident}
    return frozenset(factors | ({RESULT} if len(op.inputs) in resident else set()))


def _same_names(engine: CellArray, table: str, other: str) -> None:
    """Refuses two tables with different names in them."""
    names, known = getattr(engine, table), getattr(engine, other)
    for name in known:
        if name not in names:
            raise HardwareError(
                f"{engine.name}.{table} must name {name!r} of {other} too; add an entry"
            )
    for name in names:
        if name not in known:
            raise HardwareError(
                f"{engine.name}.{table}: {other} has no {name!r}{did_you_mean(name, known)}"
            )


def _known(place: str, words: str, known: Collection[str]) -> None:
    """Refuses words that are not known, and none at all."""
    for word in words.split() or [""]:
        if word not in known:
            raise HardwareError(
                f"{place} must be words of {', '.join(known)}, got {words!r}"
                f"{did_you_mean(word, known)}"
            )


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``array``."""
    return [CellArray]
