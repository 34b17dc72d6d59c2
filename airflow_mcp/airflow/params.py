"""A run's conf against the params of its DAG, as Airflow checks it, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, best_match

from airflow_mcp.errors import InvalidArgumentError
from airflow_mcp.models.dags import Param


def check_conf(conf: Mapping[str, Any], params: Mapping[str, Param]) -> None:
    """Raise InvalidArgumentError for a param that is missing, or whose value its schema refuses."""
    problems = []
    for name, param in params.items():
        value = conf.get(name, param.value)
        schema = param.schema_ or {}
        try:
            error = best_match(Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(value))
        except SchemaError:
            continue  # which is for Airflow to say
        if error is None:
            continue
        if name not in conf and param.value is None:
            problems.append(f"{name} is required{f' ({param.description})' if param.description else ''}")
        else:
            problems.append(f"{name}: {error.message}")
    if problems:
        raise InvalidArgumentError("conf", f"does not fit the DAG's params: {'; '.join(problems)}. Nothing was sent.")
