"""Anna and Boris, members of acme, and their codes."""

import pytest

from referrals.tests.stage import Stage


@pytest.fixture
def scene(acme):
    return Stage()


@pytest.fixture
def anna(scene):
    return scene.member("anna")


@pytest.fixture
def boris(scene):
    return scene.member("boris")
