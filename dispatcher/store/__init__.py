"""SQL, one module per aggregate. The only importer of `schema.tables`."""
