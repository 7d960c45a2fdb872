"""`python -m api.keys`: create, list and revoke API keys from the command line.

Makes the account when there is none of that name. The key and a new account's webhook secret are printed once; neither
can be read again.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from api.settings import ApiSettings
from dispatcher.refusals import Refusal
from dispatcher.rules.numbers import dialable
from dispatcher.services.balance import minutes as in_minutes
from dispatcher.services.keys import KeyOrder, MintedKey, list_keys, mint_key, revoke
from dispatcher.store.db import Database
from schema.account import Scope
from schema.policy import known_zone
from schema.settings import ConfigurationError

BAD_CONFIGURATION = 2
REFUSED = 1

EXAMPLES = """examples:
  python -m api.keys create --account "Bright Dental" --minutes 1000 --from-number +18005551234
      creates the account with 1,000 call minutes and prints a key that may do everything
  python -m api.keys create --account "Bright Dental" --name reports --scopes calls:read,campaigns:read
      adds a key that only reads
  python -m api.keys list --account "Bright Dental"
  python -m api.keys revoke --prefix 1f2e3d4c5b6a

The database is the one DATABASE_URL names."""


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key beside its account; `webhook_secret` signs the account's webhooks."""

    account_id: UUID
    api_key: str
    webhook_secret: str


def create_key(
    database_url: str,
    *,
    account: str,
    minutes: int = 0,
    from_number: str | None = None,
    max_concurrent_calls: int | None = None,
    max_calls_per_minute: int | None = None,
) -> CreatedKey:
    """Create a key that may do everything, and its account when there is none of that name; grant the minutes."""
    database = Database(database_url, pool_size=1)
    try:
        order = KeyOrder(
            account,
            "default",
            tuple(Scope),
            minutes=minutes,
            from_number=from_number,
            max_concurrent_calls=max_concurrent_calls,
            max_calls_per_minute=max_calls_per_minute,
        )
        minted = mint_key(database, order)
    finally:
        database.dispose()
    return CreatedKey(minted.account.account_id, minted.key, minted.account.webhook_secret)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; 0 when it was done."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        settings = ApiSettings.load(redis_url="redis://")
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_CONFIGURATION
    database = Database(settings.database_url, pool_size=1)
    try:
        sys.stdout.write(asked.act(database, asked))
    except Refusal as refusal:
        sys.stderr.write(f"{refusal.detail}\n")
        return REFUSED
    finally:
        database.dispose()
    return 0


def _create(database: Database, asked: argparse.Namespace) -> str:
    minted = mint_key(
        database,
        KeyOrder(
            account=asked.account,
            name=asked.name,
            scopes=asked.scopes,
            minutes=asked.minutes,
            from_number=asked.from_number,
            timezone=asked.timezone,
            max_concurrent_calls=asked.max_concurrent_calls,
            max_calls_per_minute=asked.max_calls_per_minute,
        ),
    )
    return _told(minted)


def _told(minted: MintedKey) -> str:
    account = minted.account
    lines = [
        f"account         {account.name} ({'new' if minted.account_is_new else 'known'})",
        f"account_id      {account.account_id}",
        f"minutes left    {in_minutes(minted.balance.available_s):g}",
        f"scopes          {', '.join(scope.value for scope in minted.scopes)}",
        f"api_key         {minted.key}",
    ]
    if minted.account_is_new:
        lines.append(f"webhook_secret  {account.webhook_secret}")
    return "\n".join((*lines, "", "Keep the key now: it cannot be shown again.", ""))


def _list(database: Database, asked: argparse.Namespace) -> str:
    rows = [
        f"{key.prefix}  {'revoked' if key.revoked_at else 'valid  '}  {key.created_at:%Y-%m-%d}  {key.name}  "
        f"{','.join(key.scopes)}"
        for key in list_keys(database, asked.account)
    ]
    return "\n".join((*rows, "")) if rows else "No keys.\n"


def _revoke(database: Database, asked: argparse.Namespace) -> str:
    revoke(database, asked.prefix)
    return f"Key {asked.prefix} is revoked; processes that know it forget it within 5 seconds.\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m api.keys",
        description="Create, list and revoke API keys.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="create | list | revoke")
    create = commands.add_parser("create", help="create a key, and its account if need be")
    create.set_defaults(act=_create)
    create.add_argument("--account", required=True, metavar="NAME", help="name of the account")
    create.add_argument("--name", default="default", help="what the key is for (default: %(default)s)")
    create.add_argument("--minutes", type=_whole, default=0, metavar="N", help="call minutes to grant (default: 0)")
    create.add_argument("--from-number", type=_number, metavar="+1…", help="the account's caller id, E.164")
    create.add_argument("--timezone", type=_zone, help="the account's IANA zone (default: UTC)")
    create.add_argument("--max-concurrent-calls", type=_whole, metavar="N", help="of a new account (default: 10)")
    create.add_argument("--max-calls-per-minute", type=_whole, metavar="N", help="of a new account (default: 60)")
    create.add_argument(
        "--scopes", type=_scopes, default=tuple(Scope), metavar="A,B", help=f"of {', '.join(Scope)} (default: all)"
    )
    listing = commands.add_parser("list", help="list an account's keys")
    listing.set_defaults(act=_list)
    listing.add_argument("--account", required=True, metavar="NAME")
    revoking = commands.add_parser("revoke", help="revoke a key")
    revoking.set_defaults(act=_revoke)
    revoking.add_argument("--prefix", required=True, help="the part between tl_live_ and the next _")
    return parser


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)


def _number(text: str) -> str:
    fault = dialable(text)
    if fault is not None:
        raise argparse.ArgumentTypeError(fault)
    return text


def _zone(text: str) -> str:
    try:
        return known_zone(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _scopes(text: str) -> tuple[Scope, ...]:
    try:
        return tuple(Scope(scope.strip()) for scope in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of {', '.join(Scope)}") from None


if __name__ == "__main__":
    sys.exit(main())
