"""What was tried against a currency by people with its source, a token or its whole database: nothing of it passes."""
