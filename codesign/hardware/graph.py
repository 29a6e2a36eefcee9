"""How components hang together: memories joined by links, engines on their buffers, no cycle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

import networkx as nx

from codesign.errors import HardwareError, did_you_mean
from codesign.hardware.component import Component, Engine, Link, Memory

if TYPE_CHECKING:
    Graph: TypeAlias = nx.Graph[str]

Fault: TypeAlias = tuple[str, str]
"""Where (``component`` or ``component.field``) and what is wrong there."""


def find_fault(components: Mapping[str, Component]) -> Fault | None:
    """The first rule of the graph that these components break, or None.

    There is at least one engine and one memory; buffers and link ends name memories; at most one
    route joins two components; every engine reaches a memory that is no buffer, if there is one;
    and every memory and link is in reach of some engine.
    """
    # lazily: the graph can only be built once all names are right
    return next(_faults(components), None)


def build_graph(components: Mapping[str, Component]) -> Graph:
    """The undirected graph of components without a fault, by name; an edge is a port."""
    graph: Graph = nx.Graph()
    graph.add_nodes_from(components)
    for name, part in components.items():
        joined = (
            [part.buffer] if isinstance(part, Engine) else [end for _, end in _ends(name, part)]
        )
        graph.add_edges_from((name, end) for end in joined)
    return graph


def path(graph: Graph, components: Mapping[str, Component], start: str, end: str) -> list[str]:
    """Names of the memories and links on the only path between two memories, ends included.

    Raises:
        HardwareError: one of the two is no memory, or no path joins them.
    """
    memories = _names(components, Memory)
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
    stores = [memory for memory in _stores(components) if memory.name in reached]
    return max(stores, key=lambda memory: memory.size).name if stores else buffer


def _faults(components: Mapping[str, Component]) -> Iterator[Fault]:
    for base, word in ((Engine, "engine"), (Memory, "memory")):
        if not _names(components, base):
            yield "components", f"must hold at least one {word}, got none; add one"
    memories = _names(components, Memory)
    for name, part in components.items():
        if isinstance(part, Link):
            yield from _link_faults(part)
        for place, end in _ends(name, part):
            if end not in memories:
                yield place, f"must name a memory, got {end!r}{did_you_mean(end, memories)}"
    graph = build_graph(components)
    yield from _ring_faults(graph, components)
    yield from _reach_faults(graph, components)


def _link_faults(link: Link) -> Iterator[Fault]:
    ends = link.connects
    if len(ends) < 2 or len(set(ends)) != len(ends):
        got = ", ".join(ends)
        rule = f"must name at least 2 different memories, got [{got}]"
        yield f"{link.name}.connects", f"{rule}; write for example [dram, sram]"


def _ring_faults(graph: Graph, components: Mapping[str, Component]) -> Iterator[Fault]:
    try:
        edges = nx.find_cycle(graph)
    except nx.NetworkXNoCycle:
        return
    ring = " - ".join([*(edge[0] for edge in edges), edges[0][0]])
    last = [name for edge in edges for name in edge if isinstance(components[name], Link)][-1]
    yield last, f"closes a cyclic graph: routes must be unique, got the ring {ring}; remove a link"


def _reach_faults(graph: Graph, components: Mapping[str, Component]) -> Iterator[Fault]:
    stores = _stores(components)
    reached: set[str] = set()
    for name, part in components.items():
        if isinstance(part, Engine):
            near = nx.node_connected_component(graph, part.buffer)
            reached |= near
            if stores and not any(store.name in near for store in stores):
                far = max(stores, key=lambda memory: memory.size).name
                yield f"{name}.buffer", _missing_route(f"engine {name!r}", part.buffer, far)
    for name in components:
        if name not in reached:
            yield (
                name,
                "no engine reaches it; add a link that connects it to a buffer, or remove it",
            )


def _ends(name: str, part: Component) -> list[tuple[str, str]]:
    """The memories that a component touches, each with the field that names it."""
    if isinstance(part, Engine):
        further = [(f"{name}.stages", end) for end in part.stages]
        further += [(f"{name}.occupies", end) for end in part.occupies]
        return [(f"{name}.buffer", part.buffer), *further]
    return [(f"{name}.connects", end) for end in part.connects] if isinstance(part, Link) else []


def _names(components: Mapping[str, Component], base: type[Component]) -> list[str]:
    return [name for name, part in components.items() if isinstance(part, base)]


def _stores(components: Mapping[str, Component]) -> list[Memory]:
    """Memories in which no engine stages operands, in file order."""
    engines = [part for part in components.values() if isinstance(part, Engine)]
    buffers = {name for part in engines for name in (part.buffer, *part.stages)}
    return [p for p in components.values() if isinstance(p, Memory) and p.name not in buffers]


def _missing_route(what: str, start: str, end: str) -> str:
    return (
        f"missing route: {what} at {start!r} does not reach {end!r}; "
        f"add a link that connects [{end}, {start}]"
    )
