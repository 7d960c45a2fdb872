"""The tools every agent has, and what asking for one does to the call.

Decides answers to the model and effects on the call; running other tools is not its business.
"""

from dataclasses import dataclass

from media.ports import ToolRequest, ToolSpec

END_CALL = "end_call"
MARK_DO_NOT_CALL = "mark_do_not_call"

BUILT_IN_TOOLS = (
    ToolSpec(
        END_CALL,
        "Hang up. Use it after you have said goodbye aloud: when the person says goodbye or asks to end the call, or "
        "when everything is done.",
        {
            "type": "object",
            "properties": {"reason": {"type": "string", "description": "why the call ends, in a few words"}},
            "required": [],
            "additionalProperties": False,
        },
    ),
    ToolSpec(
        MARK_DO_NOT_CALL,
        "Record that this person does not want to be called again. Use it as soon as they ask for that, then confirm "
        "it aloud, say goodbye and end the call.",
        {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
    ),
)


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What the model is told, and what happens to the call.

    Attributes:
        ends_call: hang up once the farewell has been heard.
        opts_out: the callee must not be called again.
        respond: the model should speak next.
    """

    result: dict[str, object]
    ends_call: bool = False
    opts_out: bool = False
    respond: bool = True


def answer_tool(request: ToolRequest, *, spoke: bool) -> ToolAnswer:
    """Answer one tool request; `spoke` tells whether the agent said something in the same reply."""
    if request.name == END_CALL:
        if spoke:
            return ToolAnswer({"status": "ending"}, ends_call=True, respond=False)
        return ToolAnswer({"status": "ending", "instruction": "Say one short goodbye now."}, ends_call=True)
    if request.name == MARK_DO_NOT_CALL:
        return ToolAnswer(
            {"status": "recorded", "instruction": "Confirm it, say goodbye, end the call."}, opts_out=True
        )
    return ToolAnswer({"error": "unknown_tool"})
