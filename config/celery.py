"""The Celery application. A task is only a doorbell: what is to be done stands in PostgreSQL."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("sarafan")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
