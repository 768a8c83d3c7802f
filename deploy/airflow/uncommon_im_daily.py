"""In the morning `uncommon-im daily` judges the days that are over, and again those whose files came late.

Put this file into the folder of DAGs, and set the Airflow variables `uncommon_im_lake`, `uncommon_im_state` and
`uncommon_im_output`. See docs/how-to/daily-airflow.md.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

NOT_READY = 75
"""The exit status of a day that is not complete yet: the next hour tries again."""

with DAG(
    "uncommon_im_daily",
    description="Judge each day that is over.",
    schedule="10 1-8 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,  # the command catches up by itself
    max_active_runs=1,
    tags=["security"],
):
    BashOperator(
        task_id="daily",
        # As variables of the environment: no value becomes part of the command.
        env={
            "LAKE": "{{ var.value.uncommon_im_lake }}",
            "STATE": "{{ var.value.uncommon_im_state }}",
            "OUTPUT": "{{ var.value.uncommon_im_output }}",
        },
        append_env=True,
        bash_command='uncommon-im daily --lake "$LAKE" --state "$STATE" --output "$OUTPUT"',
        skip_on_exit_code=NOT_READY,
        retries=1,
        retry_delay=timedelta(minutes=10),
    )
