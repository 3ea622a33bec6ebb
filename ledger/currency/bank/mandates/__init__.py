"""Monthly top-ups: members let their bank account be debited once a month, and units come when the euros are safe.

    text        what a member signs: the mandate as a text, in French and English
    register    mandates: signed, changed, ended, lapsed; every change is a note in the log
    notices     who is told which amount will be debited when, and until when they can be told
    announced   the month whose file is next
    collecting  one pain.008 file a month; withdrawing it, fetching it
    index       what became of each debit: kept in the commits that make it so
    known       debits by what names them in a text
    matching    lines of statements that are debits which came in, or came back
    rejecting   debits that the bank says it will not carry out
    release     units to members once the risk delay is over
    review      mandates of which debits come back again and again are suspended
    daily       all that happens by itself: lapsing, suspending, releasing
    mine        all of it as one member sees it

The life of a debit, debit -> credit. The bank's lines are bank_collection and bank_collection_unpaid:

| what happens | units | euros |
|---|---|---|
| the bank brought it | circulation -> maturing | bank -> guarantee |
| the risk delay is over (monthly_released) | maturing -> member | |
| it came back before that | maturing -> circulation | guarantee -> bank |
| it came back after that | member -> circulation, what is there | guarantee -> bank, the rest claims -> bank |
| it came back before it was brought | | claims -> bank; when it is brought, bank -> claims |

A batch is one entry, however many debits are in it: the units of all of them mature together, and each is released by
an entry of its own whose id follows from the debit. `maturing` holds at any time what was brought, did not come back
and was not released.
"""
