"""Patard's ledger: the engine (core), the currency on top of it, and the proofs taken away from it."""
