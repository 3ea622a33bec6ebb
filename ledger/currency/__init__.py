"""What makes a ledger a currency: charter, parties and keys, signed messages, conversion and reserve."""
