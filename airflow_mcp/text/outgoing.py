"""The one way out for text: each answer and each error passes here, and nothing else cleans, marks or cuts it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from airflow_mcp.text.fence import Fence, safe, safe_id
from airflow_mcp.text.redact import redacted_by_name, redacted_pair

MOST_MESSAGE = 4000
LONGEST_NAME = 100
IDS = ("_id", "_ids", "plan")
"""How the names of fields end that hold what a caller gives back."""
AROUND = 2000
"""Characters around a cut that are looked at for a secret that it goes through."""
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

    def walked(self, value: Any, schema: Schema, *, is_id: bool = False) -> Any:
        """JSON data that fits a schema, with all of its texts and names safe, and cut where they are long.

        Ids, which a caller gives back, are not searched for secrets.
        """
        if isinstance(value, str):
            return self._text(value, is_id=is_id)
        if _is_no_number(value):
            return json.dumps(value)
        if not isinstance(value, list | dict):
            return value
        if not schema:
            return self._of_any_kind(value)
        return self._list(value, schema, is_id) if isinstance(value, list) else self._object(value, schema)

    def _text(self, text: str, *, is_id: bool) -> str:
        # Nobody outside knows the code of this answer.
        if not text.startswith(self._fence.start):
            return self._shortened(text, is_id=is_id)
        return self._fence.around(self._shortened(text.removeprefix(self._fence.start)))

    def _list(self, items: list[Any], schema: Schema, is_id: bool) -> list[Any]:
        kind = schema.get("items", {})
        kept = items if "properties" in kind else self._few(items)
        return [self._at(number, item, kind, is_id=is_id) for number, item in enumerate(kept)]

    def _object(self, fields: dict[str, Any], schema: Schema) -> dict[str, Any]:
        known = schema.get("properties")
        if known is not None:
            return {
                name: self._at(name, item, known[name], is_id=name.endswith(IDS))
                for name, item in redacted_pair(fields).items()
                if not (_is_no_number(item) and known[name].get("type") == "number")  # its text would not fit
            }
        kind = schema.get("additionalProperties", {})
        kept = self._few(list(redacted_by_name(fields).items()))
        return {self._shortened(name): self._at(name, item, kind) for name, item in kept}

    def _at(self, place: str | int, value: Any, schema: Schema, *, is_id: bool = False) -> Any:
        self._where.append(place)
        walked = self.walked(value, schema, is_id=is_id)
        self._where.pop()
        return walked

    def _of_any_kind(self, value: Any) -> Any:
        """What no schema tells of: whole, or the beginning of its JSON."""
        value = redacted_by_name(value)
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

    def _shortened(self, text: str, *, is_id: bool = False) -> str:
        number = self._most
        while len(kept := _beginning(text, number, is_id=is_id)) > 2 * self._most:
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
        begin = safe(text[:half], after=text[half : half + AROUND])
        end = safe(text[-half:], before=text[-half - AROUND : -half])
        text = f"{begin} … ({len(text) - 2 * half} characters) … {end}"
    return safe(" ".join(text.splitlines()))


def _beginning(text: str, number: int, *, is_id: bool) -> str:
    return safe_id(text[:number]) if is_id else safe(text[:number], after=text[number : number + AROUND])


def _short(name: str) -> str:
    return safe(name[:LONGEST_NAME])[:LONGEST_NAME]


def _is_no_number(value: Any) -> bool:
    """NaN or infinity, for which JSON has no number."""
    return isinstance(value, float) and not math.isfinite(value)
