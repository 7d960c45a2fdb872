"""The do-not-call list over HTTP."""

from datetime import UTC, datetime, timedelta

from tests.integration.api.customers import CALLEE, Customer, done, refused

LATER = datetime.now(UTC) + timedelta(days=30)
MUCH_LATER = LATER + timedelta(days=30)


def test_suppressing_a_number_marks_its_lead(customer: Customer) -> None:
    lead = customer.lead()
    row = done(customer.post("/v1/suppressions", {"phone_number": CALLEE, "reason": "asked by e-mail"}), 201)
    assert (row["source"], row["reason"], row["until"]) == ("api", "asked by e-mail", None)
    marked = done(customer.get(f"/v1/leads/{lead['id']}"))
    assert (marked["status"], marked["do_not_call"]) == ("Unsubscribed", True)


def test_suppressing_again_is_no_second_row(customer: Customer) -> None:
    first = done(customer.post("/v1/suppressions", {"phone_number": CALLEE, "reason": "first"}), 201)
    again = done(customer.post("/v1/suppressions", {"phone_number": CALLEE}))
    assert again == first
    assert done(customer.get("/v1/suppressions", phone=CALLEE))["data"] == [first]


def test_renewing_never_shortens(customer: Customer) -> None:
    def suppress(until: datetime | None) -> str | None:
        body = {"phone_number": CALLEE, "until": until.isoformat() if until else None}
        answer = customer.post("/v1/suppressions", body)
        found: str | None = done(answer, answer.status_code)["until"]
        return found

    def same(told: str | None, expected: datetime) -> bool:
        return told is not None and datetime.fromisoformat(told) == expected

    assert same(suppress(MUCH_LATER), MUCH_LATER)
    assert same(suppress(LATER), MUCH_LATER)
    assert suppress(None) is None
    assert suppress(LATER) is None


def test_a_suppression_for_a_time_leaves_the_lead_as_it_is(customer: Customer) -> None:
    lead = customer.lead()
    done(customer.post("/v1/suppressions", {"phone_number": CALLEE, "until": LATER.isoformat()}), 201)
    assert done(customer.get(f"/v1/leads/{lead['id']}"))["do_not_call"] is False
    past = {"phone_number": CALLEE, "until": "2020-01-01T00:00:00Z"}
    assert refused(customer.post("/v1/suppressions", past), 400, "validation_error")["errors"][0]["path"] == "until"


def test_taking_a_number_off_lets_its_lead_be_called_again(customer: Customer) -> None:
    lead = customer.lead()
    row = done(customer.post("/v1/suppressions", {"phone_number": CALLEE}), 201)
    assert done(customer.delete(f"/v1/suppressions/{row['id']}")) == {"ok": True}
    freed = done(customer.get(f"/v1/leads/{lead['id']}"))
    assert (freed["status"], freed["do_not_call"]) == ("New", False)
    refused(customer.delete(f"/v1/suppressions/{row['id']}"), 404, "not_found")
    customer.call()


def test_pages_show_every_number_once(customer: Customer) -> None:
    numbers = [f"+1415555{1000 + index}" for index in range(5)]
    for number in numbers:
        done(customer.post("/v1/suppressions", {"phone_number": number}), 201)
    first = done(customer.get("/v1/suppressions", limit=3))
    second = done(customer.get("/v1/suppressions", limit=3, cursor=first["next_cursor"]))
    assert [row["phone_number"] for row in (*first["data"], *second["data"])] == numbers[::-1]
