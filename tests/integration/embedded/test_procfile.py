"""A Procfile is read as written, and what would need a shell is refused by line."""

import os
from pathlib import Path

import pytest

from deploy.embedded.errors import ProcfileError
from deploy.embedded.procfile import Entry, Invocation, invocation_of, read_procfile

PATH = os.environ["PATH"]


def resolved(command: str, **environ: str) -> Invocation:
    return invocation_of(Entry("web", command, 4), {"PATH": PATH, **environ})


def test_names_commands_and_lines_are_read_and_comments_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "Procfile"
    path.write_text("# how it runs\n\nweb: gunicorn app:wsgi\nmedia_2:  python -m media  \n")
    assert read_procfile(path) == (Entry("web", "gunicorn app:wsgi", 3), Entry("media_2", "python -m media", 4))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("web gunicorn\n", "Procfile:1: expected `name: command`"),
        ("web:\n", "Procfile:1: expected `name: command`"),
        ("web: one\n\nweb: two\n", "Procfile:3: web already stands on line 1"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "Procfile"
    path.write_text(text)
    with pytest.raises(ProcfileError, match=complaint):
        read_procfile(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProcfileError, match="Procfile: No such file"):
        read_procfile(tmp_path / "Procfile")


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("echo $PORT ${PORT}0", ("80", "800")),
        ("echo ${NONE:-7} ${PORT:-7} ${EMPTY:-7}", ("7", "80", "7")),
        ("echo a$EMPTY", ("a",)),
        ("echo '$PORT' \"$PORT b\"", ("$PORT", "80 b")),
        ('echo \\$PORT "\\$PORT"', ("$PORT", "$PORT")),
        ("echo \"it's $PORT\" $PORT'$PORT'", ("it's 80", "80$PORT")),
        ("echo 'f()' \"a; b\" c#d", ("f()", "a; b", "c#d")),
        ("exec echo x", ("x",)),
        ("echo $SPACED", ("two words",)),
    ],
)
def test_words_are_cut_as_by_a_shell_and_variables_filled_in(command: str, arguments: tuple[str, ...]) -> None:
    invocation = resolved(command, PORT="80", EMPTY="", SPACED="two words")
    assert invocation.argv == ("echo", *arguments)


def test_leading_assignments_go_into_the_environment_of_the_program() -> None:
    invocation = resolved("BIND=127.0.0.1:$PORT echo $BIND", PORT="80")
    assert invocation.argv == ("echo", "127.0.0.1:80")
    assert invocation.environ["BIND"] == "127.0.0.1:80"


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("echo $NOWHERE", "variable NOWHERE is not set"),
        ("echo a && echo b", "'&&' needs a shell"),
        ("echo a > file", "'>' needs a shell"),
        ("echo a; echo b", "';' needs a shell"),
        ("echo 'a", "no closing quotation"),
        ("no-such-program --flag", "program 'no-such-program' is not found on PATH"),
        ("A=1", "no program to run"),
    ],
)
def test_what_cannot_run_is_refused_with_line_and_name(command: str, complaint: str) -> None:
    with pytest.raises(ProcfileError, match=f"Procfile line 4, web: {complaint}"):
        resolved(command)
