"""The accounts of the association, out of the log: FEC, hledger, beancount, CSV; and the closing of a year.

`pcg` and `plan` say which number of the French chart of accounts each account has, `periods` what a business year
is, `mapping` and `entries` make accounting entries of log records, one form each (`fec`, `hledger`, `beancount`,
`sheet`) writes them, `export` closes a year, and `fec_check` holds a FEC against the law.
"""
