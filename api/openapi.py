"""`python -m api.openapi FILE` writes the OpenAPI document from the routes' own declaration; no server is needed."""

import json
import sys
from pathlib import Path
from typing import cast

from flask_openapi3.openapi import OpenAPI

from api.app import create_app
from api.settings import ApiSettings
from dispatcher.announce import SilentAnnouncer


def document() -> dict[str, object]:
    """Build the OpenAPI document."""
    settings = ApiSettings(database_url="postgresql+psycopg://", redis_url="redis://")
    app = cast("OpenAPI", create_app(settings, announcer=SilentAnnouncer()))
    built: dict[str, object] = app.api_doc
    return built


def main() -> int:
    """Write the document to the file named on the command line."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m api.openapi FILE\n")
        return 2
    Path(sys.argv[1]).write_text(json.dumps(document(), indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
