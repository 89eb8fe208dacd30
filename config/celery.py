"""The Celery application. A task is only a doorbell: what is to be done stands in PostgreSQL."""

import os
from typing import Any

from celery import Celery
from celery.signals import task_prerun, worker_process_init

from config import garbage
from core import trail

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("sarafan")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Packages within packages it does not look into by itself.
app.autodiscover_tasks(["rewards.certificates"])


@worker_process_init.connect
def begin_process(**_: Any) -> None:
    """Begin the life of a process that does tasks."""
    garbage.spare_what_stays()


@task_prerun.connect
def begin_task(task_id: str, **_: Any) -> None:
    """Begin a task: what it logs is told by its id."""
    trail.begin(task_id)
