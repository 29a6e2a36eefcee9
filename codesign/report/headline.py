"""The headline of a result: figures with units, bounds, and how wrong they are known to be."""

from __future__ import annotations

from codesign.quantities import LEAST_SHARE, count, quantity, share
from codesign.report.document import Card, Range, Section
from codesign.report.saved import Saved


def headline(saved: Saved) -> Section:
    """Latency, energy, bytes, utilisation, work and coverage."""
    words = [error_words(saved)]
    if saved.lacks:
        words.append(
            "An earlier version wrote this folder, so the report lacks what these files would say: "
            f"{', '.join(saved.lacks)}. Save the result again to have them."
        )
    if saved.left_out > 0:
        words.append(
            f"Pictures over time show the first {count(len(saved.spans.ops))} runs of operators; "
            f"{count(saved.left_out)} later ones are in all totals."
        )
    cards = (_latency(saved), _energy(saved), _bytes(saved), *_use(saved))
    return Section("headline", "At a glance", tuple(words), cards, _range(saved))


def error_words(saved: Saved) -> str:
    """What is known of the error of the whole, in two sentences."""
    known = [part.name for part in saved.parts if part.notes]
    unknown = [part.name for part in saved.parts if not part.notes]
    told = (
        "Expected error: nobody has measured this model on this hardware, so no error is known of "
        "the latency and the energy as a whole."
    )
    if not saved.parts:
        return f"{told} What the parts say of themselves is under assumptions."
    if known:
        told += f" Of {_listed(known)} there are statements, see expected errors."
    if unknown:
        told += f" Of {_listed(unknown)} no error is known."
    return told


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _latency(saved: Saved) -> Card:
    said = saved.summary
    words = (
        f"at least {quantity(said.lower_bound_s, 's')}, {quantity(said.serial_bound_s, 's')} if "
        "nothing overlapped"
    )
    return Card("Latency of one run", quantity(said.latency_s, "s"), words)


def _energy(saved: Saved) -> Card:
    said = saved.summary
    power = said.energy_j / said.latency_s if said.latency_s else 0.0
    words = f"{quantity(power, 'W')} in the mean"
    if said.assumed_energy_share is not None:
        assumed = said.assumed_energy_share
        told = share(assumed, 1.0)
        if assumed < LEAST_SHARE:
            told = "nearly none" if assumed else "none"
        words += f"; {told} of it rests on assumed prices"
    return Card("Energy of one run", quantity(said.energy_j, "J"), words)


def _bytes(saved: Saved) -> Card:
    said = saved.summary
    moved = sum(said.offchip_bytes.values())
    rate = moved / said.latency_s if said.latency_s else 0.0
    largest = max(said.offchip_bytes, key=lambda role: said.offchip_bytes[role], default="")
    words = f"{quantity(rate, 'B/s')} in the mean, in whole bursts"
    if moved:
        words += f"; {share(said.offchip_bytes[largest], moved)} {largest}"
    return Card("Bytes off the chip", quantity(moved, "B"), words)


def _use(saved: Saved) -> tuple[Card, ...]:
    said = saved.summary
    busiest = max(said.utilization, key=lambda name: said.utilization[name], default="")
    used = said.utilization.get(busiest, 0.0)
    rest = [_used(name, u) for name, u in said.utilization.items() if name != busiest]
    issued = sum(said.mac_slots.values())
    effective = said.mac_slots.get("effective", 0)
    slots = f"{share(effective, issued)} of the issued slots effective" if issued else "no slots"
    whole = (
        "every node with a cost is modelled" if said.coverage >= 1 else "of the nodes with a cost"
    )
    return (
        Card(f"Utilisation of {busiest}, the busiest", share(used, 1.0), ", ".join(rest)),
        Card("Work", quantity(said.macs, "MAC"), slots),
        Card("Coverage", share(said.coverage, 1.0), f"{whole}; {count(said.tiles)} tiles"),
    )


def _used(name: str, used: float) -> str:
    """A part and its utilisation, which no line break parts; a little is not nothing."""
    told = share(used, 1.0) if not 0 < used < LEAST_SHARE else "< 0.1 %"
    return f"{name} {told}".replace(" ", "\u00a0")


def _range(saved: Saved) -> Range | None:
    said = saved.summary
    top = max(said.serial_bound_s, said.latency_s)
    if not top:
        return None
    texts = (
        f"lower bound {quantity(said.lower_bound_s, 's')}",
        f"this run {quantity(said.latency_s, 's')}",
        f"nothing overlapped {quantity(said.serial_bound_s, 's')}",
    )
    told = f"Latency between its bounds: {', '.join(texts)}"
    return Range(said.lower_bound_s / top, said.latency_s / top, texts, told)
