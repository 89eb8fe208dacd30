"""The settings of a test run: another profile's servers, fixed secrets, and what makes tests quick."""

import os

os.environ |= {
    "SARAFAN_PROFILE": "test",
    "API_REQUESTS_A_SECOND": "10000",
    "API_REQUESTS_A_SECOND_OF_VISITOR": "10000",
    "API_UNKNOWN_KEYS_A_MINUTE": "100000",
    "BASE_DOMAIN": "localhost",
    "DEBUG": "no",
    "ENCRYPTION_KEY": "Zm9yIHRlc3RzIG9ubHksIDMyIGJ5dGVzIGxvbmcuLi4=",
    "HTTPS": "no",
    "LINK_VISITS_A_MINUTE": "100000",
    "OUTBOUND_ALLOW_LOOPBACK": "yes",
    "SECRET_KEY": "for tests only",
    "STATIC_COLLECTED": "no",
}

from config import env
from config.settings import *  # noqa: F403 (the profile must be known before)
from config.settings import CACHES, PLACE

if not env.find("CACHE_URL"):
    # Every test empties it, so two runs at once shall not share one.
    CACHES["default"]["LOCATION"] = f"unix://{PLACE.sockets}/valkey.sock?db={2 + os.getpid() % 14}"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
