"""How gunicorn runs the web process: `gunicorn --config python:api.serving api.wsgi:app`.

The environment is read before the first worker starts: a configuration that cannot be used ends the whole process with
the list of its problems, where a worker that ends would only be started again, for ever.
"""

import sys

from api.settings import ApiSettings
from schema.settings import ConfigurationError

BAD_CONFIGURATION = 2

control_socket_disable = True
"""Gunicorn otherwise opens a socket for commands in the home directory, one for all installations of a machine."""


def on_starting(_server: object) -> None:
    """Let gunicorn start only when its workers can."""
    settings_of_this_process()


def settings_of_this_process() -> ApiSettings:
    """Read the environment; print what is wrong with it and exit with code 2 when it cannot be used."""
    try:
        return ApiSettings.load()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(BAD_CONFIGURATION)
