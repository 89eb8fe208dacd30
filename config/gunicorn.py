"""How gunicorn serves us."""

import os
from typing import Any

from config import garbage

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_PROCESSES", "2"))
threads = 4
timeout = 30
# What a long list of fields takes.
limit_request_line = 8190
graceful_timeout = 4
# Heartbeats in memory: a disk that stalls must not look like a worker that does.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108
accesslog = "-"
access_log_format = "%(m)s %(U)s %(s)s %(M)sms"
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Begin the life of a process that answers requests: the application is loaded."""
    garbage.spare_what_stays()
