"""The family ``eyeriss``: a trend, with its signed errors as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from codesign_plugins import validate_eyeriss as family

from codesign.errors import ValidationError
from codesign.testing import convolution
from codesign.validation import Case, NotRun

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "references"
needs_rows = pytest.mark.skipif(
    not (DATA / family.FILE).exists(), reason="the published figures are not here"
)
HEAD, FIRST, *_ = family.TYPED.splitlines()


def cases(data: Path | None) -> dict[str, Case]:
    found = [one for row in family.rows(data) for one in family.compare(row)]
    return {one.name: one for one in found if isinstance(one, Case)}


def written(folder: Path, *rows: str) -> Path:
    """A data folder with these rows."""
    path = folder / family.FILE
    path.parent.mkdir()
    path.write_text("\n".join([HEAD, *rows, ""]))
    return folder


def macs(layer: str) -> int:
    channels, filters, size, kernel, stride, padding, groups = family.LAYERS[layer]
    return convolution(channels, filters, size, kernel, stride, padding, groups=groups).macs


def test_layers_have_the_products_that_are_published() -> None:
    totals = {
        network: sum(macs(name) for name in family.LAYERS if name.startswith(network))
        for network in family.BATCH
    }
    assert totals["AlexNet"] == 665_784_864
    assert totals["VGG16"] == 15_346_630_656


def test_typed_layers_follow_the_chip_within_three_tenths() -> None:
    found = cases(None)
    assert len(found) == len(family.TYPED.splitlines()) - 1
    assert max(abs(case.error) for case in found.values()) < 3 / 10
    assert {case.note for case in found.values()} == {"trend"}


def test_no_layer_is_faster_than_168_cells_can_be() -> None:
    for name, case in cases(None).items():
        floor = family.BATCH[name.split()[0]] * macs(name) / (168 * 200e6)
        assert case.ours >= floor


@needs_rows
def test_the_published_layers_are_in_the_order_of_the_chip_and_the_first_of_vgg_are_too_fast() -> (
    None
):
    found = cases(DATA)
    assert len(found) == 14
    assert found["VGG16 CONV1-2"].error < -0.6
    early = ("VGG16 CONV1-2", "VGG16 CONV2-2", "VGG16 CONV3-3", "VGG16 CONV4-3", "VGG16 CONV5-3")
    theirs = [found[name].theirs for name in early]
    assert sorted(theirs, reverse=True) == theirs
    assert max(theirs) / min(theirs) > max(found[n].ours for n in early) / min(
        found[n].ours for n in early
    )


@needs_rows
def test_the_typed_rows_are_published_ones() -> None:
    recorded = {row.name: row for row in family.rows(DATA)}
    assert all(recorded[row.name] == row for row in family.rows(None))


def test_a_layer_that_is_not_known_is_listed_with_the_reason(tmp_path: Path) -> None:
    data = written(tmp_path, FIRST.replace("CONV1", "CONV9"), "other chip,x,latency,1,ms")
    (row,) = family.rows(data)
    assert list(family.compare(row)) == [
        NotRun(name="AlexNet CONV9", reason="the sizes of such a layer are not known")
    ]


def test_another_unit_is_one_line_with_its_place(tmp_path: Path) -> None:
    data = written(tmp_path, FIRST.replace(",ms", ",s"))
    with pytest.raises(ValidationError, match=":2: unit must be ms, got 's'"):
        family.rows(data)
