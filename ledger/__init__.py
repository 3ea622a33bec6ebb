"""The ledger: an engine that keeps accounts, the rules that make it a currency, and the proofs that anyone can check."""
