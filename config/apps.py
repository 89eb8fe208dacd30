"""What is set up once, when Django starts."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class RootConfig(AppConfig):
    """The project itself."""

    name = "config"

    def ready(self) -> None:
        # A `shared_task` finds its application only if something has imported it.
        import config.celery  # noqa: F401, PLC0415


class BackofficeConfig(AdminConfig):
    """Django's admin, with the tenant's back office as its site. The platform's is mounted in `config.urls_public`."""

    default_site = "core.backoffice.TenantAdminSite"
