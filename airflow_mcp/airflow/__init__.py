"""Everything that speaks to Airflow. Knows nothing of MCP."""
