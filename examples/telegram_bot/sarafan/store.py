"""What the bot must not forget: a file of SQLite."""

import json
import sqlite3
import time
from typing import Any

# Sarafan sends a message again for four days, and for thirty when somebody asks for it.
KEPT_SECONDS = 31 * 24 * 3600

TABLES = """
CREATE TABLE IF NOT EXISTS outbox (key TEXT PRIMARY KEY, body TEXT NOT NULL, state TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS latest (object TEXT PRIMARY KEY, sequence INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS people (
    telegram INTEGER PRIMARY KEY, language TEXT NOT NULL, is_joined INTEGER NOT NULL DEFAULT 0, external_id TEXT UNIQUE,
    member_id INTEGER
);
CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, telegram INTEGER NOT NULL, text TEXT NOT NULL);
"""


class Store:
    """Each method is one transaction."""

    def __init__(self, path: str) -> None:
        self.db = sqlite3.connect(path)
        self.db.executescript(TABLES)
        if "member_id" not in {column[1] for column in self.db.execute("PRAGMA table_info(people)")}:
            # A file of before there was one.
            self.db.execute("ALTER TABLE people ADD COLUMN member_id INTEGER")
        with self.db:
            long_ago = [time.time() - KEPT_SECONDS]
            self.db.execute("DELETE FROM seen WHERE at < ?", long_ago)
            self.db.execute("DELETE FROM outbox WHERE at < ? AND state <> 'waiting'", long_ago)

    def close(self) -> None:
        self.db.close()

    # What waits to be reported.

    def join(self, telegram: int, *, key: str, body: Any) -> None:
        """Keep it to be reported that somebody joined, unless that was kept before."""
        with self.db:
            row = [key, json.dumps(body), time.time()]
            self.db.execute("INSERT OR IGNORE INTO outbox VALUES (?, ?, 'waiting', ?)", row)
            self.db.execute("UPDATE people SET is_joined = 1 WHERE telegram = ?", [telegram])

    def waiting(self) -> list[tuple[str, Any]]:
        rows = self.db.execute("SELECT key, body FROM outbox WHERE state = 'waiting' ORDER BY at LIMIT 100")
        return [(key, json.loads(body)) for key, body in rows]

    def settle(self, key: str, state: str) -> None:
        with self.db:
            self.db.execute("UPDATE outbox SET state = ? WHERE key = ?", [state, key])

    # Who is who.

    def remember(self, telegram: int, *, language: str) -> None:
        """Note in which language to talk to somebody."""
        with self.db:
            added = "INSERT INTO people (telegram, language) VALUES (?, ?)"
            self.db.execute(f"{added} ON CONFLICT DO UPDATE SET language = excluded.language", [telegram, language])

    def forget(self, telegram: int) -> None:
        with self.db:
            self.db.execute("DELETE FROM people WHERE telegram = ?", [telegram])

    def identify(self, telegram: int, *, member_id: int, external_id: str) -> None:
        """Note which member somebody is. Of two accounts of one member, the last that was identified is told."""
        found = "UPDATE people SET external_id = ?, member_id = ? WHERE telegram = ?"
        with self.db:
            self.db.execute("UPDATE people SET external_id = NULL WHERE external_id = ?", [external_id])
            self.db.execute(found, [external_id, member_id, telegram])

    def merge(self, *, away_id: int, into_id: int, external_id: str | None) -> None:
        """Let whoever was one member be another from now on, and be told by that one's external id."""
        with self.db:
            elsewhere = "SELECT 1 FROM people WHERE external_id = ? AND member_id IS NOT ?"
            is_told_elsewhere = self.db.execute(elsewhere, [external_id, away_id]).fetchone() is not None
            told = "UPDATE people SET external_id = ? WHERE member_id = ? AND external_id IS NOT NULL"
            self.db.execute(told, [None if is_told_elsewhere else external_id, away_id])
            self.db.execute("UPDATE people SET member_id = ? WHERE member_id = ?", [into_id, away_id])

    def is_joined(self, telegram: int) -> bool:
        """Say whether somebody was reported, or waits to be."""
        found = self.db.execute("SELECT is_joined FROM people WHERE telegram = ?", [telegram]).fetchone()
        return bool(found and found[0])

    def external_id_of(self, telegram: int) -> str | None:
        known = "SELECT external_id FROM people WHERE telegram = ? AND member_id IS NOT NULL"
        row = self.db.execute(known, [telegram]).fetchone()
        return row[0] if row else None

    def find(self, external_id: str) -> tuple[int, str] | None:
        """Return the Telegram id of a member and their language, of one who has ever talked to the bot."""
        row = self.db.execute("SELECT telegram, language FROM people WHERE external_id = ?", [external_id]).fetchone()
        return (row[0], row[1]) if row else None

    # What has come.

    def take(self, thing: str) -> bool:
        """Say whether this comes for the first time."""
        with self.db:
            return self.db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", [thing, time.time()]).rowcount == 1

    def let_go(self, thing: str) -> None:
        """Let something come again, as it did not work."""
        with self.db:
            self.db.execute("DELETE FROM seen WHERE id = ?", [thing])

    def note(self, message_id: str, *, about: str, sequence: int, telegram: int, text: str) -> None:
        """Put a note for somebody away, unless its message came before, or a later one of the same object did."""
        newer = (
            "INSERT INTO latest VALUES (?, ?) ON CONFLICT (object) DO UPDATE SET sequence = excluded.sequence "
            "WHERE sequence < excluded.sequence"
        )
        with self.db:
            first = self.db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", [message_id, time.time()]).rowcount
            if first and self.db.execute(newer, [about, sequence]).rowcount and text:
                self.db.execute("INSERT INTO notes (telegram, text) VALUES (?, ?)", [telegram, text])

    def notes(self) -> list[tuple[int, int, str]]:
        return self.db.execute("SELECT id, telegram, text FROM notes ORDER BY id LIMIT 100").fetchall()

    def strike(self, note_id: int) -> None:
        with self.db:
            self.db.execute("DELETE FROM notes WHERE id = ?", [note_id])
