"""`manage.py prepare`: make this checkout ready to run, and say where to look."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from demo import access


class Command(BaseCommand):
    """`make run` calls it at each start. Where nothing is to be done it is quick."""

    help = "Migrates every schema that needs it, sets up the demo, and prints the addresses."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate_all")
        if settings.DEMO_ENABLED:
            call_command("demo_setup")
            self._print_addresses(access.read(access.FILE))
        else:
            self.stdout.write(f"\n  http://{settings.BASE_DOMAIN}:{settings.PORT}/admin/\n")

    def _print_addresses(self, told: dict[str, Any]) -> None:
        platform, second = told["platform"], told["second_tenant"]
        self.stdout.write("")
        for shop in (told, second):
            self.stdout.write(self.style.SUCCESS(f"  http://{shop['host']}/admin/"))
            for each in shop["staff"]:
                self.stdout.write(f"    {each['role']:<10} {each['username']} / {each['password']}")
        self.stdout.write(self.style.SUCCESS(f"  {told['shop']['url']}/"))
        self.stdout.write("    the site of the record shop, which is told by webhook")
        self.stdout.write(self.style.SUCCESS(f"  {platform['base_url']}/admin/"))
        self.stdout.write(f"    {'platform':<10} {platform['username']} / {platform['password']}")
        self.stdout.write("\n  The same, and the API keys, are in var/demo.json. Ctrl-C ends it.\n")
