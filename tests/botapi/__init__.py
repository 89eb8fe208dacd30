"""Telegram as a bot sees it: a stand-in of its Bot API on loopback, and the people who write to the bot."""
