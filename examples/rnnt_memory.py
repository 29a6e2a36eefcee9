"""What pays in a streaming recogniser that drains its battery on weight fetches?

Schedule, cell, width, buffer or pinning: replays each design step by step over seconds of audio,
and prints what it fetches from off chip with schedule, buffer and rule of both sides beside each
ratio. Run ``python examples/rnnt_memory.py``; the figure goes to ``rnnt_memory.png``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from rich import box
from rich.console import Console
from rich.table import Table
from rnnt_study.design import MIB, Design, chained, token_trace
from rnnt_study.ladder import A_CHUNKS, CONTROLS, CURVES, GOOGLE, LADDER, PINNED, A, C, D
from rnnt_study.measure import REST, Measured, Task, in_int8, measure_all, recogniser

from codesign.errors import CodesignError
from codesign.mapping.place import place

PER_FRAME = tuple(replace(design, per_frame=True) for design in (C, A_CHUNKS))
SIDES = (("A", A), ("A", LADDER[1]), ("C", C), ("D", D))
LOW_ENERGY = (("dram.energy", "64 pJ/B"), ("buffer.read_energy", "1.83 pJ/B"))
BURSTS = (("dram.burst", 64),)
GOOGLE_RUNS = (
    Task(GOOGLE, 3.0),
    *(Task(replace(GOOGLE, chunk=8, buffer=size * MIB), 6.0) for size in (4, 8)),
)
Found = Mapping[Task, Measured]

INTRODUCTION = """\
The mechanism, with a model pair of our own: derived bytes of a stated model, no \
measurement. int8, one byte for each parameter, 100 feature steps and 4 tokens per \
second, nothing kept from one layer or chunk to the next. Seconds of audio are \
replayed step by step. Rule S: the joiner reads its encoder matrix once per chunk; \
rule F: once per frame. Frame by frame every step reads every weight, so rule and \
buffer make no difference."""


def main() -> None:
    """Replays everything, prints it, and draws the figure."""
    console = Console(highlight=False)
    designs = (*LADDER, *CONTROLS, *PINNED, *PER_FRAME, C, D, A_CHUNKS, *CURVES)
    special = [Task(design, settings=s) for design in (A, C) for s in (LOW_ENERGY, BURSTS)]
    found = measure_all([*map(Task, designs), *special, *GOOGLE_RUNS])
    console.print(INTRODUCTION)
    console.print(ratios("The pair", (A, C, PER_FRAME[0]), found))
    console.print(ratios("The pair at equal schedule", (A_CHUNKS, C), found))
    console.print(ratios("The same, joiner per frame", PER_FRAME[::-1], found))
    console.print(ratios("The pair, each with what 0.5 MiB holds best for ever", PINNED, found))
    console.print(modules(found))
    console.print(ratios("The ladder", LADDER, found))
    console.print(f"The joiner pinned in the weight buffer itself is refused: {refusal()}.\n")
    console.print(ratios("Controls", (A, *CONTROLS), found))
    console.print(energies(found))
    console.print(larger(found))
    for remark in remarks(found):
        console.print(remark)
    console.print(picture({design: found[Task(design)] for design in designs}))


def ratios(title: str, designs: Sequence[Design], found: Found) -> Table:
    """Sizes and accesses of designs against the first of them."""
    table = _table(title, "", "runs by", "MiB", "rule", "size", "bytes/s", "fewer")
    first = found[Task(designs[0])]
    for design in designs:
        one = found[Task(design)]
        size = first.design.model.parameters / design.model.parameters
        table.add_row(
            design.name,
            *_side(design),
            f"{size:.3f}x",
            f"{int(one.bytes_per_s):,}",
            f"{float(first.bytes_per_s / one.bytes_per_s):.3f}x",
        )
    return table


def _side(design: Design) -> tuple[str, str, str]:
    """Schedule, buffer and rule of one side of a ratio; ``+`` is a memory for what is pinned."""
    own = "+" if design.pinned and design.aside is None else ""
    is_free = design.chunk == 1 and not design.pinned
    buffer = "any" if is_free else f"{design.buffer / MIB:g}{own}"
    period = round(design.chunk * design.step_s * 1e3)
    return "frame" if design.chunk == 1 else f"{period} ms", buffer, design.rule


def modules(found: Found) -> Table:
    """Weight bytes per second of audio by module."""
    table = _table("Bytes/s by module", "", *(f"{n}, {_side(d)[0]}" for n, d in SIDES))
    sides = [found[Task(design)] for _, design in SIDES]
    table.add_row("(MiB, rule)", *(", ".join(_side(design)[1:]) for _, design in SIDES))
    for name in dict.fromkeys(name for side in sides for name in side.weights):
        rates = [side.weights.get(name, 0) / side.window_s for side in sides]
        table.add_row(name, *(f"{rate:,.0f}" for rate in rates))
    table.add_section()
    table.add_row("total", *(f"{int(side.bytes_per_s):,}" for side in sides))
    table.add_row("parameters", *(f"{side.design.model.parameters:,}" for side in sides))
    return table


def energies(found: Found) -> Table:
    """Power of A and C for both sets of prices, of what the study counts."""
    heads = ("DRAM", "buffer", "MAC", "total mW", "DRAM share", "cut")
    table = _table("Energy: bytes of DRAM, a buffer byte per MAC, MACs; no idle power", "", *heads)
    for prices, settings in (("160 and 12.5 pJ/B", ()), ("64 and 1.83 pJ/B", LOW_ENERGY)):
        base = sum(found[Task(A, settings=settings)].power_mw.values())
        for design in (A, C):
            power = found[Task(design, settings=settings)].power_mw
            total = sum(power.values())
            dram, buffer, mac = (
                power[name] for name in ("DRAM", "weight buffer", "multiply-accumulates")
            )
            table.add_row(
                f"{design.name[:1]}, {prices}",
                *(f"{value:.3f}" for value in (dram, buffer, mac, total)),
                f"{100 * dram / total:.1f} %",
                f"{base / total:.2f}x",
            )
    return table


def larger(found: Found) -> Table:
    """The recogniser with the dimensions that Google made public, and its cliff."""
    model = GOOGLE.model
    title = f"{GOOGLE.name}: {model.parameters / 1e6:.2f} M"
    table = _table(title, "", "MiB", "rule", "bytes/s", "fewer")
    first = found[GOOGLE_RUNS[0]]
    for task in GOOGLE_RUNS:
        one = found[task]
        cut = float(first.bytes_per_s / one.bytes_per_s)
        table.add_row(*_side(task.design), f"{float(one.bytes_per_s):,.2f}", f"{cut:.3f}x")
    return table


def remarks(found: Found) -> Iterator[str]:
    """What stands beside the ratios."""
    step, late = round(C.step_s * 1e3), C.chunk - C.model.reduction
    yield (
        f"The price of the chunk: a {step} ms step waits up to {(C.chunk - 1) * step} ms (mean "
        f"{(C.chunk - 1) * step / 2:g} ms), an encoder frame comes up to {late * step} ms (mean "
        f"{late * step / 2:g} ms) later than frame by frame."
    )
    wasted = [
        100 * float(found[Task(d, settings=BURSTS)].bytes_per_s / found[Task(d)].bytes_per_s - 1)
        for d in (A, C)
    ]
    yield f"Whole bursts of 64 B add {wasted[0]:.4f} % to A and {wasted[1]:.4f} % to C."
    once = sum(found[Task(LADDER[-1])].loaded_once.values())
    yield (
        f"What is pinned is loaded once, {once:,} B in the last step of the ladder; the figures "
        "are those of the steady state after that."
    )
    busy = [100 * found[Task(design)].busy for design in (A, C)]
    yield (
        f"A keeps the channel {busy[0]:.1f} % busy, C {busy[1]:.1f} %: idle power, which is not "
        "in these figures, decides what a battery sees of the ratio."
    )
    apart = [
        100 * found[Task(d)].energy_j[REST] / sum(found[Task(d)].energy_j.values()) for d in (A, C)
    ]
    yield (
        f"Results that leave the buffer would add {apart[0]:.2f} % to the energy of A and "
        f"{apart[1]:.2f} % to that of C; they are left out above, as on either side of the ratio."
    )
    larger, recurrent = GOOGLE.model.parameters, GOOGLE.model.encoder_cells[0].recurrent_set
    yield (
        f"The large one stores {larger:,} B; a layer's recurrent set of {recurrent:,} B fits "
        "8 MiB, not 4."
    )
    yield (
        "What pays is that the recurrent matrices fit. The cell is one way there; narrow and deep "
        "is another (controls 3 and 5)."
    )


def picture(measured: Mapping[Design, Measured]) -> str:
    """Draws the figure, and says where it is."""
    try:
        from rnnt_study.figure import draw
    except ModuleNotFoundError as missing:
        return f"No figure: it needs {missing.name}, which pip installs."
    return f"Figure: {draw(measured)}"


def refusal() -> str:
    """What placement says to a joiner that shall stay in 1 MiB of weight buffer for ever."""
    design = LADDER[5]
    whole = chained("window", design.model.encoder(8, join=True), token_trace(design.model))
    asked = design.residency(whole)
    pinned = replace(asked, pins=(*asked.pins, "join_*@buffer"), across_runs=True)
    try:
        place(in_int8(whole), recogniser(), pinned)
    except CodesignError as error:
        return str(error)
    raise AssertionError("a joiner of 1,174,761 B found room in 1 MiB")


def _table(title: str, *heads: str) -> Table:
    table = Table(
        title=f"\n{title}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number else "left", no_wrap=True)
    return table


if __name__ == "__main__":
    main()
