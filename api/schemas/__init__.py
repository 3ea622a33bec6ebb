"""The bodies of the API, as models: strict on the way in, and on the way out what the documentation shows.

Amounts are whole cents. Account numbers are text with a check character. Ids, keys, hashes and signatures are
lower-case hex; signed messages are base32. Times are RFC 3339 in UTC.
"""
