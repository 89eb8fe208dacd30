"""Who may do what: asked of a request."""

from collections.abc import Callable

from django.http import HttpRequest


def may(*permissions: str) -> Callable[[HttpRequest], bool]:
    """Return a test of a request's user: an active one who has any of `permissions` ("app.action_model")."""

    def holds(request: HttpRequest) -> bool:
        return request.user.is_active and any(request.user.has_perm(permission) for permission in permissions)

    return holds
