"""Euros out: what shops are owed, as files for the bank that people sign, and what the bank made of them.

    index     which reconversions are owed, ordered, paid, undone: kept in the commits that make them so
    owed      the payouts, read
    noted     files as the log has them
    contents  what a file orders, read from its bytes
    approval  who signs a file, and whether enough people did
    batches   due payouts as one pain.001 file; withdrawing it, fetching it
    undoing   a payout that the bank rejects or sends back: the shop has its units again
    lines     lines of statements that are payouts, or payouts that came back; why one is none
    placing   lines that a person says are payouts
    payees    whether the names of a file are those of its accounts' holders, as the bank tells
    answers   pain.002: the bank's own answer to a file

The life of a payout: what happens to it, the kind of the entry, what it moves (debit -> credit, euros but for units).

    accepted     reconversion        units waiting -> circulation; guarantee -> payouts; fee: guarantee -> income
    paid         bank_payout         payouts -> bank
    refused      payout_rejected     payouts -> guarantee; fee: income -> guarantee; units circulation -> shop
    came back    bank_payout_return  bank -> payouts; and then as when it is refused
    refused, and in the bank's sum of a file all the same: claims -> bank with that bank_payout, and bank -> claims with
    the bank_payout_return that brings it back; in between its shop, which has the units, owes the euros

So the statement of the account `payouts` tells the whole story, and the guarantee is back at what it was before the
reconversion when the shop has its units again: circulation never passes it. The fee goes back with the rest. Where the
association has moved its fees out of the reserve meanwhile, `income` goes below zero and the reserve report says that
the reserve lacks as much, until the association puts it back.
"""
