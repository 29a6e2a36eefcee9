"""The family ``sparse-storage``: bits to the digit, bytes to the byte, and rows that are told."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest
import torch
from codesign_plugins.formats import codesign_validations, validation
from codesign_plugins.formats.sizes import BreakEven, Part, Size

from codesign.errors import ValidationError
from codesign.testing import check_validation
from codesign.validation import Case, validate
from codesign.validation.summary import is_exact
from codesign.zoo.llama import prefill

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "references"
FAMILY = codesign_validations()["sparse-storage"]
HEAD, FIRST, *_ = validation.TYPED.splitlines()
needs_bits = pytest.mark.skipif(
    not (DATA / validation.FILE).exists(), reason="the computed bits are not here"
)
EMBEDDING = (128256, 4096)


def cases(data: Path | None) -> list[Case]:
    found = check_validation(FAMILY, data)
    assert all(isinstance(one, Case) for one in found)
    return [one for one in found if isinstance(one, Case)]


def written(folder: Path, *rows: str) -> Path:
    """A data folder with these rows."""
    path = folder / validation.FILE
    path.parent.mkdir()
    path.write_text("\n".join([HEAD, *rows, ""]))
    return folder


def stored(name: str) -> Case:
    (found,) = (case for case in cases(None) if case.name == name)
    return found


def test_all_that_is_compared_but_the_published_model_is_exact() -> None:
    assert [c.name for c in cases(None) if not is_exact(c) and "Llama" not in c.name] == []


def test_the_typed_rows_have_every_codec_and_the_others_need_no_file() -> None:
    counts = Counter(case.quantity for case in cases(None))
    assert counts == {
        "bits of an element": 3 * 7,
        "share of dense": 9,
        "zeros at break-even": 1,
        "data": 2,
        "metadata": 2,
        "stored": 5,
    }
    assert not any(case.calibrated for case in cases(None))


@needs_bits
def test_all_rows_of_the_file_are_exact_to_their_digits() -> None:
    bits = [case for case in cases(DATA) if case.quantity == "bits of an element"]
    assert len(bits) == 15 * 7
    assert all(case.ours == case.theirs for case in bits)


@needs_bits
def test_the_typed_rows_are_some_of_the_file() -> None:
    recorded = {(case.name, case.quantity): case for case in cases(DATA)}
    assert [one for one in cases(None) if recorded[one.name, one.quantity] != one] == []


def test_a_wrong_reference_is_not_exact(tmp_path: Path) -> None:
    wrong = FIRST.replace("14.008", "14.009")
    assert wrong != FIRST
    off = [case for case in cases(written(tmp_path, wrong)) if not is_exact(case)]
    assert [case.name for case in off if "Llama" not in case.name] == ["csr, int16, density 0.5"]


@pytest.mark.parametrize(
    ("name", "bytes_"),
    [
        ("bf16", 15_009_849_344),
        ("int8", 7_520_236_032),
        ("int4 g64", 4_221_902_848),
        ("int4 g64 + 2:4", 3_049_299_968),
    ],
)
def test_llama_is_stored_in_the_published_size_to_its_digits(name: str, bytes_: int) -> None:
    case = stored(f"Llama-3-8B {name}")
    assert case.ours == bytes_
    assert abs(case.error) < 0.0005
    assert round(case.ours / 1e9, 2) == case.theirs / 1e9
    assert abs(case.ours / 2**30 / (case.theirs / 1e9) - 1) > 0.05  # it is no GiB


def test_the_published_sizes_follow_from_the_published_speeds_too() -> None:
    """Bandwidth over tokens per second of the same tables has two more digits than the size."""
    published = {
        "bf16": (1435.54, 95.64),
        "int8": (1150.80, 153.03),
        "int4 g64": (763.33, 180.80),
        "int4 g64 + 2:4": (689.20, 226.02),
    }
    for name, (bandwidth, tokens) in published.items():
        found = stored(f"Llama-3-8B {name}").ours / 1e9
        assert found == pytest.approx(bandwidth / tokens, rel=1e-4)


def test_the_shapes_are_those_of_the_zoo_without_its_embedding() -> None:
    with torch.device("meta"):
        model, _ = prefill(1, 8)
    real = Counter(tuple(parameter.shape) for parameter in model.parameters())
    real[EMBEDDING] -= 1
    assert real == validation.LINEARS | validation.NORMS
    parameters = sum(math.prod(shape) * count for shape, count in real.items())
    assert parameters + math.prod(EMBEDDING) == 8_030_261_248


def test_an_int4_linear_is_not_counted_as_the_float_it_stands_for() -> None:
    case = stored("int4 linear 256 to 128 with bias")
    assert case.ours == case.theirs == 17_536
    assert "are 131,584 B" in case.note
    sizes = [row for row in validation.rows(None) if isinstance(row, Size)]
    weight, bias = next(size.parts for size in sizes if size.name == case.name)
    assert weight.stored.data * 128 * 256 == 8 * 16_384
    assert weight.stored.meta * 128 * 256 == 8 * (512 + 128)
    assert bias.bytes == 512


def test_a_bitmap_breaks_even_at_one_zero_in_eight() -> None:
    assert BreakEven().outcome().ours == 0.125
    assert BreakEven(elements=16).outcome().ours == 0.125


def test_parts_of_one_shape_are_counted_each_in_whole_bytes() -> None:
    part = Part(shape=(3,), dtype="int4", count=5)
    size = Size(name="five", quantity="stored", theirs=10, parts=(part, part))
    assert part.bytes == 5 * 2
    assert size.outcome().ours == 20
    assert size.outcome().error == 1


BROKEN = {
    "16,0.500,": ("200,0.500,", "value_bits must be 1 to 128, got '200'"),
    "0.500,16,": ("1.5,16,", "density must be above 0 and at most 1, got '1.5'"),
    ",9.000,14": (",-9,14", "bits_bitmask must be above 0, got '-9'"),
    "20.000": ("much", "bits_coo_2x12 must be a finite number, got 'much'"),
}


@pytest.mark.parametrize("part", BROKEN)
def test_a_row_that_is_no_size_is_one_line_with_its_place(part: str, tmp_path: Path) -> None:
    new, message = BROKEN[part]
    assert part in FIRST
    data = written(tmp_path, FIRST, FIRST.replace(part, new, 1))
    with pytest.raises(ValidationError) as caught:
        validate(data, ("sparse-storage",))
    assert str(caught.value).startswith(f"{data / validation.FILE}:3: {message}")
    assert "\n" not in str(caught.value)
