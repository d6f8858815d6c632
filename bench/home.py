"""A sales leader opens the app: one call for a home of six cards.

Ours: token, limits, caller with scopes, and the six cards with figure, target, comparison, series and freshness for
what this leader may see. Figures are the demo company's, read from its ERP by the bridge and added up before the
measurement. Two contenders: a phone that has nothing yet gets the whole home, a phone that holds the current one
gets 304. The peer: the bare application's reading of one row by its primary key, without and with the check of a
token, under the very same server arguments.

Read the CPU of a request (server plus stores): how many bare reads one home is worth. With ``--quick`` there is no
ERP, and the home is one of cards whose figures are missing.
"""

import http.client
import json
from typing import Any

from app import showcase
from bench.generator import LANGUAGE, generator, get
from bench.ground import Company, Ground, Options, Person, run
from bench.rounds import alternate, print_ratio, print_table
from bench.serving import Server, measured, serve_api, serve_bare
from roledata import jobs

HOME = "/api/v1/home"


def build(ground: Ground, *, is_quick: bool) -> Company:
    """Found the demo company, read its ERP and add its figures up; quickly, only a leader without an ERP."""
    if is_quick:
        company = ground.found_company()
        company.add_people("leader", 1, roles=["sales_leader"])
        return company
    shown = showcase.demo_showcase(ground.settings, today=ground.space.now().date())
    showcase.show(ground.space, shown, progress=lambda _stream, _rows: None)
    company = ground.company(shown.slug)
    ground.tidy_up()
    jobs.rebuild_figures(ground.space.workbench(), tenant_id=str(company.id))
    return company


def whole_home(server: Server, person: Person) -> tuple[dict[str, Any], str]:
    """Read a home once, with its tag."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"Authorization": f"Bearer {person.token}", "Accept-Language": LANGUAGE}
    connection.request("GET", HOME, headers=headers)
    answer = connection.getresponse()
    body, tag = answer.read(), answer.headers.get("ETag", "")
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"no home: {answer.status} {body[:500]!r}")
    return json.loads(body), tag


def main(ground: Ground, options: Options) -> None:
    """Measure and print."""
    with generator() as load:
        company = build(ground, is_quick=options.is_quick)
        leaders = company.people_with("sales_leader")
        ground.tidy_up()
        bare, api = serve_bare(ground), serve_api(ground)
        homes = [whole_home(api, leader) for leader in leaders]
        cards = max(len(home["cards"]) for home, _ in homes)
        fresh = [get(HOME, leader.token) for leader in leaders]
        held = [
            get(HOME, leader.token, tag) for leader, (_, tag) in zip(leaders, homes, strict=True)
        ]
        seconds = options.seconds / 2
        rows = [get(f"/rows/{n}") for n in range(1, 1_001)]
        signed_in = [get(f"/signed-in/rows/{n}", leaders[0].token) for n in range(1, 1_001)]
        medians = alternate(
            {
                "home": measured(api, load, fresh, seconds),
                "home, not changed": measured(api, load, held, seconds, status=304),
                "bare read": measured(bare, load, rows, seconds),
                "bare signed-in read": measured(bare, load, signed_in, seconds),
            },
            options.rounds,
        )
    print(f"{len(leaders)} sales leaders, homes of {cards} cards\n")
    print_table(medians)
    print_ratio(medians, "home", "bare read", "CPU µs")


if __name__ == "__main__":
    run(main, __doc__)
