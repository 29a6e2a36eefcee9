"""Weights in a codec: home and links carry what is packed, the buffer holds plain elements."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from codesign_plugins.flat_dram import FlatDram
from codesign_plugins.link import Bus
from codesign_plugins.sram import Sram
from codesign_plugins.systolic import Systolic

from codesign import Engines, Hardware, Result, Stored, Trace, simulate
from codesign.errors import MappingError
from codesign.hardware.component import Component
from codesign.hardware.plan import Move
from codesign.mapping.codec import at_home, decoded_bytes_per_s, find_decoder
from codesign.mapping.estimate import fetching_s
from codesign.mapping.paths import Paths
from codesign.mapping.plans import Plans
from codesign.mapping.timeline import make_timeline
from codesign.testing import matmul
from codesign.workload.record import Op, Tensor
from codesign.workload.retensor import with_tensors

OP = matmul(16, 1024, 1024)
FORMATS = "int8*int4"
WEIGHTS = 1024 * 1024
BITMAP = Stored("bitmap", Fraction(24, 10), Fraction(1))  # 30 % of 8 bits, and a mask


def machine(rate: float = 1e15, *, decodes: bool = True) -> Hardware:
    """An array that computes far faster than its 4 GB/s bring weights."""
    parts: list[Component] = [
        Systolic(name="npu", buffer="sram", rows=256, cols=256),
        Sram(name="sram", size=1 << 20, bandwidth=400e9),
        Bus(
            name="bus",
            connects=("dram", "sram"),
            decode_rate={"bitmap": rate} if decodes else {},
            decode_energy={"bitmap": 1e-13} if decodes else {},
            setup=0.0,
        ),
        FlatDram(name="dram", device="toy", size=1 << 30, bandwidth=4e9, efficiency=1.0),
    ]
    return Hardware("toy", "", None, {part.name: part for part in parts})


def packed(stored: Stored | None = BITMAP, op: Op = OP) -> Trace:
    trace = Trace("t", (op,), tuple({access.tensor: None for access in op.operands}))
    weight = op.inputs[1].tensor
    return with_tensors(trace, {weight.name: replace(weight, stored=stored)})


def run(trace: Trace, hardware: Hardware) -> Result:
    return simulate(trace, hardware, residency="none")


def counts(result: Result, role: str = "weight") -> dict[tuple[str, str], int]:
    ledger = result.ledger
    rows = zip(ledger.component, ledger.action, ledger.role, ledger.count, strict=True)
    return {(str(c), str(a)): int(n) for c, a, r, n in rows if r == role}


def test_a_load_bound_layer_is_faster_by_the_bytes_that_its_codec_saves() -> None:
    plain, small = run(packed(None), machine()), run(packed(), machine())
    saved = plain.latency_s - small.latency_s
    assert saved == pytest.approx(WEIGHTS * (1 - 0.425) / 4e9, rel=0.01)


def test_home_and_link_count_packed_bytes_and_the_buffer_plain_ones() -> None:
    found = counts(run(packed(), machine()))
    for charge in (("dram", "read"), ("bus", "move")):
        assert found[charge] == pytest.approx(0.425 * WEIGHTS, rel=2e-4)
        assert found[charge] >= 0.425 * WEIGHTS  # whole bytes
    assert found["sram", "write"] == found["bus", "decode bitmap"] == WEIGHTS


def test_a_tensor_without_a_codec_is_charged_as_before() -> None:
    assert counts(run(packed(None), machine())) == {
        ("dram", "read"): WEIGHTS,
        ("bus", "move"): WEIGHTS,
        ("sram", "write"): WEIGHTS,
    }


@pytest.mark.parametrize("rate", [2e9, 1e9, 1e8])
def test_a_slow_decoder_holds_loads_up(rate: float) -> None:
    assert run(packed(), machine(rate)).latency_s == pytest.approx(WEIGHTS / rate, rel=0.02)


def test_a_buffer_takes_no_more_plain_bytes_than_its_port_lets_in() -> None:
    slow = machine().with_all({"sram.bandwidth": "5 GB/s"})
    assert run(packed(), slow).latency_s >= WEIGHTS / 5e9


def test_the_estimate_knows_of_codec_and_decoder() -> None:
    for rate in (1e15, 1e9):
        hardware, trace = machine(rate), packed()
        timeline = make_timeline(trace.items, lambda op: (op,))
        seconds = fetching_s(timeline, Plans(Paths(hardware)))
        assert run(trace, hardware).latency_s == pytest.approx(seconds, rel=0.03)


def test_a_heavier_codec_is_never_faster() -> None:
    bits = [Fraction(n, 2) for n in range(1, 20)]
    seconds = [run(packed(Stored("bitmap", one)), machine()).latency_s for one in bits]
    assert seconds == sorted(seconds)
    assert seconds[-1] > seconds[0]


def test_without_a_decoder_it_is_refused_in_one_line() -> None:
    with pytest.raises(MappingError) as caught:
        run(packed(), machine(decodes=False))
    text = str(caught.value)
    assert (
        "'w' is stored in codec 'bitmap', which neither bus, the last link from dram to sram"
        in text
    )
    assert "give bus a decode_rate and a decode_energy for it" in text
    assert "\n" not in text


def test_an_engine_that_reads_a_codec_needs_no_decoder() -> None:
    class Reading(Systolic):  # type: ignore[misc]
        def decodes(self, op: Op, operand: int) -> tuple[str, ...]:
            return ("bitmap",)

    hardware = machine(decodes=False)
    npu = Reading(name="npu", buffer="sram", rows=256, cols=256)
    parts: dict[str, Component] = {**hardware.components, "npu": npu}
    found = counts(run(packed(), Hardware("toy", "", None, parts)))
    assert ("bus", "decode bitmap") not in found
    assert found["sram", "write"] == found["dram", "read"] < WEIGHTS / 2


def test_the_last_decoder_on_the_way_is_meant() -> None:
    hardware, weight = machine(), packed().tensors[1]
    link = find_decoder("dram", "sram", weight, hardware)
    assert link is not None
    assert link.name == "bus"
    assert find_decoder("sram", "sram", weight, hardware) is None
    assert find_decoder("dram", "sram", OP.inputs[1].tensor, hardware) is None
    assert decoded_bytes_per_s(link, weight) == 1e15
    four = replace(weight, dtype=weight.dtype.parse("int4"))
    assert decoded_bytes_per_s(link, four) == 0.5e15


def test_a_move_at_home_has_the_bytes_of_the_codec() -> None:
    op = next(op for op, _ in packed().ops())
    assert at_home(Move(1, 1000, 10, 200), op) == Move(1, 425)
    assert at_home(Move(0, 1000, 10, 200), op) == Move(0, 1000, 10, 200)


def test_memory_holds_packed_bytes_and_results_say_so() -> None:
    trace = packed()
    assert trace.parameter_bytes == -(-WEIGHTS * 425 // 1000)
    result = run(trace, machine(rate=2e9))
    (one,) = result.codecs
    assert (one.codec, one.elements) == ("bitmap", WEIGHTS)
    assert one.data_bits == -(-WEIGHTS * 24 // 10)
    assert one.meta_bits == WEIGHTS
    assert one.decode_s == pytest.approx(WEIGHTS / 2e9)
    assert result.summary()["codecs"][0]["codec"] == "bitmap"
    assert run(packed(None), machine()).codecs == ()
    assert "codecs" not in run(packed(None), machine()).summary()


def test_a_block_format_counts_its_scales_as_metadata() -> None:
    op = matmul(16, 64, 64, weight_dtype="int4[32x16]")
    hardware = machine().with_all(
        {"npu.macs_per_cell": {FORMATS: 1}, "npu.mac_energy": {FORMATS: "1 pJ"}}
    )
    (one,) = run(packed(None, op), hardware).codecs
    assert (one.codec, one.data_bits, one.meta_bits) == ("int4[32x16]", 64 * 64 * 4, 64 * 64 // 2)


def test_weights_that_stay_on_chip_are_unpacked_there() -> None:
    result = simulate(packed(), machine(), residency="greedy")
    held = {stay.tensor.name: stay.bytes for stay in result.placement.stays}
    assert held.get("w", WEIGHTS) == WEIGHTS


def pair(densities: tuple[int, int], rate: float) -> float:
    """Seconds of two arrays side by side, whose weights have so many tenths of bits in a codec."""
    hardware = machine(rate)
    twin = Systolic(name="twin", buffer="sram", rows=256, cols=256)
    both = Hardware("two", "", None, {**hardware.components, "twin": twin})
    ops: list[Op] = []
    tensors: dict[str, Tensor] = {}
    for number, bits in enumerate(densities):
        op = matmul(16, 512, 512)
        views = [
            replace(a, tensor=replace(a.tensor, name=f"{a.tensor.name}{number}"))
            for a in op.operands
        ]
        stored = Stored("bitmap", Fraction(bits, 10))
        views[1] = replace(views[1], tensor=replace(views[1].tensor, stored=stored))
        ops.append(replace(op, name=f"op{number}", inputs=tuple(views[:2]), outputs=(views[2],)))
        tensors |= {view.tensor.name: view.tensor for view in views}
    trace = Trace("pair", tuple(ops), tuple(tensors.values()))
    rules = {"op0": "npu", "op1": "twin"}
    return simulate(trace, both, residency="none", engines=Engines(rules=rules)).latency_s


@pytest.mark.parametrize("densities", [(30, 30), (30, 31), (10, 70)])
def test_all_that_a_link_decodes_shares_its_decoder(densities: tuple[int, int]) -> None:
    rate = 1e9
    assert pair(densities, rate) == pytest.approx(2 * 512 * 512 / rate, rel=0.05)


def test_the_decoder_of_the_last_link_is_meant_whatever_the_order_of_the_file() -> None:
    first = Bus(
        name="first",
        connects=("dram", "l2"),
        decode_rate={"bitmap": 1.0},
        decode_energy={"bitmap": 0.0},
    )
    last = Bus(
        name="last",
        connects=("l2", "sram"),
        decode_rate={"bitmap": 2.0},
        decode_energy={"bitmap": 0.0},
    )
    parts = {**machine(decodes=False).components, "l2": Sram(name="l2", size=1 << 20)}
    del parts["bus"]
    weight = packed().tensors[1]
    for order in ((first, last), (last, first)):
        hardware = Hardware("deep", "", None, {**parts, **{link.name: link for link in order}})
        assert find_decoder("dram", "sram", weight, hardware) is last
        assert find_decoder("dram", "l2", weight, hardware) is first
    bare = replace(last, decode_rate={}, decode_energy={})
    hardware = Hardware("deep", "", None, {**parts, "first": first, "last": bare})
    assert find_decoder("dram", "sram", weight, hardware) is None


def test_packed_tiles_lie_in_one_piece_so_that_bursts_waste_nothing() -> None:
    hardware = machine()
    bursts = FlatDram(
        name="dram", device="toy", size=1 << 30, bandwidth=4e9, efficiency=1.0, burst=64
    )
    coarse = Hardware("toy", "", None, {**hardware.components, "dram": bursts})
    found = counts(run(packed(), coarse))["dram", "read"]
    assert 0.425 * WEIGHTS <= found <= 0.43 * WEIGHTS


def test_what_is_stored_in_a_codec_is_not_written_anywhere() -> None:
    trace = packed()
    op = next(op for op, _ in trace.ops())
    written = replace(
        op, outputs=(replace(op.outputs[0], tensor=replace(op.outputs[0].tensor, stored=BITMAP)),)
    )
    with pytest.raises(
        MappingError, match="'y' is stored in codec 'bitmap' and would be written to dram"
    ):
        run(trace.replace(items=(written,)), machine())


def fine(rate: float, columns: int = 1) -> Hardware:
    """An array without a grain: any tile is as good as another to it."""
    array = Systolic(name="npu", buffer="sram", rows=1, cols=columns)
    return Hardware("toy", "", None, {**machine(rate).components, "npu": array})


@pytest.mark.parametrize("sizes", [(1, 512, 1000), (1, 1024, 1024), (4, 300, 77)])
@pytest.mark.parametrize("rate", [1e15, 1e9, 1e8, 1e6])
def test_tiles_are_hardly_rounded_up_however_slow_the_decoder(
    sizes: tuple[int, int, int], rate: float
) -> None:
    op = matmul(*sizes)
    found = counts(run(packed(op=op), fine(rate)))
    exact = 0.425 * op.inputs[1].tensor.elements
    assert exact <= found["dram", "read"] <= 1.03 * exact


def test_a_decoder_that_bounds_the_time_bounds_it_at_its_own_rate() -> None:
    op = matmul(1, 512, 1000)
    elements = op.inputs[1].tensor.elements
    assert run(packed(op=op), fine(1e7)).latency_s == pytest.approx(elements / 1e7, rel=0.03)


def test_a_codec_of_whole_bytes_takes_the_tiles_of_plain_weights() -> None:
    whole = Stored("bitmap", Fraction(8))
    plain, same = (run(packed(one), fine(1e15)) for one in (None, whole))
    loops = [
        [a.plan and a.plan.loop for a, _ in one.placement.assignments()] for one in (plain, same)
    ]
    assert loops[0] == loops[1]


def test_a_buffer_too_small_for_such_tiles_takes_smaller_ones() -> None:
    op = matmul(1, 64, 64)
    tight = fine(1e9).with_("sram.size", 12)
    found = counts(run(packed(Stored("bitmap", Fraction(3, 7)), op), tight))
    assert found["sram", "write"] == 64 * 64
    assert found["dram", "read"] > 1.1 * 64 * 64 * 3 / 56
