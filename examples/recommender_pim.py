"""Is a recommender model bound by gathers or by weights, and does computing in memory pay?

Counts what seven models read against the batch, and replays some of them on a host with HBM, with
units next to its banks, and with RRAM macros. Run ``python examples/recommender_pim.py``; the
figure goes to ``recommender_pim.png``.
"""

from __future__ import annotations

from collections.abc import Iterator

from recommender_study.cases import CASES, HOST, IN_FULL, KEPT, LINE, PIM, PLACED, REPLAYED
from recommender_study.measure import Study, crossover, measure_all
from recommender_study.traffic import BURST
from rich import box
from rich.console import Console
from rich.table import Table

INTRODUCTION = """\
fp16: hbm-pim with 8 of its pseudo-channels (128 GB/s), host or units beside the \
banks. int8: npu-rram, an array beside RRAM macros and DDR4. Nothing is \
calibrated. A batch reads distinct rows, at most as many as a table has. Runs \
come after many others: what is kept on chip is there already."""
BATCHES = (1, 16, 256, 4096)


def main() -> None:
    """Replays everything, prints it, and draws the figure."""
    console = Console(highlight=False)
    study = measure_all()
    console.print(INTRODUCTION)
    for table in (shares(study), balances(study), runs(study), crossovers(study)):
        console.print(table)
    console.print()
    for remark in remarks(study):
        console.print(remark)
    console.print(picture(study))


def shares(study: Study) -> Table:
    """Which share of what is read is embeddings, in useful bytes and in bursts."""
    heads = [str(batch) for _ in ("fp32", "int8") for batch in BATCHES]
    title = f"Embeddings of what is read, in bursts of {BURST} B: fp32, then int8, by batch"
    table = _table(title, *heads)
    for model, traffic in study.traffic.items():
        cells = []
        for form in ("fp32", "int8"):
            dense = traffic.dense_bytes(form)
            for batch in BATCHES:
                rows = traffic.embedding_bytes(batch, form, BURST)
                cells.append(f"{rows / (rows + dense):.1%}")
        table.add_row(_short(model), *cells)
    return table


def balances(study: Study) -> Table:
    """From which batch on embeddings outweigh dense weights."""
    heads = ("weights", "endless", "useful", "fp16 bursts", "int8 bursts")
    table = _table("Least batch whose embeddings outweigh the dense weights", *heads)
    for model, traffic in study.traffic.items():
        found = (
            traffic.crossover("fp32"),
            traffic.crossover("fp16", BURST),
            traffic.crossover("int8", BURST),
        )
        words = ["never" if batch is None else f"{batch:,}" for batch in found]
        table.add_row(_short(model), f"{traffic.weights:,}", f"{traffic.uncapped():,}", *words)
    return table


def runs(study: Study) -> Table:
    """Latency and energy by component."""
    parts = ("npu", "pim", "cim", "vector", "sram", "bus", "dram")
    table = _table("A run: energy in uJ by component", "us", "uJ", *parts)
    for model, batches in IN_FULL.items():
        for batch in batches:
            table.add_section()
            table.add_row(f"{_short(model)}, batch {batch}")
            for case in CASES:
                one = study.runs[model, batch, case.name]
                spent = [one.energy_j.get(part, 0.0) for part in parts]
                spent[2] += one.energy_j.get("cim.cells", 0.0)
                table.add_row(
                    case.name,
                    f"{one.latency_s * 1e6:.1f}",
                    f"{one.total_j * 1e6:.1f}",
                    *(f"{joules * 1e6:.1f}" for joules in spent),
                )
    return table


def crossovers(study: Study) -> Table:
    """Host over units at one sample, and from which batch on the host wins again."""
    heads = ("time x1", "x16", "energy x1", "x16", "faster from", "saves from")
    table = _table("Host that streams its weights / units by rules", *heads)
    for model in REPLAYED:
        pairs = [[study.runs[model, b, case.name] for case in (HOST, PIM)] for b in LINE]
        cells = [f"{host.latency_s / pim.latency_s:.2f}" for host, pim in pairs]
        cells += [f"{host.total_j / pim.total_j:.2f}" for host, pim in pairs]
        for energy in (False, True):
            batch = crossover(study.runs, model, energy)
            cells.append("1" if batch is None else f"{batch:.1f}")
        table.add_row(_short(model), *cells)
    return table


def remarks(study: Study) -> Iterator[str]:
    """What stands beside the tables."""
    model = "nasrec_criteo_small"
    host, kept, pim, placed = (
        study.runs[model, 1, case.name] for case in (HOST, KEPT, PIM, PLACED)
    )
    yield (
        f"{_short(model)}, one sample, weights from DRAM / units by placement: "
        f"{host.latency_s / placed.latency_s:.2f}x time, "
        f"{host.total_j / placed.total_j:.2f}x energy."
    )
    yield (
        "Published for models searched together with PIM, against other models: 2x FLOPs, 1.8x "
        "energy, 1.5x performance; AutoRAC 3.36x speed against naive mappings. Other baselines: "
        "direction and crossover, not the published ratio."
    )
    yield (
        f"A host that keeps the weights on chip takes {kept.latency_s / pim.latency_s:.2f} of the "
        f"time and {kept.total_j / pim.total_j:.2f} of the energy of the units."
    )


def picture(study: Study) -> str:
    """Draws the figure, and says where it is."""
    try:
        from recommender_study.figure import draw
    except ModuleNotFoundError as missing:
        return f"No figure: it needs {missing.name}, which pip installs."
    return f"Figure: {draw(study)}"


def _short(model: str) -> str:
    return model.removeprefix("nasrec_")


def _table(title: str, *heads: str) -> Table:
    table = Table(
        title=f"\n{title}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for number, head in enumerate(("", *heads)):
        table.add_column(head, justify="right" if number else "left", no_wrap=True)
    return table


if __name__ == "__main__":
    main()
