"""Rules of the state machine about rains: waves that come as time passes, so many shares a person, withdrawing."""

from datetime import timedelta
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.redpackets.machine import BUDGET, MANY, OPEN_FOR, TAKERS, TAPS, WHICH, Sending
from tests.redpackets.told_things import ToldRain, day_of
from tests.redpackets.world import RUSHERS, said

RAINS_MAX = 4
WAITED_MINUTES_MAX = 59
#: Minutes until each wave opens.
WAVES = st.lists(
    st.sampled_from([0, 1, 2, 10, 10, 61, 24 * 60]), min_size=2, max_size=4, unique=True
)


class Raining(Sending):
    """Rules of rains."""

    @precondition(lambda self: len(self.told.rains) < RAINS_MAX)
    @rule(
        which=BUDGET,
        minutes=WAVES,
        count=MANY,
        each=st.sampled_from([1, 40, 40, 150, 400]),
        cap=st.sampled_from([None, 1, 1, 2]),
        takers=TAKERS,
        patient=st.sampled_from([None, *RUSHERS]),
    )
    def rain(self, which, minutes, count, each, cap, takers, patient):
        budget, now = self.budget(which), self.told.now
        times = [now + timedelta(minutes=ahead) for ahead in minutes]
        waves = [
            {"opens_at": at.isoformat(), "total_minor": count * each, "count": count}
            for at in times
        ]
        body = self.gift(budget) | {"waves": waves, "cap_count": cap, "kept_open_minutes": 60}
        body |= {"audience": {"scopes": [{"kind": "unit", "id": str(self.world.sales)}]}}
        total = count * each * len(waves)
        refusal = self.told.refusal_to_give(budget, total, *map(day_of, times))
        available = self.told.available(budget)
        reply = self.pay("Mara", "/rains", body)
        assert said(reply) == refusal, reply.json
        if refusal.endswith("insufficient_budget"):
            assert (reply.json["available"], reply.json["requested"]) == (available, total)
        if refusal:
            return
        rain = ToldRain(UUID(reply.json["id"]), cap)
        self.told.rains.append(rain)
        asked = {"kind": "rain", "total": count * each, "count": count, "named": {}, "rain": rain}
        asked |= {"decided": total, "is_even": False}
        for at, wave in zip(sorted(times), reply.json["waves"], strict=True):
            told = {"opens_at": at, "expires_at": at + OPEN_FOR} | asked
            fallen = self.keep_packet({"id": wave["packet_id"]} | wave, "Mara", budget, **told)
            rain.waves.append(fallen)
        for taker in takers:
            self.take(taker, rain.waves[0])
        if patient:
            self.take_waves(rain, patient, waits=True)

    @precondition(lambda self: self.told.rains)
    @rule(who=st.sampled_from(RUSHERS), which=WHICH, waits=st.booleans())
    def rain_falls(self, who, which, waits):
        self.take_waves(self.told.rains[-1 - which % len(self.told.rains)], who, waits=waits)

    def take_waves(self, rain: ToldRain, who: str, *, waits: bool) -> None:
        """Let somebody tap each wave of a rain, as soon as it comes if they wait for it, for as long as they may."""
        for wave in rain.waves:
            ahead = (wave.opens_at - self.told.now).total_seconds() // 60
            if waits and 0 < ahead <= WAITED_MINUTES_MAX:
                self.world.move(int(ahead))
            self.take(who, wave)

    @precondition(lambda self: self.told.rains)
    @rule(which=WHICH, who=st.sampled_from(["Mara", "Mara", "Olive", "Ann"]), taps=TAPS)
    def cancel_rain(self, which, who, taps):
        rain = self.told.rains[-1 - which % len(self.told.rains)]
        refusal = "not_found" if who == "Ann" else ""
        refusal = "invalid_token" if self.is_gone(who) else refusal
        for _ in range(taps):
            reply = self.post(who, f"/rains/{rain.id}/cancellation")
            assert said(reply) == refusal, reply.json
            if not refusal:
                self.told.cancel_rain(rain)
                seen = {UUID(w["packet_id"]): w["state"] for w in reply.json["waves"]}
                assert {w.id for w in rain.waves if w.ended == "cancelled"} == {
                    packet_id for packet_id, state in seen.items() if state == "cancelled"
                }
