"""Who sits before a page, and whom it is about."""

from django.http import Http404, HttpRequest

from members.models import Member
from rewards.actors import Actor


def actor_of(request: HttpRequest) -> Actor:
    """Return who sits before the page."""
    return Actor("staff", request.user.get_username())


def member_asked(request: HttpRequest) -> Member | None:
    """Return whom the page's address names (`?member=7`), None for nobody yet."""
    given = request.GET.get("member", "")
    if not given:
        return None
    number = int(given) if given.isascii() and given.isdecimal() and len(given) <= 18 else 0
    found = Member.objects.filter(pk=number).first()
    if found is None:
        raise Http404
    return found
