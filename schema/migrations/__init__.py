"""How a database gets and keeps the tables of `schema.tables`. Run by the `release` process, before all others."""
