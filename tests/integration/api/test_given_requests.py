"""The requests of the public guide are taken as they stand there, and answered as it says."""

from typing import Any

import pytest

from tests.integration.api.customers import CALLEE, Customer, done, refused

SIMPLE = {
    "phone_number": "+14155551234",
    "from_number": "+18005551234",
    "task": "You are calling to confirm John's dental appointment tomorrow at 3 PM. Be friendly and professional.",
    "voice": "alloy",
}
ADVANCED = {
    "phone_number": "+14155551234",
    "instructions": "You are Sarah, a senior scheduler...",
    "first_sentence": "Hi, this is Sarah from Bright Dental...",
    "voice": "alloy",
    "temperature": 0.7,
    "max_duration": 10,
}
CALL_CONTROL = {
    "phone_number": "+14155551234",
    "task": "Call to confirm appointment...",
    "from_number": "+18005551234",
    "max_duration": 10,
    "first_sentence": "Hi, this is Sarah...",
    "background_audio": "office",
    "background_audio_gain": "medium",
}
REMINDER = {
    "phone_number": "+14155551234",
    "from_number": "+18005551234",
    "instructions": "You are Sarah, a friendly appointment coordinator at Bright Dental. Your goal is to confirm "
    "{{patient_name}}'s appointment on {{appointment_date}} at {{appointment_time}}. Be warm, professional, and "
    "concise.",
    "first_sentence": "Hi {{patient_name}}, this is Sarah from Bright Dental. I'm calling to confirm your appointment "
    "tomorrow at {{appointment_time}}.",
    "voice": "alloy",
    "mode": "realtime",
    "temperature": 0.7,
    "max_duration": 5,
    "request_data": {
        "patient_name": "John Smith",
        "appointment_date": "2025-12-24",
        "appointment_time": "3:00 PM",
    },
    "webhook_url": "https://your-app.com/webhooks/call-complete",
}
WEBHOOKS = {
    "phone_number": "+14155551234",
    "task": "Call to confirm appointment...",
    "webhook_url": "https://your-app.com/webhooks/call-complete",
    "webhook_events": ["call.completed", "call.failed"],
}
SPANISH = {
    "phone_number": "+14155551234",
    "instructions": "Habla solo en español. Eres un asistente de servicio al cliente...",
    "mode": "legacy",
    "stt_language": "es-ES",
    "voice": "your-spanish-voice-id",
}
ANALYSED = {
    "phone_number": "+14155551234",
    "task": "Call to confirm John's appointment tomorrow at 3 PM",
    "analysis_schema": {
        "converted": {"type": "boolean", "description": "Whether the lead agreed to schedule an appointment"},
        "objections": "string",
        "appointment_time": {"type": "date", "description": "The scheduled appointment date and time"},
    },
    "metadata": {"patient_id": "pat_123", "source": "reminder_system"},
}


@pytest.mark.parametrize("body", [SIMPLE, ADVANCED, CALL_CONTROL, REMINDER, WEBHOOKS, SPANISH, ANALYSED])
def test_the_guides_requests_create_a_queued_call(customer: Customer, body: dict[str, Any]) -> None:
    answer = done(customer.post("/v1/calls", body), 201)
    assert answer == {"call_id": answer["call_id"], "provider_call_id": None, "status": "queued"}
    record = done(customer.get(f"/v1/calls/{answer['call_id']}"))
    assert record["phone_number"] == "+14155551234"
    assert record["from_phone_number"] == "+18005551234"
    assert record["metadata"] == body.get("metadata", {})


def test_an_invalid_number_is_told_in_the_guides_words(customer: Customer) -> None:
    problem = refused(customer.post("/v1/calls", {**SIMPLE, "phone_number": "0415"}), 400, "validation_error")
    assert problem["title"] == "Invalid request body"
    [fault] = problem["errors"]
    assert fault["path"] == "phone_number"
    assert fault["message"] == "Phone number must be in E.164 format (e.g., +14155551234)"


def test_too_little_quota_is_told_in_the_guides_words(new_customer: Any) -> None:
    customer = new_customer(minutes=8)
    customer.call(max_duration=4.5)
    problem = refused(
        customer.post("/v1/calls", {"phone_number": CALLEE, "task": SIMPLE["task"]}), 402, "insufficient_quota"
    )
    assert problem["title"] == "Insufficient Quota"
    assert problem["detail"] == "You need 5 minutes but have 3.5 remaining"
    assert problem["required_minutes"] == 5
    assert problem["remaining_minutes"] == 3.5
