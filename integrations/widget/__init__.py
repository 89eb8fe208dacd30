"""The start without a backend: one script in a page remembers who invited its visitor, and shows what is on offer."""
