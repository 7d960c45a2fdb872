"""Bring a database to the newest revision: `upgrade(url)` in programs, `python -m schema.migrations.run` in a release.

Safe to run twice and at the same time: one runner works, the others find nothing to do.
"""

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config

from schema.settings import ConfigurationError, ProcessSettings

HERE = Path(__file__).resolve().parent


class ReleaseSettings(ProcessSettings):
    """What the release needs: the database alone."""

    def problems(self) -> tuple[str, ...]:
        """List nothing: the broker is not used."""
        return ()


def migration_config(url: str) -> Config:
    """Build Alembic's configuration for the database at an SQLAlchemy URL."""
    config = Config()
    config.set_main_option("script_location", HERE.as_posix().replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    """Bring the database at an SQLAlchemy URL to the newest revision."""
    command.upgrade(migration_config(url), "head")


def main() -> int:
    """Migrate the database the environment names; return the exit code."""
    try:
        settings = ReleaseSettings.load()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    upgrade(settings.database_url)
    return 0


if __name__ == "__main__":
    sys.exit(main())
