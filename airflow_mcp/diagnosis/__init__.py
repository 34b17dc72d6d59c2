"""What is wrong, and why: judged of what Airflow's endpoints give."""
