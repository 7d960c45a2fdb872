"""How Trunkline is started: the embedded servers, the Procfile and its supervisor, the simulated outside world.

Knows processes, ports and files; deliberately knows no business rule and imports no other package of Trunkline from
the modules that start it.
"""
