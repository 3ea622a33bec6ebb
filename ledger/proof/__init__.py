"""Proofs for people outside: checkpoints, liabilities and audit bundles, verified without a database."""
