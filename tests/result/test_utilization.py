"""Utilisation: what was asked for, over the most that could have been moved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from strategies import Sketch, machine

from codesign import annotate, load_hardware, simulate
from codesign.hardware.component import Memory
from codesign.hardware.spec import Hardware
from codesign.report import write_report
from codesign.result.utilization import peak_bytes_per_s
from codesign.workload.record import Trace


def model(width: int = 40) -> Trace:
    sketch = Sketch("model")
    sketch.softmax("soft", sketch.matmul("head", sketch.input("x", 24, width), width))
    return sketch.trace()


def with_burst(burst: int) -> Hardware:
    """Rows of a burst that their ends do not fill."""
    plain = machine(memory_rate=5e9)
    dram = replace(plain.components["dram"], burst=burst)  # type: ignore[call-arg]
    return replace(plain, components={**plain.components, "dram": dram})


def dram_of(hardware: Hardware) -> Memory:
    (dram,) = (one for one in hardware.memories if one.off_chip)
    return dram


def test_the_ends_of_bursts_are_bytes_moved_and_no_utilisation() -> None:
    result = simulate(model(), with_burst(64))
    asked, moved = sum(result.replay.moved.values()), sum(result.offchip_bytes.values())
    assert moved > asked
    whole = result.latency_s * peak_bytes_per_s(dram_of(result.machine))
    assert result.utilization["dram"] == pytest.approx(asked / whole)


def test_without_bursts_bytes_moved_are_those_asked_for() -> None:
    result = simulate(model(), with_burst(1))
    assert sum(result.replay.moved.values()) == sum(result.offchip_bytes.values())


def test_the_peak_of_a_flat_memory_is_the_rate_that_it_reaches() -> None:
    dram = dram_of(load_hardware("edge-npu"))
    rated = dram.bandwidth * dram.efficiency  # type: ignore[attr-defined]
    assert peak_bytes_per_s(dram) == pytest.approx(rated, rel=1e-6)


@pytest.mark.parametrize(("device", "rate"), [("lpddr5-6400", 12.8e9), ("hbm2", 32e9)])
def test_the_peak_of_banks_is_the_rate_of_their_buses(device: str, rate: float) -> None:
    preset = load_hardware("edge-npu-lpddr5").with_("dram.device", device)
    assert peak_bytes_per_s(dram_of(preset)) == pytest.approx(2 * rate, rel=1e-6)


def with_decoder(rate: float) -> Hardware:
    """A machine whose one link decodes bitmaps."""
    plain = machine(memory_rate=5e9)
    (name,) = (link.name for link in plain.links)
    return plain.with_all(
        {f"{name}.decode_rate": {"bitmap": rate}, f"{name}.decode_energy": {"bitmap": 1e-13}}
    )


@pytest.mark.parametrize("rate", [1e6, 1e9])
def test_a_decoder_works_as_long_as_its_bytes_take_at_its_rate(rate: float) -> None:
    packed = annotate(model(), "head", sparsity="0.5", codec="bitmap")
    result = simulate(packed, with_decoder(rate))
    (link,) = result.machine.links
    # an element takes 4 bits of values and one of the map
    seconds = result.offchip_bytes["weight"] / (rate * 5 / 8)
    share = result.utilization[f"{link.name}.decoder"]
    assert share == pytest.approx(seconds / result.latency_s)
    assert 0 < share <= 1


def test_a_run_that_waits_for_a_slow_decoder_uses_nearly_all_of_it() -> None:
    packed = annotate(model(), "head", sparsity="0.5", codec="bitmap")
    used = simulate(packed, with_decoder(1e4)).utilization
    assert max(used, key=used.__getitem__) == "bus0.decoder"
    assert 0.999 < used["bus0.decoder"] <= 1


def test_a_decoder_without_work_stands_still_and_a_link_without_one_has_no_entry() -> None:
    assert simulate(model(), with_decoder(1e9)).utilization["bus0.decoder"] == 0
    plain = simulate(model(), machine(memory_rate=5e9))
    assert set(plain.utilization) == set(plain.machine.components)


def test_a_report_of_a_saved_run_counts_decoders_among_its_parts(tmp_path: Path) -> None:
    packed = annotate(model(), "head", sparsity="0.5", codec="bitmap")
    simulate(packed, with_decoder(1e6)).save(tmp_path / "run")
    page = write_report(tmp_path / "run", tmp_path / "run.html")
    assert "Utilisation of bus0.decoder" in page.read_text()
