"""The HTTP API, its client, and the `patard` command of the association."""
