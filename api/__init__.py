"""Who is asking, and which use-case answers. Knows no SQL, Celery internals or audio."""
