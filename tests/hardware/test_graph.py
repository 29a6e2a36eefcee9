"""The component graph: unique routes, homes, and every way to wire a machine wrongly."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from networkx import NetworkXError
from toy_hardware import ToyEngine, ToyLink, ToyMemory, toy

from codesign.errors import HardwareError
from codesign.hardware.component import Component
from codesign.hardware.spec import Hardware


def _memory(name: str, size: int = 2**10) -> ToyMemory:
    return ToyMemory(name=name, size=size)


def _link(name: str, *ends: str) -> ToyLink:
    return ToyLink(name=name, connects=ends)


def _engine(name: str, buffer: str) -> ToyEngine:
    return ToyEngine(name=name, buffer=buffer, clock=1e9)


def _machine(*parts: Component) -> Hardware:
    return Hardware("m", "", None, {part.name: part for part in parts})


def test_nodes_are_all_components_and_edges_their_ports() -> None:
    graph = toy().graph
    assert list(graph) == ["npu", "sram", "bus", "dram"]
    assert sorted(sorted(edge) for edge in graph.edges) == [
        ["bus", "dram"],
        ["bus", "sram"],
        ["npu", "sram"],
    ]


def test_the_graph_is_built_once() -> None:
    machine = toy()
    assert machine.graph is machine.graph


def test_machines_that_are_wired_alike_share_a_graph_that_nobody_changes() -> None:
    small, large = (
        _machine(_engine("e", "a"), _memory("a", size), _memory("b"), _link("l", "a", "b"))
        for size in (1, 2**20)
    )
    assert small.graph is large.graph
    assert small.graph is not _machine(_engine("e", "a"), _memory("a")).graph
    with pytest.raises(NetworkXError, match="Frozen graph"):
        small.graph.add_edge("e", "b")
    assert [machine.home("e").name for machine in (small, large)] == ["b", "b"]


@dataclass(frozen=True, kw_only=True)
class _Scratchpad(ToyEngine, ToyMemory):
    """An engine that is a memory too."""


def test_a_part_may_be_an_engine_and_a_memory() -> None:
    both = _Scratchpad(name="e", buffer="a", clock=1e9, size=8)
    machine = _machine(both, _memory("a"), _memory("d"), _link("l", "e", "d"))
    assert machine.route("e", "d") == ("l",)
    assert machine.home("e").name == "d"


def test_an_end_that_is_no_name_is_told_as_it_is() -> None:
    engine = _engine("e", "a")
    object.__setattr__(engine, "buffer", ["a"])
    with pytest.raises(HardwareError, match=r"e\.buffer must name a memory, got \"\['a'\]\""):
        _machine(engine, _memory("a"))


@given(hops=st.integers(1, 12))
def test_a_route_names_every_link_of_a_chain_in_order(hops: int) -> None:
    memories = [_memory(f"m{i}") for i in range(hops + 1)]
    links = [_link(f"l{i}", f"m{i}", f"m{i + 1}") for i in range(hops)]
    machine = _machine(_engine("e", "m0"), *memories, *links)
    route = machine.route("m0", f"m{hops}")
    assert route == tuple(f"l{i}" for i in range(hops))
    assert machine.route(f"m{hops}", "m0") == route[::-1]


def test_a_route_within_one_memory_has_no_link() -> None:
    assert toy().route("sram", "sram") == ()


def test_one_link_may_join_many_memories() -> None:
    hub = _link("hub", "a", "b", "c")
    machine = _machine(_engine("e", "a"), _memory("a"), _memory("b"), _memory("c"), hub)
    assert machine.route("b", "c") == ("hub",)


@pytest.mark.parametrize("end", ["bus", "npu", "nowhere"])
def test_a_route_joins_memories_only(end: str) -> None:
    with pytest.raises(
        HardwareError, match=f"a route joins memories, got '{end}'.*known: dram, sram"
    ):
        toy().route("sram", end)


def test_home_is_the_largest_memory_that_is_no_buffer() -> None:
    machine = toy(
        cache=_memory("cache", 2**25),
        second=_link("second", "cache", "dram"),
        other=_engine("other", "cache"),
        huge=_memory("huge", 2**31),
        third=_link("third", "huge", "cache"),
    )
    assert machine.home("npu").name == machine.home("other").name == "huge"


def test_of_equal_homes_the_first_in_the_file_counts() -> None:
    twin = toy(twin=_memory("twin", 2**30), second=_link("second", "twin", "sram"))
    assert twin.home("npu").name == "dram"


def test_home_is_the_buffer_where_there_is_nothing_else() -> None:
    assert _machine(_engine("e", "only"), _memory("only")).home("e").name == "only"


def test_home_of_an_unknown_engine_is_refused() -> None:
    with pytest.raises(HardwareError, match="unknown engine 'npv'; did you mean 'npu'"):
        toy().home("npv")


def test_separate_machines_in_one_file_have_separate_homes() -> None:
    machine = _machine(
        *(_engine(f"e{i}", f"s{i}") for i in range(2)),
        *(_memory(f"s{i}") for i in range(2)),
        *(_memory(f"d{i}", 2**20) for i in range(2)),
        *(_link(f"l{i}", f"s{i}", f"d{i}") for i in range(2)),
    )
    assert [machine.home(f"e{i}").name for i in range(2)] == ["d0", "d1"]
    with pytest.raises(HardwareError, match=r"missing route: memory 'd0' .* add a link that conn"):
        machine.route("d0", "d1")


def test_a_missing_route_names_both_ends_and_the_link_to_add() -> None:
    with pytest.raises(
        HardwareError,
        match=r"npu.buffer missing route: engine 'npu' at 'sram' does not reach 'dram'; "
        r"add a link that connects \[dram, sram\]",
    ):
        toy(bus=None)


def test_a_memory_that_no_engine_reaches_is_refused() -> None:
    with pytest.raises(HardwareError, match="toy: island no engine reaches it; add a link"):
        toy(island=_memory("island"))


def test_two_links_in_parallel_are_a_ring() -> None:
    with pytest.raises(HardwareError, match=r"cyclic graph: .* ring .*; remove a link") as caught:
        toy(second=_link("second", "dram", "sram"))
    assert all(name in str(caught.value) for name in ("bus", "second", "dram", "sram"))


@given(size=st.integers(3, 8))
def test_a_ring_of_any_size_is_named(size: int) -> None:
    memories = [_memory(f"m{i}") for i in range(size)]
    links = [_link(f"l{i}", f"m{i}", f"m{(i + 1) % size}") for i in range(size)]
    with pytest.raises(HardwareError, match="cyclic graph") as caught:
        _machine(_engine("e", "m0"), *memories, *links)
    assert all(part.name in str(caught.value) for part in (*memories, *links))


def test_a_tree_of_links_is_no_ring() -> None:
    leaves = [_memory(f"m{i}") for i in range(4)]
    links = [_link(f"l{i}", "root", f"m{i}") for i in range(4)]
    machine = _machine(_engine("e", "m0"), _memory("root", 2**20), *leaves, *links)
    assert machine.route("m0", "m3") == ("l0", "l3")


def test_a_machine_needs_an_engine_and_a_memory() -> None:
    with pytest.raises(HardwareError, match="at least one engine, got none"):
        toy(npu=None)
    with pytest.raises(HardwareError, match="at least one memory, got none"):
        _machine(_engine("e", "m"))


def test_an_engine_cannot_work_out_of_a_link() -> None:
    with pytest.raises(HardwareError, match=r"npu.buffer must name a memory, got 'bus'"):
        toy(npu=_engine("npu", "bus"))


def test_the_order_of_components_does_not_change_routes() -> None:
    parts = list(toy().components.values())
    machine = _machine(*reversed(parts))
    assert machine.route("dram", "sram") == ("bus",)
    assert machine.home("npu").name == "dram"
