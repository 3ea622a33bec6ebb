"""The engine: units, accounts, transfers and the log, with no idea of euros, shops, HTTP or settings."""
