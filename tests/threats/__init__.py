"""What attackers tried, and who notices: each as a test. `python -m tests.threats.table` writes the docs' table."""
