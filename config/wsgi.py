"""The entry for a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application
from django.db import connections

from config import patience

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
# Before the first connection is made.
patience.limit(connections.settings["default"])
