"""The family ``traffic``: compulsory bytes to the byte, and rows that are none with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from codesign_plugins import validate_traffic as family

from codesign.errors import ValidationError
from codesign.validation import Case, NotRun, validate

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "references"
needs_cases = pytest.mark.skipif(
    not (DATA / family.FILE).exists(), reason="the recorded cases are not here"
)
HEAD, FIRST, *_ = family.TYPED.splitlines()


def written(folder: Path, *rows: str) -> Path:
    """A data folder with these rows."""
    path = folder / family.FILE
    path.parent.mkdir()
    path.write_text("\n".join([HEAD, *rows, ""]))
    return folder


def outcomes(data: Path | None) -> list[Case | NotRun]:
    return [one for product in family.rows(data) for one in family.compare(product)]


def test_every_typed_product_moves_its_bytes_to_the_byte() -> None:
    found = outcomes(None)
    assert [(one.name, one.ours) for one in found if isinstance(one, Case)] == [
        (one.name, one.theirs) for one in found if isinstance(one, Case)
    ]
    assert len(found) == len(family.TYPED.splitlines()) - 1
    assert all(isinstance(one, Case) for one in found)


def test_the_typed_bytes_are_those_of_the_operands() -> None:
    for product in family.rows(None):
        assert product.is_compulsory
        assert product.moved == sum(access.bytes for access in product.op.operands)


def test_our_bytes_are_those_of_the_replay_and_not_of_the_reference(tmp_path: Path) -> None:
    """The comparison can fail: a reference that is twice as large is 50 % above ours."""
    wrong = FIRST.replace("573440", "1146880")
    assert wrong != FIRST
    (found,) = outcomes(written(tmp_path, wrong))
    assert isinstance(found, Case)
    assert found.error == -0.5
    assert (found.unit, found.note) == ("B", "zigzag-dse 3.9.1")


def test_a_mapping_that_moves_more_is_listed_and_not_compared(tmp_path: Path) -> None:
    (found,) = outcomes(written(tmp_path, FIRST.replace("573440,True", "999999,False")))
    assert found == NotRun(
        name="meta_prototype__lstm_gates_b32_32x1024x512",
        reason="the tool's mapping moves more than the compulsory bytes",
    )


@needs_cases
def test_the_typed_products_are_recorded_ones() -> None:
    recorded = {product.name: product for product in family.rows(DATA)}
    assert [product for product in family.rows(None) if recorded[product.name] != product] == []


BROKEN = {
    ",1,32,": (",0,32,", "groups must be at least 1, got '0'"),
    ",512,": (",-512,", "K must be a whole number of at least 0, got '-512'"),
    ",True": (",yes", "equal must be True or False, got 'yes'"),
    ",573440,": (",all,", "reported_total_bytes must be a finite number, got 'all'"),
}


@pytest.mark.parametrize("part", BROKEN)
def test_a_row_that_is_no_product_is_one_line_with_its_place(part: str, tmp_path: Path) -> None:
    new, message = BROKEN[part]
    assert part in FIRST
    data = written(tmp_path, FIRST, FIRST.replace(part, new, 1))
    with pytest.raises(ValidationError) as caught:
        validate(data, ("traffic",))
    assert str(caught.value).startswith(f"{data / family.FILE}:3: {message}")
    assert "\n" not in str(caught.value)
