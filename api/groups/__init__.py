"""The groups of `patard` commands: `patard party ...`, `patard bank ...`; what they do stands in `api.commands`."""
