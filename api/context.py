"""What a request can reach: the database, the bell, the keys and the settings of this web process."""

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from api.settings import ApiSettings
from dispatcher.announce import Announcer
from dispatcher.services.keys import Caller, KeyRing
from dispatcher.store.db import Database

_NAME = "trunkline"


@dataclass(frozen=True, slots=True)
class Context:
    """One per app."""

    db: Database
    announcer: Announcer
    keys: KeyRing
    settings: ApiSettings


@dataclass(frozen=True, slots=True)
class Ask:
    """One per request: who asks, within which app."""

    caller: Caller
    context: Context

    @property
    def from_number(self) -> str | None:
        """The caller id of calls that name none: the account's, else the installation's."""
        return self.caller.from_number or self.context.settings.from_number


def install(app: Flask, context: Context) -> None:
    """Give the app its context."""
    app.extensions[_NAME] = context


def context_of_app() -> Context:
    """Return the context of the app that serves this request."""
    return cast("Context", current_app.extensions[_NAME])
