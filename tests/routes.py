"""Every route that the package uses."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from airflow_mcp import airflow
from airflow_mcp.airflow.route import Route
from airflow_mcp.release import NEWEST

MODULES = [each.name for each in pkgutil.walk_packages(airflow.__path__, f"{airflow.__name__}.")]
NAMED = {each for name in MODULES for each in vars(import_module(name)).values() if isinstance(each, Route)}
DRY_RUNS = {each.as_dry_run(NEWEST["v2"]) for each in NAMED if each.dry_run}
ROUTES = sorted(NAMED | DRY_RUNS, key=lambda each: (each.path, each.method))
