"""`patard demo`: a town with its currency, a year of its euros and a week of its life (`town`, `year`, `week`)."""
