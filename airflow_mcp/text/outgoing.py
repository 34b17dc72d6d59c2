"""The one way out for text: each answer and each error passes here, and nothing else cleans, marks or cuts it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from airflow_mcp.text.fence import Fence, safe

MOST_MESSAGE = 4000
LONGEST_NAME = 100
ITEM = 40  # characters of a text for which there may be one item of a list

Schema = Mapping[str, Any]


class Outgoing:
    """One answer on its way out, in which a text or an unknown value has at most `most` characters.

    What is shown of characters that hide is longer than they are: of a text it makes twice that at most.
    Lists and objects that came from Airflow have at most one item for each ITEM of them. What the answer's schema
    names stays, whatever its length: rows, and the fields of an object.
    """

    def __init__(self, fence: Fence, most: int) -> None:
        self._fence, self._most = fence, most
        self._where: list[str | int] = []
        self.cut: list[str] = []
        """What was cut: `tags: 20 of 1000`."""

    def to_fence(self, text: str) -> str:
        """A text of Airflow's users with a sign for the walk to put fences around it."""
        return self._fence.start + text

    def walked(self, value: Any, schema: Schema) -> Any:
        """JSON data that fits a schema, with all of its texts and names safe, and cut where they are long."""
        if isinstance(value, str):
            return self._text(value)
        if _is_no_number(value):
            return json.dumps(value)
        if not isinstance(value, list | dict):
            return value
        if not schema:
            return self._of_any_kind(value)
        return self._list(value, schema) if isinstance(value, list) else self._object(value, schema)

    def _text(self, text: str) -> str:
        # Nobody outside knows the code of this answer.
        if not text.startswith(self._fence.start):
            return self._shortened(text)
        return self._fence.around(self._shortened(text.removeprefix(self._fence.start)))

    def _list(self, items: list[Any], schema: Schema) -> list[Any]:
        kind = schema.get("items", {})
        kept = items if "properties" in kind else self._few(items)
        return [self._at(number, item, kind) for number, item in enumerate(kept)]

    def _object(self, fields: dict[str, Any], schema: Schema) -> dict[str, Any]:
        known = schema.get("properties")
        if known is not None:
            return {
                name: self._at(name, item, known[name])
                for name, item in fields.items()
                if not (_is_no_number(item) and known[name].get("type") == "number")  # its text would not fit
            }
        kind = schema.get("additionalProperties", {})
        kept = self._few(list(fields.items()))
        return {self._shortened(name): self._at(name, item, kind) for name, item in kept}

    def _at(self, place: str | int, value: Any, schema: Schema) -> Any:
        self._where.append(place)
        walked = self.walked(value, schema)
        self._where.pop()
        return walked

    def _of_any_kind(self, value: Any) -> Any:
        """What no schema tells of: whole, or the beginning of its JSON."""
        written = json.dumps(value, ensure_ascii=False)
        if len(written) <= self._most:
            kept = self._safe(value)
            if len(json.dumps(kept, ensure_ascii=False)) <= 2 * self._most:
                return kept
        return self._shortened(written)

    def _safe(self, value: Any) -> Any:
        if isinstance(value, str):
            return safe(value)
        if isinstance(value, list):
            return [self._safe(item) for item in value]
        if isinstance(value, dict):
            return {safe(name): self._safe(item) for name, item in value.items()}
        return json.dumps(value) if _is_no_number(value) else value

    def _few(self, items: list[Any]) -> list[Any]:
        most = max(1, self._most // ITEM)
        if len(items) > most:
            self._note(f"{most} of {len(items)}")
        return items[:most]

    def _shortened(self, text: str) -> str:
        number = self._most
        while len(kept := safe(text[:number])) > 2 * self._most:
            number = number * 2 * self._most // len(kept)
        if number >= len(text):
            return kept
        self._note(f"{number} of {len(text)} characters")
        return f"{kept}… ({len(text)} characters)"

    def _note(self, left: str) -> None:
        places = (f"[{place}]" if isinstance(place, int) else f".{_short(place)}" for place in self._where)
        self.cut.append(f"{''.join(places).removeprefix('.')}: {left}")


def as_message(text: str) -> str:
    """An error, or a line of the check, as it may leave this server: on one line; of a long one the middle goes."""
    if len(text) > MOST_MESSAGE:
        half = MOST_MESSAGE // 2
        text = f"{text[:half]} … ({len(text) - 2 * half} characters) … {text[-half:]}"
    return safe(" ".join(text.splitlines()))


def _short(name: str) -> str:
    return safe(name[:LONGEST_NAME])[:LONGEST_NAME]


def _is_no_number(value: Any) -> bool:
    """NaN or infinity, for which JSON has no number."""
    return isinstance(value, float) and not math.isfinite(value)
