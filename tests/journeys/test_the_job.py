"""The main job, end to end, over the network: announce and reach, reward and account, see the business and be told."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

import demo
from app.core import clock
from app.delivery.presence import Presence
from app.people.models import OrgUnit, Person, RoleGrant
from app.runtime.installation import installation_settings
from demo import live
from demo.u8_schema import create_reader
from tests.builders.company import Company, Phone
from tests.builders.stream import stream_of, wait_until
from tests.builders.system import RemotePhone, System
from tests.web.phones import BrowserPhone

PATIENCE_SECONDS = 180
ZONE = ZoneInfo("Asia/Shanghai")
EAST, NORTH = "010201", "010202"
CHANGED = "roledata.cards_changed"


def push_token(phone: RemotePhone) -> str:
    token = f"phone-{phone.device_id}"
    put = phone.put(f"/devices/{phone.device_id}/push-token", {"provider": "fcm", "token": token})
    assert put.status_code == 204, put.text
    return token


def pushes(system: System, phone: RemotePhone, token: str) -> list[dict]:
    return phone.get(f"{system.url}/dev/pushes?token={token}").json()


def test_an_announcement_reaches_its_people_and_nobody_else(system, town):
    sales, stock = town.unit("Sales"), town.unit("Stock")
    boss = system.phone(town.phone("Boss", sales, role="manager"))
    connected, absent, outsider = (
        town.phone("Lin", sales),
        town.phone("Wu", sales),
        town.phone("Sun", stock),
    )
    lin, wu, sun = (system.phone(phone) for phone in (connected, absent, outsider))
    tokens = {phone: push_token(phone) for phone in (lin, wu, sun)}
    listening, elsewhere = stream_of(system.url, connected), stream_of(system.url, outsider)
    wait_until(lambda: is_present(town, connected), "the gateway has said who is connected")

    post = boss.post(
        "/posts",
        {
            "client_id": str(uuid.uuid4()),
            "type": "announcement",
            "body": "Stocktaking on Friday.",
            "audience": {"scopes": [{"kind": "unit", "id": str(sales)}]},
            "response": "acknowledge",
        },
    ).json()
    listening.wait_for("feeds.post_published")
    listening.send("ack", {"seq": listening.last})
    wait_until(
        lambda: pushes(system, wu, tokens[wu]),
        "who is not connected is pushed to",
        PATIENCE_SECONDS,
    )
    assert lin.post(f"/posts/{post['id']}/acknowledgement").status_code == 200

    assert elsewhere.of("feeds.post_published") == []
    assert pushes(system, sun, tokens[sun]) == pushes(system, lin, tokens[lin]) == []
    assert sun.get(f"/posts/{post['id']}").status_code == 404
    total = boss.get(f"/posts/{post['id']}/reach").json()["total"]
    assert (total["targeted"], total["acknowledged"]) == (2, 1)
    missing = boss.get(f"/posts/{post['id']}/reach/missing").json()["items"]
    assert [row["person"]["name"] for row in missing] == ["Wu"]
    listening.close()
    elsewhere.close()


def is_present(town: Company, phone: Phone) -> bool:
    return bool(Presence(town.space.redis).present([(town.tenant_id, phone.device_id)]))


@pytest.fixture(scope="module")
def erp(running_system: System) -> Iterator[str]:
    """A trading company's own ERP, beside the platform."""
    settings = installation_settings(running_system.folder)
    name = f"erp_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    url = make_url(settings.database_url).set(database=name).render_as_string(hide_password=False)
    today = clock.now().astimezone(ZONE)
    demo.seed(url, today=today.date())
    with psycopg.connect(url, autocommit=True) as trading:
        luck = Random(3)
        while not all(ordered_in(url, region, month_of(today)) for region in (EAST, NORTH)):
            live.step(trading, rng=luck, now=today)
    yield url
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def connect_erp(operator: RemotePhone, url: str) -> str:
    """Connect the ERP as an operator does, wait for the first reading, and give the source's id."""
    with psycopg.connect(url) as connection:
        create_reader(connection, f"{make_url(url).database}_reader", "only-looks")
    erp = make_url(url)
    config = {
        "host": erp.host,
        "port": erp.port,
        "database": erp.database,
        "user": f"{erp.database}_reader",
        "password": "only-looks",
    }
    source = operator.post(
        "/erp/sources", {"name": "U8", "connector": "u8_sql", "mapping": "u8", "config": config}
    )
    assert source.status_code == 201, source.text
    assert "only-looks" not in source.text
    source_id: str = source.json()["id"]
    checked = operator.post(f"/erp/sources/{source_id}/check")
    assert checked.status_code == 200, checked.text
    operator.post(f"/erp/sources/{source_id}/runs")
    return source_id


def leaders_of(town: Company, department: str) -> list[Person]:
    """Find who leads a department of the ERP, once they have arrived."""
    held = (
        select(Person)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .join(OrgUnit, OrgUnit.id == RoleGrant.unit_id)
        .where(OrgUnit.code == department, RoleGrant.role_key == "sales_leader")
    )
    with town.transaction() as session:
        return list(session.scalars(held))


def ordered_in(url: str, department: str, month: str) -> int:
    """Add up a department's orders of a month in fen, from the ERP's own tables."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT coalesce(sum(d.inatmoney), 0) FROM u8.so_sodetails d JOIN u8.so_somain m ON m.id = d.id"
            " WHERE m.cdepcode LIKE %s AND to_char(m.ddate, 'YYYY-MM') = %s",
            (f"{department}%", month),
        ).fetchone()
    assert found is not None
    return int((Decimal(found[0]) * 100).quantize(Decimal(1)))


def month_of(moment: datetime) -> str:
    return f"{moment.year}-{moment.month:02}"


def raise_one_order(url: str, department: str, month: str, *, yuan: int) -> None:
    """Edit one line of one order, as somebody does in the ERP: the header is not touched."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "UPDATE u8.so_sodetails SET inatmoney = inatmoney + %s, inatsum = inatsum + %s WHERE autoid = ("
            " SELECT min(d.autoid) FROM u8.so_sodetails d JOIN u8.so_somain m ON m.id = d.id"
            " WHERE m.cdepcode LIKE %s AND to_char(m.ddate, 'YYYY-MM') = %s)",
            (yuan, yuan, f"{department}%", month),
        )


@pytest.fixture(scope="module")
def month(erp: str) -> str:
    return month_of(clock.now().astimezone(ZONE))


@pytest.fixture(scope="module")
def leaders(running_system: System, erp: str) -> tuple[Phone, Phone]:
    """Connect the ERP, wait until its people have arrived, and sign two regions' leaders in."""
    town = running_system.company()
    connect_erp(running_system.phone(town.phone("Operator", role="operator")), erp)
    for region in (EAST, NORTH):
        wait_until(
            lambda region=region: leaders_of(town, region), "people have arrived", PATIENCE_SECONDS
        )
    return town.phone_of(leaders_of(town, EAST)[0]), town.phone_of(leaders_of(town, NORTH)[0])


def sales(phone: RemotePhone, month: str) -> int:
    value: int = phone.get(f"/cards/sales?period={month}").json()["value"]
    return value


def test_a_card_moves_when_the_erp_does_and_only_for_who_leads_there(system, leaders, erp, month):
    east, north = leaders
    here, there = system.phone(east), system.phone(north)
    wait_until(
        lambda: sales(here, month) == ordered_in(erp, EAST, month),
        "the card equals the ERP",
        PATIENCE_SECONDS,
    )
    wait_until(
        lambda: sales(there, month) == ordered_in(erp, NORTH, month),
        "the card equals the ERP",
        PATIENCE_SECONDS,
    )
    listening, elsewhere = (stream_of(system.url, phone).wait_caught_up() for phone in leaders)
    before, heard = len(listening.of(CHANGED)), len(elsewhere.of(CHANGED))

    raise_one_order(erp, EAST, month, yuan=1_000)

    listening.wait_for(CHANGED, before + 1)
    wait_until(
        lambda: sales(here, month) == ordered_in(erp, EAST, month),
        "the card follows",
        PATIENCE_SECONDS,
    )
    assert sales(there, month) == ordered_in(erp, NORTH, month)
    assert len(elsewhere.of(CHANGED)) == heard
    listening.close()
    elsewhere.close()


def test_a_figure_that_crosses_its_threshold_pushes_to_the_leaders_phone(
    system, leaders, erp, month
):
    here, there = (system.phone(phone) for phone in leaders)
    tokens = {phone: push_token(phone) for phone in (here, there)}
    wait_until(
        lambda: sales(here, month) == ordered_in(erp, EAST, month),
        "the card equals the ERP",
        PATIENCE_SECONDS,
    )
    watch = {"card": "sales", "direction": "above", "enter": sales(here, month) + 100_000}
    assert here.post("/watches", watch).status_code == 201

    raise_one_order(erp, EAST, month, yuan=2_000)

    wait_until(lambda: pushes(system, here, tokens[here]), "the watch pushes", PATIENCE_SECONDS)
    assert pushes(system, there, tokens[there]) == []


def test_a_card_moves_on_the_screen_without_a_reload_and_only_on_its_leaders(
    system, leaders, erp, month, on_screen
):
    for leader, region in zip(leaders, (EAST, NORTH), strict=True):
        wait_until(
            lambda leader=leader, region=region: (
                sales(system.phone(leader), month) == ordered_in(erp, region, month)
            ),
            "the card equals the ERP",
            PATIENCE_SECONDS,
        )
    here, there = (on_screen(leader) for leader in leaders)
    wait_shown(here, ordered_in(erp, EAST, month))
    wait_shown(there, ordered_in(erp, NORTH, month))
    asked_again = [asked_for_home(phone) for phone in (here, there)]
    figure = text_of_sales(there)

    raise_one_order(erp, EAST, month, yuan=300_000)

    wait_shown(here, ordered_in(erp, EAST, month))
    assert (text_of_sales(there), asked_again[1]) == (figure, [])
    # It is not deaf: what happens in its own region moves it too.
    raise_one_order(erp, NORTH, month, yuan=500_000)
    wait_shown(there, ordered_in(erp, NORTH, month))
    assert text_of_sales(there) != figure
    for phone, asked in zip((here, there), asked_again, strict=True):
        assert phone.page.evaluate("window.notReloaded") is True
        assert len(asked) >= 1
        assert phone.complaints == []


def wait_shown(phone: BrowserPhone, fen: int) -> None:
    """Wait until the card on the screen is of this figure, which stands behind what is shown in few digits."""
    phone.see(f"[data-card=sales] [data-value='{fen}']")


def text_of_sales(phone: BrowserPhone) -> str:
    text: str = phone.see("[data-card=sales] [data-value]").inner_text()
    return text


def asked_for_home(phone: BrowserPhone) -> list[str]:
    """Note from now on whenever the phone reads its cards again, and whether it was loaded anew."""
    phone.page.evaluate("window.notReloaded = true")
    asked: list[str] = []
    phone.page.on(
        "request", lambda one: asked.append(one.url) if one.url.endswith("/home") else None
    )
    return asked
