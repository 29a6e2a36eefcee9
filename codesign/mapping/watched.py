"""Hardware whose components note what is read of them, for what a whole machine decides."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cached_property

from codesign.hardware.component import Component
from codesign.hardware.spec import Hardware
from codesign.mapping.kept import KeptOf
from codesign.mapping.twins import Watch, watches

_COMPONENTS = 512
"""Components of which it is known what one kind of computation reads (assumed)."""


class Watcher:
    """Watches the components of machines for one kind of computation."""

    def __init__(self) -> None:
        self._watches: KeptOf[Component, Watch[Component]] = watches(_COMPONENTS)

    def watched(self, hardware: Hardware) -> Watched:
        """A machine under watch."""
        # a part that another one brings follows from what is read of that
        own = {name: part for name, part in hardware.components.items() if "." not in name}
        return Watched(hardware, {name: self._watches.of(part) for name, part in own.items()})


@dataclass(frozen=True)
class Watched:
    """A machine with all that has been read of its components.

    Attributes:
        hardware: the machine.
        inputs: its components by name, without those that others bring.
    """

    hardware: Hardware
    inputs: dict[str, Watch[Component]]

    @property
    def kinds(self) -> Hashable:
        """Names and classes of the components in their order, which any computation may see."""
        return tuple([(name, type(watch.part)) for name, watch in self.inputs.items()])

    @cached_property
    def twin(self) -> Hardware:
        """What to give to a computation in the place of the machine.

        Its name, description and origins are its own: the computation may not use them.
        """
        twins = {name: watch.twin for name, watch in self.inputs.items()}
        return replace(self.hardware, components=twins)
