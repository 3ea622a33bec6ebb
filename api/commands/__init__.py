"""What the `patard` commands do. One module for each group of them; `api.cli` is what can be typed."""
