"""An MCP server to operate Apache Airflow 2 and 3."""

__version__ = "0.1.0"
