"""`manage.py client`: a typed Python client, generated from the API's own document."""

import json
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from config.reference import document

# A picture is bytes to a client, whichever way it was drawn.
CONFIG: Final = {
    "package_name_override": "sarafan_client",
    "project_name_override": "sarafan-client",
    "content_type_overrides": {"image/png": "application/octet-stream"},
    "post_hooks": [],
    "literal_enums": True,
}


class Command(BaseCommand):
    """For whoever integrates in Python; and it shows that programs can read the document."""

    help = "Generates a typed Python client of the API into a folder. What stood there is replaced."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="where the package sarafan_client goes, with its pyproject.toml")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        with tempfile.TemporaryDirectory() as place:
            described, config = Path(place, "openapi.json"), Path(place, "config.json")
            with translation.override("en"):
                described.write_text(json.dumps(document(), default=str), encoding="utf-8")
            config.write_text(json.dumps(CONFIG), encoding="utf-8")
            command = [sys.executable, "-m", "openapi_python_client", "generate", "--overwrite", "--fail-on-warning"]
            command += ["--path", str(described), "--config", str(config), "--output-path", str(folder)]
            made = subprocess.run(command, check=False, capture_output=True, text=True)
        if made.returncode:
            raise CommandError(f"No client could be made of the document.\n{made.stdout}{made.stderr}")
        self.stdout.write(f"{folder}: a client, to be installed with pip.")
