"""One use-case a file; each `with transaction` block is the transaction."""
