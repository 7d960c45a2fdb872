"""`gunicorn api.wsgi:app`: the web process, configured from the environment."""

import sys

from flask import Flask

from api.app import create_app
from api.settings import ApiSettings
from dispatcher.log import configure_logging
from schema.settings import ConfigurationError

BAD_CONFIGURATION = 2


def _app_of_this_process() -> Flask:
    try:
        settings = ApiSettings.load()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(BAD_CONFIGURATION)
    configure_logging(settings.log_level)
    return create_app(settings)


app = _app_of_this_process()
