"""What people decide about being pushed to."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from app.core.errors import Texts
from app.delivery.kinds import add_kind
from tests.delivery.pushes import KIND, received, tell

pytestmark = pytest.mark.usefixtures("push_service")


def prefer(phone, *, quiet: dict[str, str] | None = None, **kinds: bool):
    wanted = {name.replace("_", "."): on for name, on in kinds.items()}
    return phone.put("/me/notification-preferences", {"kinds": wanted, "quiet_hours": quiet})


def test_a_kind_that_is_switched_off_is_not_pushed(company, phone_with_token):
    lin = phone_with_token("Lin")
    assert prefer(lin, tests_news=False).status_code == 200
    tell(company, lin)
    company.settle()
    assert received(lin) == []

    prefer(lin, tests_news=True)
    tell(company, lin)
    company.settle()
    assert len(received(lin)) == 1


def test_in_quiet_hours_only_what_is_urgent_is_pushed(company, clock, phone_with_token):
    lin = phone_with_token("Lin")
    here = clock().astimezone(ZoneInfo("Asia/Shanghai"))
    start, end = here - timedelta(hours=1), here + timedelta(hours=1)
    prefer(lin, quiet={"start": f"{start:%H:%M}", "end": f"{end:%H:%M}"})

    tell(company, lin)
    company.settle()
    assert received(lin) == []
    tell(company, lin, urgency="high")
    company.settle()
    assert len(received(lin)) == 1

    clock.move(hours=1)
    company.settle()
    assert len(received(lin)) == 2


def test_preferences_show_every_kind_on_offer(company):
    add_kind(company.app, KIND, Texts("测试", "Tests"))
    lin = company.phone("Lin")

    reply = prefer(lin, quiet={"start": "22:00", "end": "07:30"}, tests_news=False).json

    assert {"kind": KIND, "name": "Tests", "wanted": False} in reply["kinds"]
    assert reply["quiet_hours"] == {"start": "22:00", "end": "07:30"}
    assert reply == lin.get("/me/notification-preferences").json


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kinds": {"a": 1}, "quiet_hours": None},
        {"kinds": {}, "quiet_hours": {"start": "24:00", "end": "07:00"}},
        {"kinds": {}, "quiet_hours": {"start": "07:00", "end": "07:00"}},
        {"kinds": {}, "quiet_hours": {"start": "07:00"}},
    ],
)
def test_malformed_preferences_are_refused(company, body):
    lin = company.phone("Lin")
    assert lin.put("/me/notification-preferences", body).status_code == 422
