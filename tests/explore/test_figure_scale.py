"""Numbers and names on axes: units, prefixes, decades, and texts that fit."""

from __future__ import annotations

import numpy as np
import pytest

from codesign.explore.figures.scale import Scale, change_text, short, shortened, thinned, wrapped


@pytest.mark.parametrize(
    ("name", "values", "label", "first"),
    [
        ("latency_s", [2e-6, 3e-6], "latency (µs)", "2 µs"),
        ("energy_j", [0.0, 0.05], "energy (mJ)", "0 mJ"),
        ("edp_js", [4e-12], "edp (pJ s)", "4 pJ s"),
        ("area_m2", [4e-6], "area (mm²)", "4 mm²"),
        ("area_m2", [4e-12, 5e-12], "area (µm²)", "4 µm²"),
        ("offchip_bytes", [2.5e6], "offchip (MB)", "2.5 MB"),
        ("read_bytes_per_s", [25.6e9], "read (GB/s)", "25.6 GB/s"),
        ("clock_hz", [999.0, 1000.0], "clock (kHz)", "0.999 kHz"),
        ("dynamic_energy_j", [-3e-9, -1e-9], "dynamic energy (nJ)", "−3 nJ"),
        ("energy_j", [1e-40], "energy (fJ)", "10⁻²⁵ fJ"),
        ("params", [24960.0], "params (thousand)", "24.96 thousand"),
        ("macs", [4.1e9], "macs (billion)", "4.1 billion"),
        ("tiles", [7.0, 12.0], "tiles", "7"),
        ("loss", [2e-5], "loss (10⁻⁶)", "20 10⁻⁶"),
        ("_s", [1.0], "_s", "1"),
        ("nothing_w", [0.0], "nothing (W)", "0 W"),
    ],
)
def test_the_end_of_a_name_is_its_unit(
    name: str, values: list[float], label: str, first: str
) -> None:
    scale = Scale.of(name, np.array(values))
    assert scale.label == label
    assert scale.text(values[0]) == first
    assert scale.drawn(np.array(values)) * scale.factor == pytest.approx(np.array(values))


@pytest.mark.parametrize(
    ("values", "decades"),
    [
        ([1.0, 10.0], False),
        ([1.0, 10.1], True),
        ([0.0, 100.0], False),
        ([-1.0, 100.0], False),
        ([-100.0, -1.0], False),
        ([5.0], False),
        ([], False),
    ],
)
def test_only_positive_numbers_over_more_than_a_decade_are_logarithmic(
    values: list[float], decades: bool
) -> None:
    assert Scale.of("energy_j", np.array(values)).decades is decades


def test_an_arrow_says_where_it_is_better() -> None:
    assert Scale.of("energy_j", np.array([1.0])).sense == "←  energy (J)"
    assert Scale.of("accuracy", np.array([1.0]), maximise=True).sense == "accuracy  →"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (0.001, "0.001"),
        (0.0001, "10⁻⁴"),
        (-2.5e-7, "−2.5·10⁻⁷"),
        (1234.56, "1,235"),
        (12345.6, "12,346"),
        (1e5, "10⁵"),
        (1.2345678e9, "1.235·10⁹"),
    ],
)
def test_numbers_are_short(number: float, text: str) -> None:
    assert short(number) == text


def test_the_middle_of_a_long_value_goes() -> None:
    assert shortened("abcdefghij", 10) == "abcdefghij"
    assert shortened("abcdefghijk", 10) == "abcde…hijk"
    assert shortened("abc", 2) == "a…"


def test_names_break_behind_dots_and_underscores() -> None:
    assert wrapped("sram.size", 17) == "sram.size"
    assert wrapped("accelerator.scratchpad_banks", 17) == "accelerator.\nscratchpad_banks"
    assert wrapped("a" * 30, 10) == "aaaaa…aaaa"
    many = wrapped("one.two.three.four.five.six.seven.eight", 8, lines=3)
    assert many.splitlines()[0] == "one.two."
    assert len(many.splitlines()) == 3
    assert max(map(len, many.splitlines())) <= 8


@pytest.mark.parametrize("count", [1, 5, 12, 13, 40, 1000])
def test_labels_are_thinned_evenly(count: int) -> None:
    places = list(thinned(count, 12))
    assert len(places) <= 12
    assert places[0] == 0
    assert set(np.diff(places)) <= {-(-count // 12)}


@pytest.mark.parametrize(
    ("name", "before", "after", "text"),
    [
        ("energy_j", 5.648e-6, 4.266e-6, "5.648 to 4.266 µJ, -24.5%"),
        ("latency_s", 2e-9, 3e-6, "2 to 3,000 ns, 1,500 times"),
        ("offchip_bytes", 4e3, 4e3, "stays 4 kB"),
        ("gain_j", -1e-3, 2e-3, "−1 to 2 mJ"),
        ("params", 0.0, 50.0, "0 to 50"),
        ("params", 25e3, 24e3, "25 to 24 thousand, -4.0%"),
    ],
)
def test_a_change_is_told_with_its_unit_and_its_share(
    name: str, before: float, after: float, text: str
) -> None:
    assert change_text(name, before, after) == text
