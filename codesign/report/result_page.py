"""The page of a result: which sections it has, in which order."""

from __future__ import annotations

from functools import partial

from codesign.quantities import count
from codesign.report.banks import Banks, find_banks
from codesign.report.document import Document, Section
from codesign.report.figures.all import figures_of
from codesign.report.figures.colours import tie_colours
from codesign.report.headline import headline
from codesign.report.items import MOST_ITEMS, Items, find_items
from codesign.report.names import shown
from codesign.report.pictures import picture
from codesign.report.provenance import provenance
from codesign.report.saved import Saved
from codesign.report.tables import (
    bank_table,
    cause_table,
    energy_tables,
    path_table,
    roof_table,
    stay_table,
)
from codesign.report.timeline_data import timeline_data


def result_page(saved: Saved) -> Document:
    """Everything that a folder of a result has to show."""
    items, said = find_items(saved), saved.summary
    sections = [
        headline(saved),
        _timeline(items),
        _energy(saved),
        _bytes(saved),
        _roofline(saved),
        _residency(saved),
        _dram(saved),
        _path(saved),
        *provenance(saved),
    ]
    fallback = picture("timeline", partial(figures_of(saved)["timeline"], saved), "Timeline")
    return Document(
        f"{shown(said.model)} on {shown(said.hardware)}",
        f"codesign {shown(said.version)}, result {shown(said.digest, 14)}",
        tuple(sections),
        timeline_data(saved, items),
        fallback.svg,
        tie_colours(saved),
    )


def _timeline(items: Items) -> Section:
    words = [
        "What each engine did, and how fast each memory and link moved bytes. A slice begins with "
        "the first transfer of an operator, but not before the one before it on its engine ended. "
        "A rate is a mean: the bytes of an operator are spread over its run, as evenly as the peak "
        "allows."
    ]
    if items.drawn < items.total:
        words.append(
            f"There are {count(items.total)} slices; neighbours too short to tell apart are folded "
            f"into {count(items.drawn)}, because a page holds {count(MOST_ITEMS)}."
        )
    if any(len(shares) > 1 for one in items.slices for shares in one.shares):
        words.append(
            "A long loop of the critical path, or a row of many short parts, is folded into one "
            "box. Its causes took turns in truth: each is as high as its share of the time, and no "
            "place in the box says when it was."
        )
    return Section("timeline-heading", "Timeline", tuple(words), has_timeline=True)


def _energy(saved: Saved) -> Section:
    made = picture("energy", partial(figures_of(saved)["energy"], saved), "Energy")
    words = (
        "Computing is what engines spend beside moving tensors, reads and writes through a port of "
        "their own among it; static is leakage and background, which no operator has to itself."
    )
    return Section(
        "energy-heading", "Energy", (words,), pictures=(made,), tables=energy_tables(saved)
    )


def _bytes(saved: Saved) -> Section:
    words = "Tensors only: what an engine reads and writes through a port of its own is not here."
    made = picture("bytes", partial(figures_of(saved)["bytes"], saved), "Bytes of tensors")
    return Section("bytes-heading", "Bytes", (words,), pictures=(made,))


def _roofline(saved: Saved) -> Section:
    words = [
        "Each operator by its multiply-accumulates (MAC) for a byte off the chip, and how fast it "
        "was from its first transfer to its end. The roof of an engine is the most slots for them "
        "that it issued in a second of computing, used or not. Point at a dot for the name of its "
        "operator, or open the table."
    ]
    if not saved.parts:
        words.append("The folder does not know the peaks, so there is no roof.")
    draw = partial(figures_of(saved)["roofline"], saved)
    made = picture("roofline", draw, "Roofline")
    return Section(
        "roofline-heading", "Roofline", tuple(words), pictures=(made,), tables=(roof_table(saved),)
    )


def _residency(saved: Saved) -> Section:
    name, title = "residency-heading", "What lies where"
    if saved.residency is None:
        said = "The folder does not say which tensor lies in which memory; save the result anew."
        return Section(name, title, (said,))
    words = (
        "Which tensor lies in which memory, from when to when. The height of a box is its bytes; "
        "its place is no address, and boxes of operators that overlap in time stand above each "
        "other. Tiles on their way through a buffer are not drawn."
    )
    draw = partial(figures_of(saved)["residency"], saved)
    made = picture("residency", draw, "Map of the memories")
    return Section(name, title, (words,), pictures=(made,), tables=(stay_table(saved),))


def _dram(saved: Saved) -> Section:
    name, title = "dram-heading", "Memory off the chip"
    if not saved.off_chip:
        why = "has no memory off the chip" if saved.parts else "does not say which memory is off it"
        return Section(name, title, (f"The hardware {why}.",))
    words = _dram_words(find_banks(saved))
    made = picture("dram", partial(figures_of(saved)["dram"], saved), title)
    tables = tuple(found for found in [bank_table(saved)] if found.rows)
    return Section(name, title, words, pictures=(made,), tables=tables)


def _dram_words(memories: tuple[Banks, ...]) -> tuple[str, ...]:
    """What to know of what is modelled, and of which memories what is not."""
    words = [
        "The rate is a mean: the bytes of an operator are spread over its run, as evenly as the "
        "peak allows. The share of the peak counts what was asked for, not whole bursts."
    ]
    if any(banks.knows_rows for banks in memories):
        words.append(
            "A burst that finds its row open needs no activate; each activate is taken to open the "
            "row for one burst."
        )
    if any(banks.states for banks in memories):
        words.append(
            "Power states are times of the whole run; when each was entered is not in the result."
        )
    flat = [banks for banks in memories if not banks.states and not banks.knows_rows]
    if flat:
        names = ", ".join(f"{shown(one.part.name)} ({shown(one.part.kind)})" for one in flat)
        words.append(f"No rows and no power states are modelled of {names}: it is a flat rate.")
    return tuple(words)


def _path(saved: Saved) -> Section:
    name, title = "path-heading", "Critical path"
    if saved.why is None:
        said = (
            "The folder has no critical path. The command codesign why makes it; then make this "
            "report again."
        )
        return Section(name, title, (said,))
    words = (
        "What each picosecond of the run was spent on; all parts together are the run. Time of "
        "several components, as in 'bus, dram', was bound by each of them equally."
    )
    made = picture("critical-path", partial(figures_of(saved)["critical-path"], saved), title)
    return Section(
        name, title, (words,), pictures=(made,), tables=(cause_table(saved), path_table(saved))
    )
