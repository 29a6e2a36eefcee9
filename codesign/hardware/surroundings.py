"""What a value of a hardware may refer to: files beside it, presets of plugins, energy tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationInfo

from codesign.energy import EnergyTables, shipped_tables
from codesign.plugin_choice import Source
from codesign.plugins import registry


@dataclass(frozen=True)
class Surroundings:
    """What surrounds the values of a hardware; every validator of a component's field may ask it.

    A field that names a file or a preset takes it from the second argument of its validator::

        def read_part(value: object, info: ValidationInfo) -> Part:
            around = Surroundings.of(info)
            return parse((around.folder / str(value)).read_text())

        part: Annotated[Part, PlainValidator(read_part)]

    Attributes:
        folder: where paths in values begin: the folder of the hardware file, or the working
            directory for a value that is set in Python or on the command line.
        presets: folders of presets that plugins offer; None for those of the installed plugins.
        lost: which plugins failed, to end a message about a kind that nobody offers.
        own: kinds that do not ship with codesign, and the plugins that offer them; None where
            classes did not come from plugins.
        tables: where estimates come from; those that ship with codesign by default.
    """

    folder: Path = Path()
    presets: tuple[Path, ...] | None = None
    lost: str = ""
    own: Mapping[str, Source] | None = None
    tables: EnergyTables = field(default_factory=shipped_tables, repr=False)

    @classmethod
    def of(cls, info: ValidationInfo) -> Surroundings:
        """The surroundings of the value that a validator looks at.

        Args:
            info: second argument of the validator.
        """
        return info.context if isinstance(info.context, cls) else cls()

    @property
    def preset_folders(self) -> tuple[Path, ...]:
        """Folders of presets, of the installed plugins and of those that were asked for.

        Raises:
            PluginError: a plugin that cannot be loaded.
        """
        return registry().folders() if self.presets is None else self.presets
