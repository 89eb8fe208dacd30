"""`manage.py collect_messages`: the sentences in the code, ready to be translated in `locale/`."""

from typing import Any

from django.core.management.base import BaseCommand

from config import messages


class Command(BaseCommand):
    """Keeps the translations there are. A sentence that is gone takes its translations along."""

    help = "Brings locale/*/LC_MESSAGES/django.po up to date with the code, and says how much is left to translate."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        found = messages.collect()
        for locale in messages.PLURALS:
            file = messages.updated(locale, found=found)
            path = messages.file_of(locale)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{file}", encoding="utf-8")
            missing = len(file.untranslated_entries()) + len(file.fuzzy_entries())
            self.stdout.write(f"{locale}: {len(file)} messages, {missing} to translate")
