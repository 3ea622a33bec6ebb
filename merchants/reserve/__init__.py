"""The reserve report for people: the public page, and the same on paper."""
