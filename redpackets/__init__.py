"""Red packets: rewards paid by the organisation from a budget, and the double-entry ledger beneath them.

Words: a *budget* is what a cost centre may spend in a period; a *packet* is an amount of a budget, cut into
*shares* that an audience can take; *escrow* is what a packet still owes its free shares; a *wallet* is what the
company owes a person (a payable: we hold no stored value).

Money moves from the debited to the credited account, never otherwise; an account's balance is its credits minus
its debits, and all balances of a unit add up to nothing:

    treasury → budget (allot; back: withdraw) → escrow of a packet (fund; back: refund) → payable of a person (claim)
    payable of a person → in flight (prepared) → payroll or rail (paid; back: failed)
    points of a person → catalogue (reserved; back: declined, withdrawn) → treasury (fulfilled)

Always true: shares add up to their packet; held + spent ≤ limit; a journal entry never changes; who was told "won"
holds that share for ever; a share is claimed or refunded, once. ``verification`` proves it from the rows.
"""
