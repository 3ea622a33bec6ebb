"""The member's `wallet` command: keys, outbox and rendering, on top of the API and nothing else."""
