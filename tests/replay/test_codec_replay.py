"""Decoders in the replay: what is skipped changes nothing, and bounds stay bounds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import machines, traces

from codesign import Hardware, Stored, Trace, simulate
from codesign.mapping.place import place
from codesign.replay.run import replay
from codesign.workload.retensor import with_tensors


def packed(trace: Trace, bits: list[Fraction]) -> Trace:
    """Every second weight in a codec, of these bits in turn."""
    weights = [tensor for tensor in trace.tensors if tensor.role == "weight"]
    stored = {
        tensor.name: replace(tensor, stored=Stored("c", bits[number % len(bits)]))
        for number, tensor in enumerate(weights)
        if number % 2 == 0
    }
    return with_tensors(trace, stored)


def decoding(hardware: Hardware, rate: float) -> Hardware:
    links = [link.name for link in hardware.links]
    rates = {f"{name}.decode_rate": {"c": rate} for name in links}
    return hardware.with_all(rates | {f"{name}.decode_energy": {"c": 1e-13} for name in links})


BITS = st.lists(st.fractions(Fraction(1, 2), 12, max_denominator=8), min_size=1, max_size=3)
RATES = st.sampled_from([1e7, 1e9, 1e12])


@settings(max_examples=25, deadline=None)
@given(traces(), machines(), BITS, RATES)
def test_every_event_and_skipped_ones_agree(
    trace: Trace, hardware: Hardware, bits: list[Fraction], rate: float
) -> None:
    machine, model = decoding(hardware, rate), packed(trace, bits)
    whole = simulate(model, machine, exact_events=True)
    assert simulate(model, machine).digest == whole.digest
    assert whole.lower_bound_s <= whole.latency_s <= whole.serial_bound_s


@settings(max_examples=25, deadline=None)
@given(traces(), machines(), BITS)
def test_a_faster_decoder_is_never_slower_alone(
    trace: Trace, hardware: Hardware, bits: list[Fraction]
) -> None:
    model = packed(trace, bits)
    placement = place(model, decoding(hardware, 1e9))
    slow, fast = (replay(placement, decoding(hardware, rate)).serial for rate in (1e8, 1e9))
    assert fast <= slow


@settings(max_examples=25, deadline=None)
@given(traces(), machines())
def test_a_codec_that_saves_no_byte_and_decodes_at_once_changes_no_time(
    trace: Trace, hardware: Hardware
) -> None:
    plain = {t.name: t for t in trace.tensors if t.role == "weight"}
    same = {
        name: replace(one, stored=Stored("c", Fraction(one.dtype.bits)))
        for name, one in plain.items()
    }
    # what is decoded is a transfer of its own, with a set-up of its own
    links = {f"{link.name}.setup": 0.0 for link in hardware.links}
    machine = decoding(hardware, 1e13).with_all(links)
    before, after = (simulate(one, machine) for one in (trace, with_tensors(trace, same)))
    assert after.offchip_bytes == before.offchip_bytes
    assert after.latency_s == pytest.approx(before.latency_s, rel=0.02)
