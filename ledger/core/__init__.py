"""The engine: units, accounts, transfers and the log. It knows no HTTP, no euros, no shops and no settings."""
