"""Who asks: a program, by its key."""

from rest_framework.request import Request

from rewards.actors import Actor


def actor_of(request: Request) -> Actor:
    """Return the key that a request came with, as whoever does what it asks for."""
    return Actor("key", str(request.auth))
