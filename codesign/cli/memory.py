"""The commands below ``codesign memory``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from codesign.cli import memory_validate
from codesign.cli.options import Json, Plugins
from codesign.cli.output import print_json, print_note, print_rich, progress, table
from codesign.cli.quantities import quantity

if TYPE_CHECKING:
    from codesign.memory.controller import Style

app = typer.Typer(help="Look at memories.", no_args_is_help=True, rich_markup_mode=None)
app.command("validate")(memory_validate.validate)


@app.command("list")
def list_devices(plugins: Plugins = None, json: Json = False) -> None:
    """List the DRAM devices."""
    from codesign.hardware.dram_file import list_devices

    found = list_devices(tuple(plugins or ()))
    if json:
        keys = ("name", "description", "peak_bytes_per_s", "capacity_bytes")
        print_json([{key: getattr(device, key) for key in keys} for device in found])
        return
    rows = [
        (
            device.name,
            quantity(device.peak_bytes_per_s, "B/s"),
            f"{device.capacity_bytes / 2**30:g} GiB",
            device.description,
        )
        for device in found
    ]
    print_rich(table("", ("=device", ">peak", ">capacity", "what it is"), rows))


@app.command()
def run(
    device: Annotated[
        str, typer.Option(help="A device name or the path of a .yaml file.", metavar="D")
    ],
    stream: Annotated[
        str, typer.Option(help="A pattern of requests, such as seq_rd or random_rw.", metavar="S")
    ],
    requests: Annotated[int, typer.Option(help="Transactions.", metavar="N")] = 10_000,
    load: Annotated[
        float,
        typer.Option(
            help="Share of the peak that is asked for; 0 is as much as is taken.", metavar="F"
        ),
    ] = 0.0,
    channels: Annotated[
        int | None,
        typer.Option(
            help="Channels; by default those of the device.", metavar="C", show_default=False
        ),
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option(
            help="Address fields, most significant first, such as 'ro ra ba co bg ch', or "
            "mop4clxor; by default that of the device.",
            metavar="FIELDS",
            show_default=False,
        ),
    ] = None,
    plugins: Plugins = None,
    json: Json = False,
) -> None:
    """Replay a stream of requests on a DRAM device, command by command."""
    from codesign.cli.memory_run import chosen_device, content, replay, report

    file, part = chosen_device(device, channels, mapping, tuple(plugins or ()))
    _tell([part.controller.style], quiet=json)
    with progress("replaying", "replaying", quiet=json):
        ran = replay(part, stream, requests, load)
    if json:
        print_json(content(file, ran))
    else:
        print_rich(*report(file, ran))


@app.command("warm-up")
def warm_up(json: Json = False) -> None:
    """Compile the kernel of every controller style and keep the machine code."""
    from time import perf_counter

    from codesign.memory.compiled import has_compiler
    from codesign.memory.kernel import LOOPS, compile_style, is_warm

    styles = {module: style for style, module in reversed(LOOPS.items())}
    rows = []
    doing = "compiling the memory kernel"
    _tell(list(styles.values()), quiet=json)
    with progress(doing, doing, quiet=json) as watch:
        for done, style in enumerate(styles.values()):
            warm, start = is_warm(style), perf_counter()
            compile_style(style)
            how = "from the cache" if warm else "compiled" if has_compiler() else "plain Python"
            rows.append((style, how, perf_counter() - start))
            if watch:
                watch(done + 1, len(styles))
    if json:
        keys = ("style", "how", "seconds")
        print_json([dict(zip(keys, row, strict=True)) for row in rows])
        return
    texts = [(style, how, f"{seconds:.1f} s") for style, how, seconds in rows]
    print_rich(table("", ("=controller style", "=kernel", ">took"), texts))
    if not has_compiler():
        typer.echo("numba is not installed; pip install 'codesign[kernel]' makes the kernel fast")


def _tell(styles: Sequence[Style], *, quiet: bool) -> None:
    """Says on standard error that nothing happens for a while, if so."""
    from codesign.memory.compiled import has_compiler
    from codesign.memory.kernel import is_warm

    cold = [style for style in styles if not is_warm(style)]
    if cold and has_compiler() and not quiet:
        print_note("compiling the memory kernel, once on this machine, takes some seconds")
