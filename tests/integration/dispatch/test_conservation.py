"""Any sequence of claims, takes, ends, deaths and adoptions keeps the promises on money, fences and live calls.

A state machine drives the real services on a real database, with workers that vanish, messages that come twice and
results that come late. After every step: granted = available + held + spent, what is held is what open calls hold,
every hold has ended with its call, and what is over stays as it was.
"""

from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from dispatcher.services.claim import claim_due
from dispatcher.services.record import record_call
from dispatcher.services.rescue import adopt_orphan, rescue, settle_orphan
from dispatcher.services.withdraw import withdraw
from dispatcher.store.db import Database
from dispatcher.store.quota import grant
from schema.callspec import CallSpec, Claim, Orphan, OrphanFinding
from schema.outcomes import EndReason, Outcome
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.clock import Clock
from tests.builders.lives import a_result, beat, lease_of, take
from tests.builders.rows import a_campaign, a_number, an_accepted_call, an_account, balance_row, some_leads

ENDS = st.sampled_from(
    [
        (Outcome.HUMAN, EndReason.USER_HANGUP),
        (Outcome.NO_ANSWER, EndReason.DIAL_NO_ANSWER),
        (Outcome.CARRIER_REFUSED, EndReason.CARRIER_REFUSED),
        (Outcome.FAILED, EndReason.PROVIDER_CLOSED),
        (Outcome.CANCELLED, EndReason.API_STOP),
        (Outcome.AMBIGUOUS, EndReason.CARRIER_UNKNOWN),
    ]
)
HELD = text(
    "select coalesce(sum(hold_s), 0) from calls"
    " where phase in ('scheduled', 'claimed', 'dialing', 'ringing', 'answered')"
)
LEDGER = text(
    """
    select coalesce(sum(amount_s) filter (where kind = 'grant'), 0) as granted,
        coalesce(sum(amount_s) filter (where kind = 'hold'), 0) as held,
        coalesce(sum(amount_s) filter (where kind = 'settle'), 0) as settled,
        coalesce(sum(amount_s) filter (where kind = 'release'), 0) as released
    from quota_entries
    """
)
ENDED_BADLY = text(
    """
    select count(*) from calls c
    where (c.phase in ('ended', 'cancelled', 'expired', 'ambiguous')) <>
        (exists (select 1 from quota_entries q where q.call_id = c.id and q.kind = 'settle'))
    """
)
OVERSPENT = text("select count(*) from enrolments where attempts_used > 3")
SPEND = text("select coalesce(sum(held_s), 0) as held, coalesce(sum(spent_s), 0) as spent from campaign_spend")
DIRECT = text(
    "select coalesce(sum(hold_s) filter (where phase in ('scheduled', 'claimed', 'dialing')), 0) as held,"
    " coalesce(sum(billed_s), 0) as spent from calls where campaign_id is null"
)
TERMINAL = text(
    "select id, phase, outcome, billed_s, ended_at from calls"
    " where phase in ('ended', 'cancelled', 'expired', 'ambiguous')"
)


class CallsUnderFire(RuleBasedStateMachine):
    """Beat, media workers, a carrier and people, in any order."""

    def __init__(self, db: Database, clock: Clock) -> None:
        super().__init__()
        self.db = db
        self.clock = clock
        self.announcer = RecordingAnnouncer()
        self.specs: list[CallSpec] = []
        self.orphans: list[Orphan] = []
        self.over: dict[UUID, tuple[object, ...]] = {}
        self.numbers = 1_000

    @initialize()
    def begin(self) -> None:
        with self.db.transaction() as tx:
            tx.connection.exec_driver_sql("truncate accounts cascade")
            tx.connection.exec_driver_sql("truncate media_workers")
        self.account = an_account(self.db, minutes=8)
        self.campaign = a_campaign(
            self.db,
            self.account,
            retry={"max_attempts": 3, "delays_minutes": [1], "jitter_pct": 0},
            contact_limits={"min_gap_minutes": 1, "max_attempts_per_24h": 10},
            quota={"max_minutes": 40},
        )
        some_leads(self.db, self.campaign, 6)
        self.calls_are_claimed(take_them=True)

    @rule(take_them=st.booleans())
    def calls_are_claimed(self, take_them: bool) -> None:
        beat(self.db)
        before = len(self.announcer.claims)
        claim_due(self.db, self.announcer, limit=3)
        for claim in self.announcer.claims[before:] if take_them else []:
            self._take(claim)

    @rule(seconds=st.sampled_from([1, 16, 61]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @precondition(lambda self: self.announcer.claims)
    @rule(data=st.data())
    def a_message_arrives_again(self, data: st.DataObject) -> None:
        self._take(data.draw(st.sampled_from(self.announcer.claims)))

    @precondition(lambda self: self.specs)
    @rule()
    def workers_report(self) -> None:
        beat(self.db, *[lease_of(spec) for spec in self.specs[-5:]])

    @precondition(lambda self: self.specs)
    @rule(data=st.data(), end=ENDS, talked_s=st.integers(0, 90))
    def a_result_comes_in(self, data: st.DataObject, end: tuple[Outcome, EndReason], talked_s: int) -> None:
        spec = data.draw(st.sampled_from(self.specs))
        record_call(self.db, self.announcer, a_result(spec, self.clock.now, *end, talked_s=talked_s))

    @rule(silent_s=st.sampled_from([0, 16, 24, 700]))
    def the_rescue_looks(self, silent_s: int) -> None:
        self.clock.advance(seconds=silent_s)
        beat(self.db, worker="media-2")
        before = len(self.announcer.settles)
        rescue(self.db, self.announcer)
        for call_id in self.announcer.settles[before:]:
            orphan = adopt_orphan(self.db, call_id, "media-2")
            if orphan is not None:
                self.orphans.append(orphan)

    @precondition(lambda self: self.orphans)
    @rule(data=st.data(), asked=st.booleans(), known=st.booleans(), talked_s=st.integers(0, 90))
    def the_carrier_answers(self, data: st.DataObject, asked: bool, known: bool, talked_s: int) -> None:
        orphan = data.draw(st.sampled_from(self.orphans))
        provider_call_id = "CA1" if asked and known else None
        found = OrphanFinding(
            orphan.call_id, orphan.lease_token, asked=asked, provider_call_id=provider_call_id, talked_s=talked_s
        )
        settle_orphan(self.db, self.announcer, found)

    @precondition(lambda self: balance_row(self.db, self.account)["available_s"] >= 60)
    @rule()
    def a_direct_call_is_accepted(self) -> None:
        self.numbers += 1
        an_accepted_call(self.db, self.account, number=a_number(self.numbers))

    @precondition(lambda self: self.announcer.claims)
    @rule(data=st.data())
    def a_person_cancels(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(self.announcer.claims))
        with self.db.transaction() as tx:
            withdraw(tx, claim.call_id, EndReason.API_CANCEL)

    @rule()
    def minutes_are_granted(self) -> None:
        with self.db.transaction() as tx:
            grant(tx, self.account, 60)

    def _take(self, claim: Claim) -> None:
        spec = take(self.db, claim)
        if spec is not None:
            self.specs.append(spec)

    @invariant()
    def money_is_conserved(self) -> None:
        if not hasattr(self, "account"):
            return
        now = balance_row(self.db, self.account)
        assert now["granted_s"] == now["available_s"] + now["held_s"] + now["spent_s"]
        with self.db.transaction() as tx:
            ledger = tx.connection.execute(LEDGER).one()
            held = tx.connection.execute(HELD).scalar_one()
            spend, direct = tx.connection.execute(SPEND).one(), tx.connection.execute(DIRECT).one()
            assert tx.connection.execute(ENDED_BADLY).scalar_one() == 0
        assert (ledger.granted, ledger.settled) == (now["granted_s"], now["spent_s"])
        assert ledger.held - ledger.settled - ledger.released == now["held_s"] == held
        assert (spend.held + direct.held, spend.spent + direct.spent) == (now["held_s"], now["spent_s"])

    @invariant()
    def budgets_hold_and_what_is_over_stays_over(self) -> None:
        with self.db.transaction() as tx:
            assert tx.connection.execute(OVERSPENT).scalar_one() == 0
            over = {row.id: tuple(row) for row in tx.connection.execute(TERMINAL)}
        assert self.over.items() <= over.items() or not self.over
        self.over = over


def test_any_sequence_of_events_keeps_the_promises(db: Database, clock: Clock) -> None:
    class OnThisDatabase(CallsUnderFire):
        def __init__(self) -> None:
            super().__init__(db, clock)

    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(
            max_examples=20,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
