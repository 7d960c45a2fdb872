"""What holds after every fault, judged by the carrier's own log and by what the receiver of webhooks was sent.

Our tables say what Trunkline believes; each promise holds them against what happened outside.
"""

import itertools
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

from schema.outcomes import END_REASON_FAULTS, UNBILLED_FAULTS, EndReason
from tests.fault.books import OVER, Row
from tests.fault.scene import Scene
from tests.installation import Json
from tests.waiting import wait_for

TERMINAL = {"call.completed", "call.failed", "call.cancelled"}
UNDER_WAY = {"pending", "due", "claimed", "in_call"}
AT_REST_WITHIN_S = 75.0


@dataclass(frozen=True, slots=True)
class Outside:
    """The carrier's own log of a customer's numbers: requests to dial, and calls ("legs"), oldest first."""

    requests: dict[str, list[Json]]
    legs: dict[str, list[Json]]


def kept(scene: Scene, *, told_within_s: float | None = AT_REST_WITHIN_S) -> None:
    """Wait until nothing is under way for a customer, then hold every promise against the outside world.

    With `told_within_s` None a webhook may still be waiting in the outbox, or its call for post-processing.
    """
    at_rest(scene)
    outside = wait_for(lambda: _all_over(scene), what="the carrier's last call to end")
    nobody_was_dialled_twice(scene, outside)
    every_leg_is_ours(scene, outside)
    no_lead_is_lost(scene, outside)
    quota_adds_up(scene, outside)
    if told_within_s is not None:
        wait_for(lambda: not untold(scene), what="a terminal webhook for every call", within_s=told_within_s)
    everyone_is_told_once(scene)


def at_rest(scene: Scene, within_s: float = AT_REST_WITHIN_S) -> None:
    """Wait until no call is live and no lead's turn is now."""

    def look() -> bool:
        resting = all(call["phase"] in OVER for call in scene.books.calls())
        return resting and not any(each["state"] in UNDER_WAY for each in scene.books.enrolments())

    wait_for(look, what="rest", within_s=within_s)


def nobody_was_dialled_twice(scene: Scene, outside: Outside) -> None:
    """Check that the carrier was asked at most once for each dialled row, and that no two legs met."""
    dialled = Counter(call["phone_number"] for call in scene.books.calls() if call["dialing_at"] is not None)
    for number, requests in outside.requests.items():
        assert len(requests) <= dialled[number], f"{number}: {len(requests)} requests for {dialled[number]} calls"
    for number, legs in outside.legs.items():
        for earlier, later in itertools.pairwise(legs):
            assert earlier["ended_at"] <= later["created_at"], f"{number} was on two calls at once"


def every_leg_is_ours(scene: Scene, outside: Outside) -> None:
    """Check that each row names a leg of its own, and none that the carrier never had."""
    named = [call["provider_call_id"] for call in scene.books.calls() if call["provider_call_id"] is not None]
    assert len(named) == len(set(named)), "two rows claim the same call of the carrier"
    assert set(named) <= {leg["sid"] for legs in outside.legs.values() for leg in legs}, "a call the carrier never had"


def no_lead_is_lost(scene: Scene, outside: Outside) -> None:
    """Check that each lead is closed, or waits for an instant; a leg at the carrier is a spent attempt."""
    calls = scene.books.calls()
    for enrolment in scene.books.enrolments():
        number, legs = enrolment["phone_number"], outside.legs[enrolment["phone_number"]]
        spent = [call for call in calls if call["enrolment_id"] == enrolment["id"] and call["attempt_spent"]]
        assert len(legs) <= enrolment["attempts_used"], f"{number} was called for nothing"
        assert len(spent) == enrolment["attempts_used"], f"{number}: attempts miscounted"
        if enrolment["state"] == "retry_wait":
            assert enrolment["next_due_at"] is not None, f"{number} waits for nothing"
            assert enrolment["last_outcome"] is not None, f"{number} waits without a reason"
        else:
            assert enrolment["state"] in {"completed", "exhausted"}, f"{number} ended as {enrolment['state']}"
            assert legs, f"{number} was given up without a call"


def quota_adds_up(scene: Scene, outside: Outside) -> None:
    """Check granted = available + held + spent, nothing held, and that only answered calls cost anything."""
    balance, calls, entries = scene.books.balance(), scene.books.calls(), scene.books.entries()
    assert balance["granted_s"] == balance["available_s"] + balance["held_s"] + balance["spent_s"]
    assert balance["held_s"] == 0, "a hold was never ended"
    assert balance["spent_s"] == sum(call["billed_s"] for call in calls)
    amounts: dict[object, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        amounts[entry["call_id"]][entry["kind"]] += entry["amount_s"]
    for call in calls:
        ledger = amounts[call["id"]]
        assert ledger["hold"] == ledger["settle"] + ledger["release"], f"the hold of {call['id']} does not add up"
        assert ledger["settle"] == call["billed_s"]
        if call["billed_s"]:
            assert any(leg["answered_at"] for leg in outside.legs[call["phone_number"]]), (
                "an unanswered call was billed"
            )
            assert END_REASON_FAULTS[EndReason(call["end_reason"])] not in UNBILLED_FAULTS


def everyone_is_told_once(scene: Scene) -> None:
    """Check every signature; each call has one terminal event, whoever was killed in between, under one id."""
    calls = scene.books.calls()
    waiting = {row["call_id"] for row in scene.books.outbox() if row["status"] == "pending"}
    told = terminal_events(scene)
    for call in calls:
        ids, later = told[str(call["id"])], call["id"] in waiting or call["post_due_at"] is not None
        assert len(ids) <= 1, f"{call['id']}: told {len(ids)} times"
        assert ids or later, f"{call['id']}: nobody will ever be told"


def untold(scene: Scene) -> list[Row]:
    """List the calls whose end the customer has not heard of."""
    told = terminal_events(scene)
    return [call for call in scene.books.calls() if not told[str(call["id"])]]


def terminal_events(scene: Scene) -> dict[str, set[str]]:
    """Return the ids of the verified terminal events at the receiver, by call."""
    verifier = Webhook(scene.customer.webhook_secret)
    found: dict[str, set[str]] = defaultdict(set)
    for delivery in scene.up.world.sink(scene.customer.sink):
        headers = {name.lower(): value for name, value in delivery["headers"].items()}
        sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        signature = verifier.sign(headers["webhook-id"], sent_at, delivery["body"])
        assert headers["webhook-signature"] == signature, "a webhook is not signed by us"
        event = json.loads(delivery["body"])
        if event["type"] in TERMINAL:
            found[event["data"]["call_id"]].add(event["id"])
    return found


def _all_over(scene: Scene) -> Outside | None:
    """Read the carrier's log; None while one of its calls goes on."""
    numbers = {call["phone_number"] for call in scene.books.calls()}
    numbers |= {enrolment["phone_number"] for enrolment in scene.books.enrolments()}
    world = scene.up.world
    legs = [leg for leg in world.calls() if leg["to"] in numbers]
    if any(leg["live"] for leg in legs):
        return None
    dials = world.dials()
    return Outside(
        {number: [dial for dial in dials if dial["to"] == number] for number in numbers},
        {number: [leg for leg in legs if leg["to"] == number] for number in numbers},
    )
