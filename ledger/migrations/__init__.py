"""The tables' history, for both databases: one line of versions that the whole program shares (see `core.schema`)."""
