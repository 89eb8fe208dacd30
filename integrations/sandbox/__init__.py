"""A tenant's sandbox as developers use it: cleared, moved on in time, filled with something to look at."""
