"""The feed's first page of 20, for readers in some 16 scopes of a company with a thousand posts and more.

Our page: token, limits, caller with scopes, a merge of the newest over every scope, twenty whole items with what is
the reader's own, JSON. The peer: the bare application's reading of one row by its primary key, without and with the
check of a token, under the very same server arguments.

Read the CPU of a request (server plus stores): how many bare reads one page is worth.
"""

import random
import uuid
from collections.abc import Sequence
from uuid import UUID

from app.people import services as people
from app.people.audiences import AudienceScope
from bench.generator import generator, get
from bench.ground import Company, Ground, Options, Person, run
from bench.rounds import alternate, print_ratio, print_table
from bench.serving import measured, serve_api, serve_bare
from feeds import services

POSTS = 1_200
READERS = 40
#: Units above each other in the regional and in the trade branch: with the company, the root and the reader's own
#: personal and unit scopes, about sixteen scopes.
DEPTHS = (6, 5)
BODY = (
    "**{n}.** The week in one line: 本周发货 {n} 单, and the shelf by the door is *{n}* boxes lower than before.\n\n"
    * 2
)


def build(company: Company, posts: int) -> list[Person]:
    """Publish the posts to all scopes of a company, and give back the readers."""
    branches = [_branch(company, f"branch-{i}", depth) for i, depth in enumerate(DEPTHS)]
    readers = company.add_people("reader", READERS, branches[0][-1])
    with company.transaction() as session:
        for reader in readers:
            own = [branch[-1] for branch in branches]
            people.place_person(session, person_id=reader.id, unit_ids=own)
    _publish(company, [unit for branch in branches for unit in branch], posts)
    return readers


def _branch(company: Company, name: str, depth: int) -> list[UUID]:
    units: list[UUID] = []
    for level in range(depth):
        units.append(company.add_unit(f"{name}-{level}", units[-1] if units else None))
    return units


def _publish(company: Company, units: Sequence[UUID], count: int) -> None:
    [owner] = company.add_people("owner", 1, roles=["owner"])
    author = company.caller(owner)
    scopes = [
        AudienceScope(kind="tenant"),
        *(AudienceScope(kind="unit", id=unit) for unit in units),
    ]
    with company.transaction() as session:
        for n in range(count):
            post = services.NewPost(
                client_id=uuid.uuid4(),
                type="post",
                body=BODY.format(n=n),
                scopes=[random.choice(scopes)],
            )
            services.publish_post(session, caller=author, post=post, now=company.space.now())


def main(ground: Ground, options: Options) -> None:
    """Measure and print."""
    posts = 60 if options.is_quick else POSTS
    with generator() as load:
        company = ground.found_company()
        readers = build(company, posts)
        ground.tidy_up()
        bare, api = serve_bare(ground), serve_api(ground)
        pages = [get("/api/v1/feed?limit=20", reader.token) for reader in readers]
        rows = [get(f"/rows/{n}") for n in range(1, 1_001)]
        signed_in = [get(f"/signed-in/rows/{n}", readers[0].token) for n in range(1, 1_001)]
        medians = alternate(
            {
                "feed page": measured(api, load, pages, options.seconds),
                "bare read": measured(bare, load, rows, options.seconds),
                "bare signed-in read": measured(bare, load, signed_in, options.seconds),
            },
            options.rounds,
        )
        scopes = len(company.caller(readers[0]).scope_ids)
    print(f"{posts} posts, {len(readers)} readers in {scopes} scopes each\n")
    print_table(medians)
    print_ratio(medians, "feed page", "bare read", "CPU µs")


if __name__ == "__main__":
    run(main, __doc__)
