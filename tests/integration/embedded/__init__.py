"""The embedded servers and the supervisor, run for real and killed in every way."""
