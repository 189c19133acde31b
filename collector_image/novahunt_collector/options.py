"""The options of the command line that take the place of settings from the environment."""

from pathlib import Path
from typing import TypeVar

import msgspec

from novahunt_collector.settings import ListFile, Settings
from novahunt_contract.searchhash import Search


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What was given; None stands for what was not, and leaves the setting as it is."""

    max_results: int | None = None
    page_size: int | None = None
    max_credits: int | None = None
    folder: Path | None = None
    suppress: tuple[str, ...] = ()
    """Names of files. They join the lists of the environment: no option makes a wish to be left alone undone."""
    type: str | None = None
    seniority: tuple[str, ...] | None = None
    department: tuple[str, ...] | None = None
    required_fields: tuple[str, ...] | None = None
    verification_status: tuple[str, ...] | None = None

    def applied(self, settings: Settings) -> Settings:
        """Return the settings with these options in place."""
        hunter = settings.hunter
        return msgspec.structs.replace(
            settings,
            hunter=msgspec.structs.replace(
                hunter,
                max_results=_first(self.max_results, hunter.max_results),
                page_size=_first(self.page_size, hunter.page_size),
            ),
            folder=_first(self.folder, settings.folder),
            folder_was_chosen=settings.folder_was_chosen or self.folder is not None,
            search=self._search(settings.search),
            suppression=(*settings.suppression, *(ListFile(name=name, path=name) for name in self.suppress)),
            max_credits=_first(self.max_credits, settings.max_credits),
        )

    def _search(self, search: Search) -> Search:
        """Return the filters with those of the options in place, each by itself."""
        return Search(
            type=_first(self.type, search.type),
            seniority=_first(self.seniority, search.seniority),
            department=_first(self.department, search.department),
            required_fields=_first(self.required_fields, search.required_fields),
            verification_status=_first(self.verification_status, search.verification_status),
        )


_Value = TypeVar("_Value")


def _first(given: _Value | None, otherwise: _Value) -> _Value:
    return otherwise if given is None else given
