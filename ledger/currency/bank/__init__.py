"""The bank: statements in, transfers and direct debits out, and what becomes of each line of a statement."""
