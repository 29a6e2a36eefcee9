"""Runs many hostile inputs through the doors, as ``make fuzz`` does.

Inputs are drawn from fixed seeds: the same number of them is the same inputs, on any machine.
"""

from __future__ import annotations

import gc
import os
import random
import resource
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path

from fuzz_doors import DOORS, Door, prepare
from fuzz_guard import Escaped, Hung, bounded, fault_of, guarded
from fuzz_seeds import seed_of

from codesign.errors import CodesignError
from codesign.mapping.kept import forget_all

_BESIDE = frozenset({"t.json", "m.yaml", "x.json", "out"})


@dataclass
class Tally:
    """What came of the inputs of one door.

    Attributes:
        read: inputs that were valid all the same.
        refused: inputs that ended in one line.
        failures: what else happened, with number and input.
    """

    read: int = 0
    refused: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        """All of them."""
        return self.read + self.refused + len(self.failures)


def campaign(door: Door, numbers: Sequence[int]) -> Tally:
    """Hands inputs to a door.

    Args:
        door: where.
        numbers: of the inputs; a number is always the same input.
    """
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        here = Path(folder)
        prepare(here)
        warm_up(door, here)
        for number in numbers:
            data = door.make(random.Random(seed_of(door.name, number)), here)
            outcome = _one(door, here, data)
            if outcome == "read":
                tally.read += 1
            elif outcome == "refused":
                tally.refused += 1
            else:
                tally.failures.append(f"{door.name} {number}: {outcome}\n  {data[:3000]!r}")
    return tally


def warm_up(door: Door, folder: Path) -> None:
    """Lets the valid input through a door, unguarded: that imports what the door needs."""
    path = folder / door.file
    path.write_bytes(door.make(None, folder))
    door.read(path)
    path.unlink()
    _left(folder)


def _one(door: Door, folder: Path, data: bytes) -> str:
    path = folder / door.file
    path.write_bytes(data)
    outcome, raised = "read", None
    with guarded(folder) as seen:
        try:
            door.read(path)
        except CodesignError as error:
            fault = fault_of(str(error), door.file if door.names_file else "")
            outcome = f"its message {fault}: {str(error)[:300]!r}" if fault else "refused"
        except (Exception, Escaped, Hung) as error:  # noqa: BLE001 - whatever it is, it is told
            raised = error  # told below: that compiles lines of sources
    if raised is not None or seen:
        outcome = "".join(traceback.format_exception(raised, limit=-5)) + "".join(seen[:1])
        raised = None  # its frames hold what the input has built
    path.unlink(missing_ok=True)
    return _left(folder) or outcome


def _left(folder: Path) -> str:
    """What an input has left in its folder; empty if nothing."""
    more = sorted(set(os.listdir(folder)) - _BESIDE)
    out = folder / "out"
    if out.is_dir():
        drafts = [name for name in os.listdir(out) if name.startswith(".")]
        more += [f"out/{name}" for name in drafts]
        _clear(out)
    for name in more:
        (folder / name).unlink(missing_ok=True)
    return f"left {more[:3]}" if more else ""


def _clear(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder)


def shares(total: int) -> Iterator[tuple[Door, int]]:
    """How many of a number of inputs each door gets."""
    whole = sum(door.share for door in DOORS)
    for door in DOORS:
        yield door, -(-total * door.share // whole)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(total: int, only: str = "") -> int:
    """Runs a campaign, prints its figures, and returns the number of failures."""
    failed, done = 0, 0
    for door, count in shares(total):
        if only not in door.name:
            continue
        forget_all()  # what other doors have left in the memories of this process
        gc.collect()
        with bounded():
            tally = campaign(door, range(count))
        done += tally.inputs
        failed += len(tally.failures)
        _tell(
            f"{door.name:24} {tally.inputs:7,} inputs, {tally.read:7,} read, "
            f"{tally.refused:7,} refused, {len(tally.failures):5,} failures"
        )
        kinds = Counter(text.split("\n  b")[0].partition(": ")[2][-300:] for text in tally.failures)
        for kind, times in kinds.most_common(12):
            shown = next(t for t in tally.failures if kind in t)
            _tell(f"  {times} x {shown[:1600]}")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    _tell(f"{done:,} inputs, {failed:,} failures, at most {most:,} MiB")
    return failed


if __name__ == "__main__":
    raise SystemExit(1 if main(int(sys.argv[1]), *sys.argv[2:3]) else 0)
