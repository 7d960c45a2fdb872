"""TwiML is read verb by verb, and what cannot be carried out is refused with Twilio's code."""

import pytest

from deploy.simulator.twiml import ConnectStream, DialNumber, Hangup, Pause, PlayDigits, TwimlError, read_twiml


def test_the_verbs_of_an_outbound_call_are_read_in_order() -> None:
    verbs = read_twiml(
        '<?xml version="1.0"?><Response><Play digits="1w2"/><Pause length="2"/>'
        '<Connect><Stream url="wss://x/y" name="n"><Parameter name="a" value="1"/></Stream></Connect>'
        "<Dial><Number>+1555</Number></Dial><Hangup/></Response>"
    )
    stream = ConnectStream("wss://x/y", "n", (("a", "1"),), "")
    assert verbs == (PlayDigits("1w2"), Pause(2.0), stream, DialNumber("+1555"), Hangup())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<Response><Connect>", 12100),
        ("<Answer/>", 12100),
        ("<Response><Sing/></Response>", 12200),
        ("<Response><Connect/></Response>", 12200),
        ("<Response><Connect><Stream/></Connect></Response>", 31920),
        ("<Response><Dial/></Response>", 13214),
    ],
)
def test_a_document_that_cannot_be_carried_out_is_refused(text: str, code: int) -> None:
    with pytest.raises(TwimlError) as refused:
        read_twiml(text)
    assert refused.value.code == code
