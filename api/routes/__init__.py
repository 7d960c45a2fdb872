"""The routes, one module per resource. Thin: read, call one use-case, answer."""
