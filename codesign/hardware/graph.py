"""How components hang together: memories joined by links, engines on their buffers, no cycle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import networkx as nx

from codesign.errors import HardwareError, did_you_mean
from codesign.hardware.component import Component, Engine, Link, Memory

if TYPE_CHECKING:
    Graph: TypeAlias = nx.Graph[str]

Fault: TypeAlias = tuple[str, str]
"""Where (``component`` or ``component.field``) and what is wrong there."""

_WIRINGS = 256
"""Wirings whose graph and rules are remembered: points of a study share a few (assumed)."""


class Wire(NamedTuple):
    """What the graph has to know of a component.

    Attributes:
        name: of the component.
        bases: what it is of ``Engine``, ``Memory`` and ``Link``.
        ends: memories that it touches, each with the field that names it; of an engine the first
            is its buffer.
        size: of a memory, in bytes.
    """

    name: str
    bases: tuple[type[Component], ...]
    ends: tuple[tuple[str, str], ...] = ()
    size: int = 0


Wiring: TypeAlias = tuple[Wire, ...]


def find_fault(components: Mapping[str, Component]) -> Fault | None:
    """The first rule of the graph that these components break, or None.

    There is at least one engine and one memory; buffers and link ends name memories; at most one
    route joins two components; every engine reaches a memory that is no buffer, if there is one;
    and every memory and link is in reach of some engine.
    """
    return _fault(_wiring(components))


def check_buffer(
    components: Mapping[str, Component], part: Component, field: str, value: object
) -> None:
    """Checks a value for a field of a component: the buffer of an engine has to be a memory.

    A name with a dot is of a part that is brought: others decide whether it is.

    Raises:
        HardwareError: it is none.
    """
    name = str(value)
    if field != "buffer" or not isinstance(part, Engine) or "." in name:
        return
    memories = [one for one, found in components.items() if isinstance(found, Memory)]
    if name not in memories:
        raise HardwareError(" ".join(_nameless(f"{part.name}.buffer", name, memories)))


def build_graph(components: Mapping[str, Component]) -> Graph:
    """The undirected graph of components without a fault, by name; an edge is a port.

    Machines that are wired alike share it, so that its nodes and edges cannot be changed; write no
    attributes there.
    """
    return _graph(_unsized(_wiring(components)))


def path(graph: Graph, components: Mapping[str, Component], start: str, end: str) -> list[str]:
    """Names of the memories and links on the only path between two memories, ends included.

    Raises:
        HardwareError: one of the two is no memory, or no path joins them.
    """
    memories = [name for name, part in components.items() if isinstance(part, Memory)]
    for name in (start, end):
        if name not in memories:
            raise HardwareError(
                f"a route joins memories, got {name!r}{did_you_mean(name, memories)}"
            )
    try:
        return list(nx.shortest_path(graph, start, end))
    except nx.NetworkXNoPath as error:
        raise HardwareError(_missing_route(f"memory {start!r}", start, end)) from error


def home(graph: Graph, components: Mapping[str, Component], buffer: str) -> str:
    """The memory where the tensors of an engine with this buffer live by default.

    That is the largest one in reach that is no engine's buffer, the first in the file of equal
    ones; the buffer itself if there is none.
    """
    reached = nx.node_connected_component(graph, buffer)
    stores = [wire for wire in _stores(_wiring(components)) if wire.name in reached]
    return max(stores, key=lambda wire: wire.size).name if stores else buffer


def _wiring(components: Mapping[str, Component]) -> Wiring:
    return tuple([_wire(name, part) for name, part in components.items()])


def _wire(name: str, part: Component) -> Wire:
    bases = tuple([base for base in (Engine, Memory, Link) if isinstance(part, base)])
    ends: list[tuple[str, str]] = []
    if isinstance(part, Engine):
        ends += [(f"{name}.buffer", part.buffer)]
        ends += [(f"{name}.stages", end) for end in part.stages]
        ends += [(f"{name}.occupies", end) for end in part.occupies]
    elif isinstance(part, Link):
        ends += [(f"{name}.connects", end) for end in part.connects]
    # a plugin may name anything; what is no name is no memory either
    named = tuple([(place, end if isinstance(end, str) else repr(end)) for place, end in ends])
    return Wire(name, bases, named, part.size if isinstance(part, Memory) else 0)


def _unsized(wiring: Wiring) -> Wiring:
    """Without the sizes of memories, which a graph does not depend on."""
    return tuple([wire._replace(size=0) for wire in wiring])


@lru_cache(_WIRINGS)
def _graph(wiring: Wiring) -> Graph:
    graph: Graph = nx.Graph()
    graph.add_nodes_from(wire.name for wire in wiring)
    for wire in wiring:
        # what an engine stages in or occupies is no port of its own
        ends = wire.ends[:1] if Engine in wire.bases else wire.ends
        graph.add_edges_from((wire.name, end) for _, end in ends)
    frozen: Graph = nx.freeze(graph)
    return frozen


@lru_cache(_WIRINGS)
def _fault(wiring: Wiring) -> Fault | None:
    # lazily: the graph can only be built once all names are right
    return next(_faults(wiring), None)


def _faults(wiring: Wiring) -> Iterator[Fault]:
    for base, word in ((Engine, "engine"), (Memory, "memory")):
        if not _names(wiring, base):
            yield "components", f"must hold at least one {word}, got none; add one"
    memories = _names(wiring, Memory)
    for wire in wiring:
        if Link in wire.bases:
            yield from _link_faults(wire)
        for place, end in wire.ends:
            if end not in memories:
                yield _nameless(place, end, memories)
    graph = _graph(_unsized(wiring))
    yield from _ring_faults(graph, _names(wiring, Link))
    yield from _reach_faults(graph, wiring)


def _nameless(place: str, end: str, memories: list[str]) -> Fault:
    return place, f"must name a memory, got {end!r}{did_you_mean(end, memories)}"


def _link_faults(link: Wire) -> Iterator[Fault]:
    ends = [end for _, end in link.ends]
    if len(ends) < 2 or len(set(ends)) != len(ends):
        got = ", ".join(ends)
        rule = f"must name at least 2 different memories, got [{got}]"
        yield f"{link.name}.connects", f"{rule}; write for example [dram, sram]"


def _ring_faults(graph: Graph, links: list[str]) -> Iterator[Fault]:
    try:
        edges = nx.find_cycle(graph)
    except nx.NetworkXNoCycle:
        return
    ring = " - ".join([*(edge[0] for edge in edges), edges[0][0]])
    last = [name for edge in edges for name in edge if name in links][-1]
    yield last, f"closes a cyclic graph: routes must be unique, got the ring {ring}; remove a link"


def _reach_faults(graph: Graph, wiring: Wiring) -> Iterator[Fault]:
    stores = _stores(wiring)
    reached: set[str] = set()
    for wire in wiring:
        if Engine in wire.bases:
            buffer = wire.ends[0][1]
            near = nx.node_connected_component(graph, buffer)
            reached |= near
            if stores and not any(store.name in near for store in stores):
                far = max(stores, key=lambda store: store.size).name
                told = _missing_route(f"engine {wire.name!r}", buffer, far)
                yield f"{wire.name}.buffer", told
    for wire in wiring:
        if wire.name not in reached:
            yield (
                wire.name,
                "no engine reaches it; add a link that connects it to a buffer, or remove it",
            )


def _names(wiring: Wiring, base: type[Component]) -> list[str]:
    return [wire.name for wire in wiring if base in wire.bases]


def _stores(wiring: Wiring) -> list[Wire]:
    """Memories in which no engine stages operands, in file order."""
    engines = [wire for wire in wiring if Engine in wire.bases]
    occupied = {f"{wire.name}.occupies" for wire in engines}
    buffers = {end for wire in engines for place, end in wire.ends if place not in occupied}
    return [wire for wire in wiring if Memory in wire.bases and wire.name not in buffers]


def _missing_route(what: str, start: str, end: str) -> str:
    return (
        f"missing route: {what} at {start!r} does not reach {end!r}; "
        f"add a link that connects [{end}, {start}]"
    )
