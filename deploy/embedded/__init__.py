"""A private PostgreSQL and Redis for as long as a program runs, and a supervisor for the processes of a Procfile.

Entry points: `deploy.embedded.stack` (servers), `deploy.embedded.supervisor` (processes), and the two command lines
`python -m deploy.embedded -- command` and `python -m deploy.embedded.supervisor --procfile Procfile`.
Standard library only: both must be able to start before anything else is importable.
"""
