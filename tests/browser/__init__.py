"""The back office in a real browser: Debian's Chromium, driven by Playwright, against Django's own server."""
