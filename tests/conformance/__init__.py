"""What every store promises, run on all three: memory, SQLite, PostgreSQL."""
