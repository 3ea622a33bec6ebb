"""The README's pictures of till, wallet and reserve, in light and dark; `python -m tests.pictures` takes them anew."""
