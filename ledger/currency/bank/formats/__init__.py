"""Bank files as statements: camt.053, CFONB120, OFX. Reading is pure: bytes in, statements or one error out."""
