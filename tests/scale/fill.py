"""Fill Airflow's own tables: what Airflow itself wrote for the templates is copied under other ids.

Written by Airflow, 10,000 DAGs would take minutes.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.oracle import Oracle
from tests.postgres import Postgres
from tests.scale.population import FIRST_DAY, KINDS, SomeDag, all_dags

TABLES = """\
CREATE TEMP TABLE some_dag (dag_id text, template text, is_paused boolean, wave text,
    version uuid DEFAULT gen_random_uuid());
CREATE TEMP TABLE some_run (id bigint, dag_id text, run_id text, logical_date timestamptz, state text);
CREATE TEMP TABLE some_task_instance (dag_id text, run_id text, task_id text, state text);
"""

# jsonb_populate_record gives the template's row, with some of its columns replaced.
COPIES = """\
CREATE INDEX ON some_dag (dag_id);
ANALYZE some_dag, some_run, some_task_instance;

INSERT INTO dag SELECT copy.* FROM some_dag s JOIN dag t ON t.dag_id = s.template,
    jsonb_populate_record(t, jsonb_build_object('dag_id', s.dag_id, 'is_paused', s.is_paused)) copy;

INSERT INTO dag_tag (dag_id, name) SELECT s.dag_id, t.name FROM some_dag s JOIN dag_tag t ON t.dag_id = s.template
    UNION ALL SELECT dag_id, wave FROM some_dag;

INSERT INTO dag_version SELECT copy.* FROM some_dag s JOIN dag_version t ON t.dag_id = s.template,
    jsonb_populate_record(t, jsonb_build_object('id', s.version, 'dag_id', s.dag_id)) copy;

INSERT INTO serialized_dag SELECT copy.* FROM some_dag s JOIN serialized_dag t ON t.dag_id = s.template,
    jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), 'dag_id', s.dag_id,
        'dag_version_id', s.version,
        'data', replace(t.data::text, to_json(s.template)::text, to_json(s.dag_id)::text)::jsonb)) copy;

INSERT INTO dag_code SELECT copy.* FROM some_dag s JOIN dag_code t ON t.dag_id = s.template,
    jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), 'dag_id', s.dag_id,
        'dag_version_id', s.version)) copy;

INSERT INTO dag_run SELECT copy.* FROM some_run r JOIN some_dag s USING (dag_id)
    JOIN dag_run t ON t.dag_id = s.template,
    jsonb_populate_record(t, jsonb_build_object('id', r.id, 'dag_id', r.dag_id,
        'run_id', r.run_id, 'run_type', 'scheduled', 'state', r.state, 'created_dag_version_id', s.version,
        'logical_date', r.logical_date, 'data_interval_start', r.logical_date, 'data_interval_end', r.logical_date,
        'run_after', r.logical_date, 'start_date', r.logical_date,
        'end_date', CASE WHEN r.state <> 'running' THEN r.logical_date END)) copy;
SELECT setval('dag_run_id_seq', max(id)) FROM dag_run;

INSERT INTO task_instance SELECT copy.* FROM some_task_instance i JOIN some_dag s USING (dag_id)
    JOIN task_instance t ON t.dag_id = s.template AND t.task_id = i.task_id,
    jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), 'dag_id', i.dag_id, 'run_id', i.run_id,
        'state', i.state, 'dag_version_id', s.version, 'try_number', 1)) copy;

DELETE FROM dag_run WHERE dag_id LIKE 'template-%';
DELETE FROM dag WHERE dag_id LIKE 'template-%';
ANALYZE;
"""


def fill(database: Postgres, oracle: Oracle) -> None:
    """Make the population, from the templates that Airflow has loaded."""
    for kind in range(KINDS):
        oracle.trigger(SomeDag(kind).template, FIRST_DAY.isoformat())
    dags = all_dags()
    # In the order in which a scheduler makes them; the templates have the first ids.
    runs = sorted((run for dag in dags for run in dag.runs), key=lambda run: run.logical_date)
    database.run(
        TABLES
        + _copy(
            "some_dag (dag_id, template, is_paused, wave)", ((d.dag_id, d.template, d.is_paused, d.wave) for d in dags)
        )
        + _copy(
            "some_run",
            (
                (number, run.dag.dag_id, run.run_id, run.logical_date, run.state)
                for number, run in enumerate(runs, 10 * KINDS)
            ),
        )
        + _copy(
            "some_task_instance",
            ((run.dag.dag_id, run.run_id, task_id, state) for run in runs for task_id, state in run.states.items()),
        )
        + COPIES
    )


def _copy(table: str, rows: Iterable[tuple[object, ...]]) -> str:
    lines = ("\t".join(r"\N" if value is None else str(value) for value in row) for row in rows)
    return f"COPY {table} FROM stdin;\n" + "\n".join(lines) + "\n\\.\n"
