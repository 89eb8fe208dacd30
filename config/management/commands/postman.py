"""`manage.py postman`: the API as a collection for Postman."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import translation

from config.postman import collection
from config.reference import document


class Command(BaseCommand):
    """Import the file in Postman, and set the variables `base_url` and `key`."""

    help = "Writes the API as a Postman collection (v2.1)."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="such as sarafan.postman_collection.json")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        with translation.override("en"):
            made = json.loads(json.dumps(document(), default=str))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(collection(made), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        self.stdout.write(f"{file}: a collection to import. Set its variables base_url and key.")
