"""Whether every `{{name}}` in a conversation's texts will have a value, judged before anybody is called.

Values come from request_data, from what the caller says about the lead, and from the lead itself. How texts are filled
is `dispatcher.rules.templates`.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from dispatcher.refusals import Faulty
from dispatcher.rules.templates import missing
from dispatcher.store.db import Tx
from dispatcher.store.variables import Lack, count_leads, lacking
from schema.call_config import CallConfig
from schema.problems import FieldFault

CODE = "missing_variable"
TEXTS = ("task", "instructions", "first_sentence")


def check_call(config: CallConfig, context: Mapping[str, object]) -> None:
    """Check the texts of one call against everything that is known for it.

    Raises:
        Faulty: a variable has no value.
    """
    values = {**config.request_data, **context}
    faults = tuple(
        FieldFault(
            path=text,
            message=f"{{{{{name}}}}} has no value; give {name} in request_data or lead_context, or on the lead",
            code=CODE,
        )
        for text in TEXTS
        for name in missing((_text(config, text),), values)
    )
    if faults:
        raise Faulty(*faults)


def check_campaign(
    tx: Tx,
    campaign_id: UUID,
    config: CallConfig,
    lead_ids: Sequence[UUID] | None = None,
    given: Mapping[str, object] | None = None,
) -> None:
    """Check a campaign's texts against all its leads that may still be called, or just the given ones.

    `given` are values that come with the request, beside the leads' own.

    Raises:
        Faulty: leads lack a value, with how many and one of them.
    """
    wanted = {text: missing((_text(config, text),), {**config.request_data, **(given or {})}) for text in TEXTS}
    names = tuple(dict.fromkeys(name for missed in wanted.values() for name in missed))
    lacks = {lack.name: lack for lack in lacking(tx, campaign_id, names, lead_ids)}
    if not lacks:
        return
    total = len(lead_ids) if lead_ids is not None else count_leads(tx, campaign_id)
    raise Faulty(
        *(
            _fault(f"call_config.{text}", lacks[name], total)
            for text, missed in wanted.items()
            for name in missed
            if name in lacks
        )
    )


def _fault(path: str, lack: Lack, total: int) -> FieldFault:
    who = f"{lack.count} of {total} leads" if total > 1 else "the lead"
    return FieldFault(
        path=path,
        message=(
            f"{{{{{lack.name}}}}} has no value for {who}, for example lead {lack.example}; "
            f"give {lack.name} in the leads' metadata or in call_config.request_data"
        ),
        code=CODE,
    )


def _text(config: CallConfig, name: str) -> str | None:
    match name:
        case "task":
            return config.task
        case "instructions":
            return config.instructions
        case _:
            return config.first_sentence
