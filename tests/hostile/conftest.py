from __future__ import annotations

from tests.unit.conftest import authorities_read_once, no_waits, schemas_checked_once, tools_made_once

__all__ = ["authorities_read_once", "no_waits", "schemas_checked_once", "tools_made_once"]
