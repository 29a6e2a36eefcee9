"""One colour for each thing in every figure, which stays apart from others for every eye."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.colors import to_hex
from numpy.typing import NDArray
from report_case import banked, generated, with_why

from codesign.report import write_report
from codesign.report.figures.all import figures_of
from codesign.report.figures.colours import (
    ENERGY_COLOURS,
    GREY,
    IN_DARK,
    PALETTES,
    PARTS,
    ROLE_COLOURS,
    TIME_COLOURS,
    ink_on,
    luminance,
    mean_colour,
    ordered,
    page_colours,
    part_colours,
    state_colours,
    tie_colours,
)
from codesign.report.figures.kit import Drawn
from codesign.report.items import find_items
from codesign.report.saved import Saved, read_saved
from codesign.report.timeline_data import timeline_data
from codesign.result.forms import Part
from codesign.workload.tensor import ROLES

Matrix = NDArray[np.float64]

SIGHTS: Mapping[str, Matrix] = {
    "normal": np.eye(3),
    "protanopia": np.array([
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]),
    "deuteranopia": np.array([
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]),
    "tritanopia": np.array([
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ]),
}  # fmt: skip
"""On linear RGB: Machado, Oliveira and Fernandes, IEEE TVCG 2009, table 1, severity 1.0."""
PAPER, DARK_PAPER = "#ffffff", "#12171d"


def lab(colour: str, sight: Matrix) -> Matrix:
    """CIE 1976 L*a*b* of ``#rrggbb`` under D65, as an eye sees it."""
    channels = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = to_xyz @ np.clip(sight @ linear, 0, 1) / (0.9505, 1.0, 1.089)
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(a: str, b: str) -> float:
    dark, bright = sorted((luminance(a), luminance(b)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("page", ["light", "dark"])
def test_any_two_colours_of_a_palette_are_apart_for_every_eye(sight: str, page: str) -> None:
    for palette in PALETTES:
        shown = list(palette if page == "light" else palette.values())
        for a, b in itertools.combinations(shown, 2):
            apart = np.linalg.norm(lab(a, SIGHTS[sight]) - lab(b, SIGHTS[sight]))
            assert apart > 13, (a, b)


def test_every_colour_stands_out_from_the_paper_of_its_page() -> None:
    for light, dark in IN_DARK.items():
        assert contrast(light, PAPER) > 1.9, light
        assert contrast(dark, DARK_PAPER) > 2.8, dark


def test_no_colour_is_in_two_palettes_and_none_is_that_of_paper_or_ink() -> None:
    every = [colour for palette in PALETTES for colour in palette]
    assert len(every) == len(set(every)) == len(IN_DARK)
    assert not {"#ffffff", "#333333", "#dddddd", GREY} & set(every)


@pytest.mark.parametrize("colour", [*IN_DARK, "#ffffff", "#000000"])
def test_text_on_a_colour_can_be_read(colour: str) -> None:
    assert contrast(colour, ink_on(colour)) > 4.2


@pytest.mark.parametrize(
    "colour", [*(ROLE_COLOURS[r] for r in ROLES), *state_colours("abcdef").values()]
)
def test_text_on_what_is_named_can_be_read_on_a_dark_page_too(colour: str) -> None:
    """Boxes of tensors and bars of power states have text on them, which no page turns round."""
    assert contrast(IN_DARK[colour], ink_on(colour)) > 3


# -- the same thing, the same colour -------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """A DRAM with banks and states, and a critical path."""
    folder = tmp_path_factory.mktemp("colours")
    banked().save(folder)
    return read_saved(folder)


def painted(drawn: Drawn) -> Iterator[tuple[str, str]]:
    """What each mark of one colour is called, and its colour."""
    for artist in drawn.figure.findobj(Artist):
        texts = drawn.titles.get(str(artist.get_gid()), ())
        if texts and hasattr(artist, "get_facecolor"):
            faces = np.atleast_2d(artist.get_facecolor())
            colours = [to_hex(face) for face in faces]
            # a list of one colour is that of all its marks
            yield from zip(texts, colours * (len(texts) if len(colours) == 1 else 1), strict=True)


def legends(drawn: Drawn) -> list[dict[str, str]]:
    """Names and colours of each legend, in order."""
    found = [axes.get_legend() for axes in drawn.figure.axes] + list(drawn.figure.legends)
    return [
        {
            text.get_text(): to_hex(patch.get_facecolor())
            for text, patch in zip(one.get_texts(), one.get_patches(), strict=True)
        }
        for one in found
        if one is not None and one.get_patches()
    ]


def test_a_component_has_one_colour_in_all_figures_and_in_the_timeline(saved: Saved) -> None:
    colours = part_colours(saved)
    energy = [
        (text.split(" · ")[1].split(":")[0], colour)
        for text, colour in painted(figures_of(saved)["energy"](saved))
    ]
    assert {(name, colour) for name, colour in energy if name in colours} == set(colours.items())
    rate = dict(painted(figures_of(saved)["dram"](saved)))
    assert {c for text, c in rate.items() if text.startswith("dram: ")} == {colours["dram"]}
    roofline = painted(figures_of(saved)["roofline"](saved))
    assert {c for text, c in roofline if "MAC/B" in text} == {colours["npu"]}
    tracks = timeline_data(saved, find_items(saved))["tracks"]
    assert {t["name"]: t["colour"] for t in tracks if "colour" in t} == colours


def test_a_role_has_one_colour_in_all_figures(saved: Saved) -> None:
    traffic = painted(figures_of(saved)["bytes"](saved))
    found = {(text.split(" · ")[1].split(":")[0], colour) for text, colour in traffic}
    lies = painted(figures_of(saved)["residency"](saved))
    found |= {(text.split(" (")[1].split(",")[0], colour) for text, colour in lies}
    assert {role for role, _ in found} == {"weight", "input", "activation"}
    assert all(ROLE_COLOURS[role] == colour for role, colour in found)


@pytest.mark.parametrize("name", ["energy", "bytes", "residency", "timeline", "critical-path"])
def test_legends_have_the_colours_of_the_marks_and_one_order(saved: Saved, name: str) -> None:
    orders = [part_colours(saved), ROLE_COLOURS, ENERGY_COLOURS, TIME_COLOURS]
    found = legends(figures_of(saved)[name](saved))
    assert found
    for legend in found:
        (order,) = [one for one in orders if set(legend) <= set(one)]
        assert list(legend.items()) == [pair for pair in order.items() if pair[0] in legend]


@pytest.mark.parametrize(("name", "panels"), [("energy", 3), ("bytes", 2), ("critical-path", 2)])
def test_every_panel_of_bars_has_a_legend_of_its_own(saved: Saved, name: str, panels: int) -> None:
    drawn = figures_of(saved)[name](saved)
    assert len(legends(drawn)) == len(drawn.figure.axes) == panels
    for axes, legend in zip(drawn.figure.axes, legends(drawn), strict=True):
        bars = {to_hex(patch.get_facecolor()) for patch in axes.patches}
        assert bars == set(legend.values())


def test_a_power_state_has_the_same_colour_in_time_and_energy(saved: Saved) -> None:
    found: dict[str, set[str]] = {}
    for text, colour in painted(figures_of(saved)["dram"](saved)):
        if re.match(r"\w+: [\d.]+ .?[sJ], ", text):
            found.setdefault(text.split(":")[0], set()).add(colour)
    assert set(found) >= {"active", "precharged", "refresh"}
    assert all(len(colours) == 1 for colours in found.values())
    assert len(set.union(*found.values())) == len(found)


def test_the_memory_off_the_chip_is_blue_on_every_machine(saved: Saved, tmp_path: Path) -> None:
    other = read_saved(generated(tmp_path, 2))
    assert part_colours(saved)["dram"] == part_colours(other)["dram"] == next(iter(PARTS))
    assert list(part_colours(other)) == ["npu", "vector", "sram", "bus", "dram"]


def with_parts(saved: Saved, names: list[str]) -> Saved:
    """The same result on a machine of memories."""
    parts = tuple(Part(name=name, kind="sram", sort="memory") for name in names)
    return dataclasses.replace(saved, parts=parts)


def test_sixteen_components_have_colours_of_their_own_and_more_take_turns(tmp_path: Path) -> None:
    names = [f"m{n}" for n in range(20)]
    colours = part_colours(with_parts(read_saved(generated(tmp_path, 2)), names))
    own = [colours[name] for name in names]
    assert own[:16] == list(PARTS)
    assert own[16:] == list(PARTS)[:4]


def tied(folder: Path, name: str) -> Saved:
    """A result on whose critical path several components tie."""
    with_why(generated(folder, 2), 2_000_000)
    path = folder / "why.json"
    path.write_text(path.read_text().replace('"dram"', f'"{name}"'))
    return read_saved(folder)


def test_components_that_tie_have_the_mean_of_both_colours_in_light_and_dark(
    tmp_path: Path,
) -> None:
    saved = tied(tmp_path, "bus, dram")
    found = part_colours(saved)
    ((light, dark),) = tie_colours(saved).items()
    assert light == found["bus, dram"] != dark
    single = [found["bus"], found["dram"]]
    for both, mean in ((single, light), ([IN_DARK[one] for one in single], dark)):
        channels = [[int(one[at : at + 2], 16) for at in (1, 3, 5)] for one in (*both, mean)]
        assert np.abs(np.mean(channels[:2], axis=0) - channels[2]).max() <= 0.5


def test_the_mean_of_any_components_stands_out_from_the_paper_of_its_page() -> None:
    for number in (2, 3):
        for some in itertools.combinations(PARTS.items(), number):
            light, dark = (mean_colour(pair[place] for pair in some) for place in (0, 1))
            assert contrast(light, PAPER) > 1.9, some
            assert contrast(dark, DARK_PAPER) > 2.8, some


def test_a_page_knows_a_tie_in_light_in_dark_and_on_paper(tmp_path: Path) -> None:
    saved = tied(tmp_path / "result", "bus, dram")
    text = write_report(tmp_path / "result", tmp_path / "page.html").read_text()
    ((light, dark),) = tie_colours(saved).items()
    assert text.count(f"--c-{light[1:]}:{light};") == 2
    assert text.count(f"--c-{light[1:]}:{dark};") == 1
    path = text[text.index('id="figure-critical-path"') :]
    assert f"fill: var(--c-{light[1:]}, {light})" in path


def test_no_tie_is_no_colour_and_a_tie_of_strangers_is_grey(tmp_path: Path) -> None:
    assert tie_colours(read_saved(generated(tmp_path / "plain", 2))) == {}
    strange = tied(tmp_path / "strange", "here, there")
    assert part_colours(strange)["here, there"] == GREY
    assert tie_colours(strange) == {}


def test_every_role_of_a_tensor_has_a_colour() -> None:
    assert set(ROLES) < set(ROLE_COLOURS)


def test_what_a_palette_does_not_know_is_grey_and_last() -> None:
    assert list(ordered(["odd", "input", "weight"], ROLE_COLOURS).items()) == [
        ("weight", ROLE_COLOURS["weight"]), ("input", ROLE_COLOURS["input"]), ("odd", GREY),
    ]  # fmt: skip


def test_power_states_beyond_the_palette_take_turns() -> None:
    found = list(state_colours(f"s{n}" for n in range(7)).values())
    assert found[6] == found[0]
    assert len(set(found)) == 6


def test_a_page_says_each_colour_for_light_for_dark_and_for_paper() -> None:
    light, dark, paper = page_colours().strip().splitlines()
    assert "prefers-color-scheme: dark" in dark
    assert "print" in paper
    for colour, other in IN_DARK.items():
        assert f"--c-{colour[1:]}:{colour};" in light
        assert f"--c-{colour[1:]}:{other};" in dark
        assert f"--c-{colour[1:]}:{colour};" in paper
