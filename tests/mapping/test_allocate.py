"""Tensors get addresses in memories that tell addresses apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st
from strategies import machine

from codesign.hardware.component import Descriptor, Memory, Service
from codesign.hardware.spec import Hardware
from codesign.mapping.allocate import allocate, base_of, phases
from codesign.mapping.placement import Assignment, Placement
from codesign.workload.dtype import DType
from codesign.workload.record import Op, Role, Tensor, Trace

ALIGNMENT = 4096


@dataclass(frozen=True, kw_only=True)
class Striped(Memory):
    """A memory whose addresses matter modulo a stripe of four quarters."""

    kind: ClassVar[str] = "striped"
    staggered: bool = False

    @property
    def alignment(self) -> int:
        return ALIGNMENT

    def base(self, place: int) -> int:
        return place % 4 * ALIGNMENT // 4 if self.staggered else 0

    def service(self, descriptors: Sequence[Descriptor]) -> Service:
        return Service(10**9)


def striped(*, staggered: bool = False, size: int = 2**30) -> Hardware:
    built = machine()
    home = Striped(name="dram", size=size, staggered=staggered)
    return Hardware("striped", "", built.precision, {**built.components, "dram": home})


def tensor(name: str, size: int, role: Role = "activation") -> Tensor:
    return Tensor(name, (size,), DType.parse("int8"), role)


def chain(*sizes: int, homes: tuple[str, str, str] = ("dram",) * 3) -> Placement:
    """Operators that each read a weight and what the one before wrote; all of one size."""
    steps = []
    before = tensor("x", sizes[0])
    for number, size in enumerate(sizes):
        after = tensor(f"y{number}", size)
        weight = tensor(f"w{number}", size, "weight")
        op = Op(f"op{number}", "move", (weight.access(), before.access()), (after.access(),))
        steps.append(Assignment(op, "npu0", None, homes, 0))
        before = after
    items = tuple(step.op for step in steps)
    return Placement(Trace("chain", items, ()), tuple(steps), "dram")


SIZES = st.lists(st.integers(1, 3 * ALIGNMENT), min_size=1, max_size=6)


@given(SIZES, st.booleans())
def test_tensors_do_not_overlap(sizes: list[int], staggered: bool) -> None:
    placed = chain(*sizes)
    found = allocate(placed, striped(staggered=staggered))
    bytes_of = {
        a.tensor.name: a.tensor.bytes for s, _ in placed.assignments() for a in s.op.operands
    }
    spans = sorted((base, base + bytes_of[name]) for (_, name), base in found.items())
    assert len(spans) == 2 * len(sizes) + 1
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))


@given(SIZES)
def test_each_begins_at_an_aligned_address_and_the_offset_of_its_place(sizes: list[int]) -> None:
    aligned = allocate(chain(*sizes), striped())
    assert {base % ALIGNMENT for base in aligned.values()} == {0}
    quarters = {
        name: base % ALIGNMENT // (ALIGNMENT // 4)
        for (_, name), base in allocate(chain(*sizes), striped(staggered=True)).items()
    }
    assert {quarters[f"w{number}"] for number in range(len(sizes))} == {0}
    written = [quarters["x"], *(quarters[f"y{number}"] for number in range(len(sizes)))]
    assert written == [(1 + place) % 4 for place in range(len(written))]


def test_addresses_past_the_end_of_the_memory_begin_anew() -> None:
    found = allocate(chain(*[ALIGNMENT] * 5), striped(size=4 * ALIGNMENT))
    assert set(found.values()) == {0, ALIGNMENT, 2 * ALIGNMENT, 3 * ALIGNMENT}


def test_only_what_lives_in_a_memory_that_tells_addresses_apart_has_one() -> None:
    assert allocate(chain(10), machine()) == {}
    found = allocate(chain(10, homes=("dram", "sram0", "dram")), striped())
    assert set(found) == {("dram", "w0"), ("dram", "y0")}


def test_an_operand_knows_its_base_and_its_phase() -> None:
    placed = chain(10, 20)
    hardware = striped(staggered=True)
    found = allocate(placed, hardware)
    second = placed.assignments()[1][0]
    assert base_of(second, 1, found) == found["dram", "y0"]
    assert base_of(second, 1, {}) == 0
    assert phases(second, found, hardware) == (0, ALIGNMENT // 2, 3 * ALIGNMENT // 4)
    assert phases(second, {}, hardware) == ()
    elsewhere = replace(second, homes=("sram0", "dram", "dram"))
    assert base_of(elsewhere, 0, found) == 0
