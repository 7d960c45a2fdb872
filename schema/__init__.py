"""What Trunkline's data looks like: wire models, closed enums with their facts, tables, migrations.

Nothing here acts: no I/O, no clock, no decision. Every other package may import it; it imports none of them.
"""
