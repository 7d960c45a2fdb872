"""/v1/account: the account the key belongs to."""

from http import HTTPStatus

from api.context import Ask
from api.routing import Routes
from dispatcher.services.balance import account_balance, account_view
from schema.account import AccountView, Balance, Scope

routes = Routes("account", "Account")


@routes.route_to("GET", "/account", needs=Scope.ACCOUNT_READ, replies={HTTPStatus.OK: AccountView})
def get_account(ask: Ask) -> AccountView:
    """Read the account and its limits."""
    return account_view(ask.context.db, ask.caller.account_id)


@routes.route_to("GET", "/account/balance", needs=Scope.ACCOUNT_READ, replies={HTTPStatus.OK: Balance})
def get_balance(ask: Ask) -> Balance:
    """Read how many call minutes are left."""
    return account_balance(ask.context.db, ask.caller.account_id)
