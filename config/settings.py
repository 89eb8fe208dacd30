"""
Settings: names and values, in the order of a request.

What differs between machines is read by `config.env`; what each variable means stands in `.env.example`.
"""

from datetime import timedelta
from typing import Any

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from config import env
from config.local_secrets import local_secrets
from config.servers.place import Place
from config.unfold import UNFOLD as UNFOLD
from config.unfold import UNFOLD_PLATFORM as UNFOLD_PLATFORM

# --- The machine ----------------------------------------------------------------------------------------------------

BASE_DIR = env.ROOT
PROFILE = env.choice("SARAFAN_PROFILE", default="run", among=("run", "test", "bench"))
PLACE = Place(PROFILE)

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
DEBUG = env.flag("DEBUG", default=False)
# Without an address of a database this is somebody's own machine: what is missing is made on the spot.
LOCAL = env.find("DATABASE_URL") is None
_SECRETS = local_secrets(folder=BASE_DIR / "var") if LOCAL or DEBUG else {}

SECRET_KEY = env.text("SECRET_KEY", default=_SECRETS.get("SECRET_KEY"))
ENCRYPTION_KEY = env.key("ENCRYPTION_KEY", default=_SECRETS.get("ENCRYPTION_KEY"))

# They still open what they sealed, newest first; the last one also makes the indexes.
ENCRYPTION_KEYS_OLD = env.keys("ENCRYPTION_KEYS_OLD")

# --- Hosts ----------------------------------------------------------------------------------------------------------

BASE_DOMAIN = env.text("BASE_DOMAIN", default="localhost").lower()
PORT = env.number("PORT", default=8000, least=1, most=65_535)
HTTPS = env.flag("HTTPS", default=False)
# Read by the Procfile and by config/gunicorn.py; here they are only looked at.
WEB_PROCESSES = env.number("WEB_PROCESSES", default=2, least=1, most=64)
WORKER_PROCESSES = env.number("WORKER_PROCESSES", default=2, least=1, most=64)
WEBHOOK_THREADS = env.number("WEBHOOK_THREADS", default=32, least=2, most=256)
# The tenant middleware answers 404 to a host that no tenant owns, which a fixed list could not keep up with.
ALLOWED_HOSTS = ["*"]

if HTTPS:
    # A proxy ends TLS in front of us: it must set this header itself and drop the client's. See `core.callers`.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Its log-ins and passwords are known to everybody, so it is for one's own machine.
DEMO_ENABLED = env.flag("DEMO_ENABLED", default=(LOCAL or BASE_DOMAIN == "localhost") and not HTTPS)
if DEMO_ENABLED and HTTPS:
    env.refuse("DEMO_ENABLED is for one's own machine, as everybody knows the demo's passwords; HTTPS says it is none.")
# Where the site of the demo's shop is, on 127.0.0.1.
DEMO_SHOP_PORT = env.number("DEMO_SHOP_PORT", default=PORT + 1 if PORT < 65_535 else PORT - 1, least=1, most=65_535)
if DEMO_SHOP_PORT == PORT:
    env.refuse("DEMO_SHOP_PORT is PORT, and two servers cannot share one.")

# --- Tenants and applications ---------------------------------------------------------------------------------------

TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
PUBLIC_SCHEMA_NAME = "public"
# The search path is set once per tenant switch and not once per cursor: 13 % of every query.
TENANT_LIMIT_SET_CALLS = True
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]

# Django needs these tables in both kinds of schema; a session or an account of one must mean nothing in another.
_BOTH = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "config.apps.BackofficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "axes",
    "tenants.staff",
]
_TABLELESS = [
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "config.apps.RootConfig",
    "core",
    "scoring",
    "analytics",
    "demo",
]
SHARED_APPS = ["tenants", "django_tenants", *_BOTH, *_TABLELESS]
TENANT_APPS = [*_BOTH, "members", "events", "campaigns", "referrals", "rewards", "antifraud", "integrations"]
INSTALLED_APPS = list(dict.fromkeys(SHARED_APPS + TENANT_APPS))

AUTH_USER_MODEL = "staff.Staff"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- The way of a request -------------------------------------------------------------------------------------------

MIDDLEWARE = [
    "config.health.HealthMiddleware",
    "core.http.RequestIdMiddleware",
    "tenants.middleware.TenantMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.csp.ContentSecurityPolicyMiddleware",
    "tenants.middleware.SandboxMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tenants.language.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "core.http.slashes.SlashMiddleware",
]
ROOT_URLCONF = "config.urls_tenant"
PUBLIC_SCHEMA_URLCONF = "config.urls_public"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- The database ---------------------------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django_tenants.postgresql_backend",
        # A connection that has seen hundreds of schemas holds much memory: ten minutes, then a fresh one.
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        **env.database("DATABASE_URL", default=PLACE.database_url),
    },
}

# How long the database works for one request: a statement, waiting for a lock, and a transaction in which nothing
# happens. Of workers and commands none is limited (`config.patience`).
WEB_STATEMENT_SECONDS = env.number("WEB_STATEMENT_SECONDS", default=15, least=1, most=600)
WEB_LOCK_SECONDS = env.number("WEB_LOCK_SECONDS", default=10, least=1, most=600)
WEB_IDLE_SECONDS = env.number("WEB_IDLE_SECONDS", default=60, least=1, most=3600)

# --- Cache and Celery -----------------------------------------------------------------------------------------------

CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.url("CACHE_URL", default=PLACE.cache_url, schemes=("redis", "rediss", "unix")),
        "KEY_FUNCTION": "django_tenants.cache.make_key",
        "REVERSE_KEY_FUNCTION": "django_tenants.cache.reverse_key",
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 1.0},
    },
}

BROKER_URL = env.url(
    "BROKER_URL", default=PLACE.broker_url, schemes=("redis", "rediss", "redis+socket", "amqp", "amqps")
)
CELERY_BROKER_URL = BROKER_URL
# A message is a doorbell: it may come late, twice or never, because the sweep finds what waits in the database.
# So nobody waits for a broker that is down, least of all the API.
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, float] = {"max_retries": 0}
if "redis" in BROKER_URL.partition("://")[0]:
    CELERY_BROKER_TRANSPORT_OPTIONS |= {
        "socket_connect_timeout": 0.5,
        "socket_timeout": 1,
        # Longer than the longest task, or a task still at work is given to another worker.
        "visibility_timeout": 120,
        # How many looks (of ten seconds) pass between two searches for messages of dead workers.
        "unacked_restore_throttle": 1,
    }
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SOFT_TIME_LIMIT = 25
CELERY_TASK_TIME_LIMIT = 30
# What a database connection remembers of many schemas is given back with its process.
CELERY_WORKER_MAX_TASKS_PER_CHILD = 5_000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Whoever sends to receivers waits for them: in a process of its own, of many threads (see the Procfile).
CELERY_TASK_ROUTES = {
    "integrations.tasks.deliver": {"queue": "webhooks"},
    "integrations.tasks.deliver_on": {"queue": "webhooks"},
}
CELERY_TIMEZONE = "UTC"
# It remembers nothing over a restart: what is due is found in the database.
CELERY_BEAT_SCHEDULER = "celery.beat.Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_BEAT_SCHEDULE = {
    # Those that no worker was there for expire, so that they do not pile up.
    "sweep": {"task": "events.sweep", "schedule": timedelta(seconds=5), "options": {"expires": 5}},
    "release-matured": {
        "task": "rewards.tasks.release_matured",
        "schedule": timedelta(seconds=60),
        "options": {"expires": 60},
    },
    "release-reserved": {
        "task": "rewards.tasks.release_reserved",
        "schedule": timedelta(seconds=60),
        "options": {"expires": 60},
    },
    "run-nights": {
        "task": "rewards.tasks.run_nights",
        "schedule": timedelta(seconds=60),
        "options": {"expires": 60},
    },
    "sweep-certificates": {
        "task": "rewards.certificates.tasks.sweep_certificates",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 5},
    },
    "escalate-cases": {
        "task": "antifraud.tasks.escalate_cases",
        "schedule": timedelta(seconds=60),
        "options": {"expires": 60},
    },
    "watch-figures": {
        "task": "antifraud.tasks.watch_figures",
        "schedule": timedelta(seconds=120),
        "options": {"expires": 120},
    },
    "look-again": {
        "task": "antifraud.tasks.look_again",
        "schedule": timedelta(seconds=300),
        "options": {"expires": 300},
    },
    "forget-answers": {"task": "tenants.tasks.forget_answers", "schedule": crontab(minute="15")},
    "sweep-webhooks": {
        "task": "integrations.tasks.sweep",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 5},
    },
    "purge-deliveries": {"task": "integrations.tasks.purge", "schedule": crontab(hour="2", minute="45")},
    "prune-tallies": {"task": "antifraud.tasks.prune_tallies", "schedule": crontab(hour="2", minute="30")},
    "verify-ledgers": {"task": "rewards.tasks.verify_ledgers", "schedule": crontab(hour="3", minute="30")},
}

# The flow of facts, read top to bottom like MIDDLEWARE: each consumer is given the batch.
EVENT_CONSUMERS = ["scoring.pipeline.earn"]

# What each tenant's midnight brings, in this order. Levels come before expiry, so that nobody falls for points that the
# same night takes, and after it once more.
NIGHT = [
    "rewards.repairs.night",
    "rewards.night.activate",
    "rewards.night.lapse",
    "rewards.levels.review.night",
    "rewards.expiry.night",
    "rewards.levels.review.night",
    "antifraud.limits.overall.night",
    "rewards.notices.night",
]

# --- Staff ----------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "/admin/"
# By name and address together: somebody else's wrong guesses must not lock the owner out.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "core.http.address_of"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
# Whose clock the admin goes by: a sandbox's may be ahead.
CLOCK = "tenants.clock.now"
# Whose verb writes down what a person changed in an admin.
AUDIT_RECORDER = "tenants.audit.record"
# Whose verb tells the campaigns' page what each has given: rewards stand above campaigns.
CAMPAIGN_SPENDING = "rewards.spending.given_by_campaign"
# Whose verb frees limits and budgets when rewards lapse or are cancelled, and whose goes on counting what a member has
# kept of one that was cancelled: counters stand above rewards.
LIMITS_FREED = "antifraud.limits.counters.give_back"
LIMITS_KEPT = "antifraud.limits.counters.keep"
# Who has something to tell on the front page, beside what it reads itself: others of its own floor.
FRONT_PAGE_NOTICES = ["integrations.notices.of_webhooks"]
# Whose verbs forget what higher floors keep of a person who is erased.
ERASED_BY = ["antifraud.lists.listings.forget", "rewards.addresses.forget", "integrations.webhooks.keeping.forget"]
# Who tells what its floor holds about one person, in the order of the export.
EXPORTED_BY = [
    "events.exporting.of_members",
    "referrals.exporting.of_members",
    "rewards.exporting.of_members",
    "antifraud.lists.exporting.of_members",
]
# Whose verbs give a member what they keep of another who was merged into them, from top to bottom.
MERGED_BY = [
    "events.merging.follow",
    "rewards.merging.follow",
    "antifraud.lists.merging.follow",
    "antifraud.stops.merging.follow",
    "antifraud.moderation.merging.flag",
    "antifraud.limits.merging.add_up",
]
# Whose verb records a fact for the floors below events.
FACT_RECORDER = "events.facts.tell"
# What asks for the kinds of event that the tenant's rules start from, in SQL: campaigns stand above events.
FACT_TRIGGERS = "campaigns.rulebook.TRIGGERS"
# What is written with every fact for those who are told of it outside, in SQL, and who is woken then.
FACT_OUTBOX = "integrations.webhooks.outbox.OUTBOX"
FACT_OUTBOX_BELL = "integrations.webhooks.outbox.ring"
# What else of an event its list can expand: scoring stands above events, and knows why.
EVENT_EXPANSIONS = "scoring.expansions.OF_EVENTS"
# Who lists what a field of an event may be compared with, who says what a fact is called, and why one cannot happen as
# things stand: they stand above campaigns and events.
FIELD_CHOICES = {"level": "rewards.levels.triggers.names"}
FACT_LABEL = "integrations.webhooks.kinds.label_of"
FACT_ADVICE = {
    "level.reached": "rewards.levels.triggers.why_not_reached",
    "level.will_fall": "rewards.levels.triggers.why_not_about_to_fall",
}

# --- The API --------------------------------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tenants.auth.KeyAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    # Our own is stricter, and is set by TenantView: REST framework cannot import it while it is being imported itself.
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "config.openapi.ApiSchema",
    "EXCEPTION_HANDLER": "core.http.problem",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Sarafan",
    "DESCRIPTION": "Report what happened, ask what was earned.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    # Without the usual hook: it names each set of choices after its field, and there are several called `status`.
    "POSTPROCESSING_HOOKS": ["config.openapi.complete"],
    "EXTERNAL_DOCS": {"description": "Guides", "url": "/api/docs/guides/"},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# What a key may send in a second (twice as much at once), and all keys of a tenant in a day of UTC; the platform's
# admin gives a key or a tenant other numbers. See `tenants.rates`.
API_REQUESTS_A_SECOND = env.number("API_REQUESTS_A_SECOND", default=100, least=1, most=10_000)
API_REQUESTS_A_SECOND_OF_VISITOR = env.number("API_REQUESTS_A_SECOND_OF_VISITOR", default=10, least=1, most=10_000)
API_REQUESTS_A_DAY = env.number("API_REQUESTS_A_DAY", default=5_000_000, least=1, most=2_000_000_000)
API_EVENTS_A_DAY = env.number("API_EVENTS_A_DAY", default=5_000_000, least=1, most=2_000_000_000)
# How many requests a minute may come from one address with keys that nobody has.
API_UNKNOWN_KEYS_A_MINUTE = env.number("API_UNKNOWN_KEYS_A_MINUTE", default=60, least=1, most=100_000)
# How many times a minute links may be followed from one address.
LINK_VISITS_A_MINUTE = env.number("LINK_VISITS_A_MINUTE", default=60, least=1, most=100_000)

# --- Calls to partners ----------------------------------------------------------------------------------------------

# Addresses of our own machine are refused, lest a tenant makes us call what only we can reach.
OUTBOUND_ALLOW_LOOPBACK = env.flag("OUTBOUND_ALLOW_LOOPBACK", default=False)
# What an address of our own machine may begin with all the same: on one's own machine the site of the demo's shop, and
# nothing at all where tenants have hosts that others reach.
OUTBOUND_ALLOWED_STARTS = (
    (f"http://127.0.0.1:{DEMO_SHOP_PORT}/",) if DEMO_ENABLED and BASE_DOMAIN == "localhost" else ()
)

# --- Languages and time ---------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ru", _("Russian")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files ---------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Collected (`manage.py collectstatic`), each file has a hashed name and is kept by browsers for good. On one's own
# machine files are served from where they lie.
_COLLECTED = env.flag("STATIC_COLLECTED", default=not (LOCAL or DEBUG))
WHITENOISE_USE_FINDERS = not _COLLECTED
STATIC_ROOT = BASE_DIR / "staticfiles" if _COLLECTED else None
STORAGES = {
    # Each tenant's in a folder of its own.
    "default": {"BACKEND": "django_tenants.files.storage.TenantFileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- Kinds of rewards ------------------------------------------------------------------------------------------------

# Each is a folder: `terms` says what one may be, `giving` what becomes of one that is granted. Campaigns stand below
# rewards, and ask the kinds through this (campaigns.giving).
REWARD_KINDS = {
    "points": "rewards.kinds.points",
    "money": "rewards.kinds.money",
    "spin": "rewards.kinds.spin",
    "certificate": "rewards.kinds.certificate",
    "discount": "rewards.kinds.discount",
    "privilege": "rewards.kinds.privilege",
    "product": "rewards.kinds.product",
    "content": "rewards.kinds.content",
}

# --- Files of tenants -----------------------------------------------------------------------------------------------

# Pictures of gifts, badges of levels, exclusive content. On a cluster: a folder that all web processes share.
MEDIA_ROOT = env.text("MEDIA_ROOT", default=str(BASE_DIR / "var" / PROFILE / "media"))
# Pictures are served by rewards.pictures; content never by its path.
MEDIA_URL = "/media/"

# --- Logs -----------------------------------------------------------------------------------------------------------

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    # What request or task, whose, with which key: `core.trail`.
    "filters": {"trail": {"()": "core.trail.TrailFilter"}},
    "formatters": {"line": {"format": "%(levelname)s %(name)s%(trail)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["trail"]}},
    "root": {"handlers": ["console"], "level": env.choice("LOG_LEVEL", default="INFO", among=LOG_LEVELS)},
    "loggers": {
        "axes": {"level": "WARNING"},
        # A line for every task and tick would bury the rest.
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        # Django sets a level of its own, which the root's would not change.
        "django": {"level": "NOTSET"},
    },
}
