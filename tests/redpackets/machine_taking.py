"""Rules of the state machine about taking, and of what befalls everybody: lost Redis, time and jobs, repeats."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.redpackets.machine import TAPS, WHICH, MachineOfRewards, heard
from tests.redpackets.told_things import ToldPacket
from tests.redpackets.world import DEPARTED_MAX, GRABBERS, MEMBERS, RUSHERS, said

THREADS = 4


class Grabbing(MachineOfRewards):
    """Rules of grabs."""

    def packet_to_take(self, which: int) -> ToldPacket:
        """Pick a packet, most often one that is open."""
        now = self.told.now
        found = [p for p in self.told.packets if p.opens_at <= now < p.expires_at]
        found = [p for p in found if not p.is_waiting and not p.ended]
        return found[-1 - which % len(found)] if found and which < 5 else self.any_packet(which)

    @precondition(lambda self: self.told.packets)
    @rule(who=st.sampled_from(GRABBERS), which=WHICH, taps=TAPS, elsewhere=st.booleans())
    def tap(self, who, which, taps, elsewhere):
        packet = self.packet_to_take(which)
        for _ in range(taps):
            if elsewhere:
                with self.world.another_process():
                    self.take(who, packet)
            else:
                self.take(who, packet)

    @precondition(lambda self: self.told.packets)
    @rule(which=WHICH)
    def rush(self, which):
        """Let the team tap twice, all at once: every share goes to one of them, and repeats say the same."""
        packet = self.packet_to_take(which)
        before = {who: self.expected(packet, who) for who in RUSHERS}
        free = packet.count - len(packet.held)
        taps = [*RUSHERS, *RUSHERS]
        with ThreadPoolExecutor(THREADS) as threads:
            replies = list(threads.map(lambda who: self.grab(who, packet), taps))
        wins = [heard(reply) for reply in replies].count("won")
        for who, reply in zip(taps, replies, strict=True):
            self.keep(packet, who, reply)
            then = {"again", "sold_out"} if "won" in before[who] else set()
            then |= {"sold_out"} if "redpackets.receive_cap_reached" in before[who] else set()
            # The gate may not know for a second who left; that nothing is left it tells them too.
            then |= {"sold_out"} if self.is_gone(who) and self.has_gate else set()
            assert heard(reply) in before[who] | then, reply.json
            assert heard(reply) != "sold_out" or packet.is_empty or wins == free
        hopeful = sum("won" in expected for expected in before.values())
        if packet.budget.cap is None or packet.named:
            assert wins == (hopeful if packet.named else min(hopeful, free))


class Happening(MachineOfRewards):
    """Rules of what befalls everybody."""

    @rule(who=st.sampled_from(MEMBERS))
    def leave(self, who):
        if len(self.told.departed) < DEPARTED_MAX:
            self.world.leave(who)

    @rule(minutes=st.sampled_from([1, 1, 2, 10, 30, 59, 61, -30, -60, 24 * 60]))
    def time_passes(self, minutes):
        self.world.move(minutes)

    @rule()
    def run_jobs(self):
        self.world.run_jobs()

    @rule()
    def seal(self):
        self.world.seal()

    @precondition(lambda self: self.has_gate)
    @rule(keep=st.integers(0, 4))
    def flush(self, keep):
        self.world.flush(keep)

    @precondition(lambda self: self.has_gate)
    @rule(is_there=st.booleans())
    def redis(self, is_there):
        if is_there:
            self.world.find_redis()
        else:
            self.world.lose_redis()

    @precondition(lambda self: self.paid)
    @rule(which=WHICH, is_other=st.booleans())
    def ask_again(self, which, is_other):
        """Repeat what moved money: the same answer and nothing moves; the same key with another wish is refused."""
        who, path, body, key, reply = self.paid[-1 - which % len(self.paid)]
        # A rail's currency is looked at before the key.
        is_other = is_other and "unit" in body and "rail" not in body
        changed = body | {"unit": "USD"} if is_other else body
        again = self.world.phones[who].pay(path, changed, key=key)
        if self.is_gone(who):
            assert said(again) == "invalid_token"
        elif changed is not body:
            assert said(again) == "idempotency_key_reused", again.json
        else:
            assert (again.status_code, again.json) == (reply.status_code, reply.json)
            assert again.headers["Idempotent-Replayed"] == "true"
