"""`gunicorn api.wsgi:app`: the web process, configured from the environment."""

from flask import Flask

from api.app import create_app
from api.serving import settings_of_this_process
from dispatcher.log import configure_logging


def _app_of_this_process() -> Flask:
    settings = settings_of_this_process()
    configure_logging(settings.log_level)
    return create_app(settings)


app = _app_of_this_process()
