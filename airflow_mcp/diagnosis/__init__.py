"""What an operator asks: why a run failed, why a DAG does not run, how the instance is."""
