"""Which release of Airflow it is, and marks for what is there only since, or until, one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from pydantic import GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue

ApiName = Literal["v1", "v2"]
MARK = "x-airflow"
"""The keyword by which the marks stand in a JSON schema, until they are part of the description."""

_RELEASE = re.compile(r"(\d{1,4})(?:\.(\d{1,4}))?(?!\d)")


class Release(NamedTuple):
    """A release of Airflow: 3.1 is `Release(3, 1)`. They have an order."""

    major: int
    minor: int

    @classmethod
    def parse(cls, version: str) -> Release | None:
        """2.11 of `2.11.2`, 3.0 of `3`; None for what begins with no number."""
        match = _RELEASE.match(version)
        return cls(int(match[1]), int(match[2] or 0)) if match else None

    @property
    def api(self) -> ApiName:
        """The REST API that it has."""
        return "v1" if self.major < 3 else "v2"


FIRST: dict[ApiName, Release] = {"v1": Release(2, 7), "v2": Release(3, 0)}
"""The oldest release of each API that the tests run."""

NEWEST: dict[ApiName, Release] = {"v1": Release(2, 11), "v2": Release(3, 3)}
"""What counts where a server's own release is not known."""


@dataclass(frozen=True)
class _Mark:
    """Stands in an annotation: `Annotated[str | None, Since("3.3")]`."""

    release: str
    """As a person says it: `3.1`, or `3` for 3.0."""
    value: Any = None
    """The only value of the field that it is about, also with `-` before it (an order); None for all of the field."""

    @property
    def first(self) -> Release:
        """The first release on the other side of the mark."""
        found = Release.parse(self.release)
        assert found is not None, self.release  # noqa: S101 - written in a model
        return found

    @property
    def needs(self) -> str:
        """The Airflow that has it, for a reader."""
        raise NotImplementedError

    def allows(self, release: Release) -> bool:
        """Whether a release has it."""
        raise NotImplementedError

    def is_named(self, given: Any) -> bool:
        """Whether an argument with this value names what the mark is about."""
        if self.value is None:
            return given is not None
        return any(each in (self.value, f"-{self.value}") for each in (given if isinstance(given, list) else [given]))

    def varies(self, api: ApiName) -> bool:
        """Whether some releases of an API have it and others do not."""
        return FIRST[api] < self.first <= NEWEST[api]

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        plain = handler(schema)
        return {**plain, MARK: [*plain.get(MARK, ()), (self.needs, self.value)]}


class Since(_Mark):
    """What no older release has."""

    @property
    def needs(self) -> str:
        """The first Airflow that has it."""
        return f"Airflow {self.release}"

    def allows(self, release: Release) -> bool:
        """Whether it is that release, or a later one."""
        return release >= self.first


class Until(_Mark):
    """What that release does not have any more."""

    @property
    def needs(self) -> str:
        """The last Airflow that has it."""
        return f"Airflow {self.first.major - 1}" if not self.first.minor else f"an Airflow before {self.release}"

    def allows(self, release: Release) -> bool:
        """Whether it is an older one."""
        return release < self.first


Mark = Since | Until


def marks(field: FieldInfo) -> Iterator[Mark]:
    """The marks of a field of a model."""
    return (each for each in field.metadata if isinstance(each, Since | Until))
