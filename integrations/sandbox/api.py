"""The sandbox's own operations. A live key is refused before anything is looked at."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.db import transaction
from integrations.api.deliveries import DeliveryOutput
from integrations.sandbox import clearing, clock, fixtures, stories, triggering, turns
from integrations.sandbox.clock import Advanced, InvalidAdvance
from integrations.sandbox.fixtures import Made
from integrations.webhooks import kinds
from rewards.api.who import actor_of
from tenants import answers, sandboxes
from tenants.clock import now
from tenants.views import TenantView

DAYS_MAX = clock.STEP_MAX.days


class SandboxView(TenantView):
    """Be the base of what only a test key may ask for."""

    required_scope = "sandbox:write"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        sandboxes.get_current()


class ClockOutput(serializers.Serializer[Any]):
    now = serializers.DateTimeField(help_text="What the sandbox's clock says.")
    ahead_seconds = serializers.IntegerField(help_text="How far that is ahead of real time.")


class Clear(SandboxView):
    """`/api/v1/sandbox/clear`."""

    # It waits for others with transactions of its own, and done twice it is done.
    is_atomic = False
    is_stepwise = True

    class Input(serializers.Serializer[Any]):
        confirm = serializers.CharField(max_length=48, help_text="The sandbox's slug, such as shop-sandbox.")

    @extend_schema(
        operation_id="clear_sandbox",
        summary="Clear the sandbox: as new, with its clock back to real time",
        description="Staff, API keys and webhooks with their secrets stay; members, events, campaigns, balances, files "
        "and the audit log go. Ids go on after the old ones. Done twice it is done.",
        request=Input,
        responses={200: OpenApiResponse(ClockOutput, description="It is as new.")},
        examples=[OpenApiExample("Confirmed", value={"confirm": "shop-sandbox"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        clearing.clear(confirm=given["confirm"], by=actor_of(request), at=now())
        return Response(_clock_of(clock.read(at=now())))


class Clock(SandboxView):
    """`/api/v1/sandbox/clock`."""

    # Each step on the way is committed by itself; the same instant again changes nothing.
    is_atomic = False
    is_stepwise = True

    class Input(serializers.Serializer[Any]):
        advance_days = serializers.IntegerField(required=False, min_value=1, max_value=DAYS_MAX)
        advance_hours = serializers.IntegerField(required=False, min_value=1, max_value=24 * DAYS_MAX)
        to = serializers.DateTimeField(required=False, help_text="An instant to come, by the sandbox's clock.")

        def instant(self, at: datetime) -> datetime:
            """Return the instant that the clock is to be advanced to."""
            if len(self.validated_data) != 1:
                raise InvalidAdvance
            ((name, value),) = self.validated_data.items()
            if isinstance(value, datetime):
                return value
            return at + timedelta(**{name.removeprefix("advance_"): value})

    class AdvancedOutput(ClockOutput):
        is_there = serializers.BooleanField(
            help_text="false: it was too much for one request. Send `to` once more, and it goes on."
        )
        nights = serializers.IntegerField(help_text="How many midnights' work was done on the way.")
        matured = serializers.IntegerField(help_text="How many rewards were granted.")
        expired = serializers.DictField(
            child=serializers.IntegerField(), help_text="What expired of each asset, in its smallest units."
        )
        facts = serializers.DictField(
            child=serializers.IntegerField(), help_text="All that has happened, by kind: how often."
        )
        to = serializers.DateTimeField(help_text="What was asked for.")

    @extend_schema(operation_id="get_sandbox_clock", summary="See what the sandbox's clock says", responses=ClockOutput)
    def get(self, request: Request) -> Response:
        return Response(_clock_of(clock.read(at=now())))

    @extend_schema(
        operation_id="advance_sandbox_clock",
        summary="Advance the sandbox's clock, and see what that brings",
        description="Only forward, by at most 366 days a call and five years in all. Rewards mature, points expire, "
        "nights pass: all of it before the answer, in order. Where that takes more than twenty seconds, `is_there` is "
        "false: send `to` again.",
        request=Input,
        responses=AdvancedOutput,
        examples=[OpenApiExample("A week", value={"advance_days": 7}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        with turns.alone(schema=sandboxes.get_current().schema_name):
            at = now()
            to = self._target(given, at)
            told = clock.advance(to=to, by=actor_of(request), at=at) if to > at else clock.arrived(at=at)
        return Response(self.AdvancedOutput(_advanced(told, to)).data)

    def _target(self, given: "Clock.Input", at: datetime) -> datetime:
        """Return where to: where the first attempt was to go, if this repeats one that was broken off on the way."""
        plan = None if self.asked is None else answers.find_plan(asked=self.asked, at=timezone.now())
        if plan is not None:
            return datetime.fromisoformat(plan)
        to = given.instant(at)
        clock.check(to=to, at=at)
        if self.asked is not None:
            with transaction():
                answers.keep_plan(asked=self.asked, plan=to.isoformat(), at=timezone.now())
        return to


class Webhooks(SandboxView):
    """`/api/v1/sandbox/webhooks`."""

    class Input(serializers.Serializer[Any]):
        kind = serializers.ChoiceField([*kinds.ALL], help_text="The fact to pretend: see /webhooks/kinds.")

    class Output(serializers.Serializer[Any]):
        deliveries = DeliveryOutput(many=True)

    @extend_schema(
        operation_id="trigger_sandbox_webhook",
        summary="Send an example of a fact to the sandbox's webhooks",
        description='To every active one that wants the kind, signed as always and marked `"test": true`.',
        request=Input,
        responses={202: OpenApiResponse(Output, description="They go out. None: no webhook wants the kind.")},
        examples=[OpenApiExample("A reward", value={"kind": "reward.granted"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        made = triggering.trigger(kind=given["kind"], by=actor_of(request), at=now())
        return Response(self.Output({"deliveries": made}).data, status=202)


class FixtureOutput(serializers.Serializer[Any]):
    class Campaign(serializers.Serializer[Any]):
        id = serializers.IntegerField()
        name = serializers.CharField()

    name = serializers.CharField()
    title = serializers.CharField()
    about = serializers.CharField(help_text="What there is to see.")
    campaigns = Campaign(many=True, help_text="Empty: it was not made yet.")
    members = serializers.ListField(child=serializers.CharField(), help_text="Their external ids.")
    events = serializers.ListField(child=serializers.IntegerField(), help_text="What was reported, by number.")


class Fixtures(SandboxView):
    """`/api/v1/sandbox/fixtures`."""

    # Events are handled before the answer, in transactions of their own; a fixture is made once.
    is_atomic = False
    is_stepwise = True

    class Input(serializers.Serializer[Any]):
        name = serializers.ChoiceField([*stories.ALL])

    class Output(serializers.Serializer[Any]):
        fixtures = FixtureOutput(many=True)

    @extend_schema(operation_id="list_sandbox_fixtures", summary="List fixtures, and what was made", responses=Output)
    def get(self, request: Request) -> Response:
        found = [_fixture(fixtures.find(story=story)) for story in stories.ALL.values()]
        return Response(self.Output({"fixtures": found}).data)

    @extend_schema(
        operation_id="create_sandbox_fixture",
        summary="Make a campaign, members and orders to look at",
        description="Made once: asked for again, it is told as it is.",
        request=Input,
        responses={200: OpenApiResponse(FixtureOutput, description="It is there, and its events are handled.")},
        examples=[OpenApiExample("Bring a friend", value={"name": "referral"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        made = fixtures.make(name=given["name"], by=actor_of(request), at=now())
        return Response(FixtureOutput(_fixture(made)).data)


def _clock_of(time: clock.Time) -> dict[str, Any]:
    return dict(ClockOutput({"now": time.now, "ahead_seconds": int(time.ahead.total_seconds())}).data)


def _advanced(told: Advanced, to: datetime) -> dict[str, Any]:
    facts = dict(told.facts)
    return {
        "now": told.time.now,
        "ahead_seconds": int(told.time.ahead.total_seconds()),
        "is_there": told.is_there,
        "to": to,
        "nights": told.nights,
        "matured": facts.get("reward.granted", 0),
        "expired": told.expired,
        "facts": facts,
    }


def _fixture(made: Made) -> dict[str, Any]:
    return {
        "name": made.story.name,
        "title": made.story.title,
        "about": made.story.about,
        "campaigns": made.campaigns,
        "members": made.members,
        "events": [event.pk for event in made.events],
    }
