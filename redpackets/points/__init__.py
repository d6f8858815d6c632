"""Points: when they expire, the catalogue they are redeemed from, and redemptions.

A redemption reserves its points at once (user_points → catalogue) and takes from the stock; fulfilling it gives the
points back to the treasury, declining or withdrawing it gives them back to the person.

Points that lie in a redemption do not expire. What comes back keeps its old date, so that nobody prolongs points by
asking and withdrawing; where the company declined, it lives for another thirty days at least.

Always true: the catalogue's account is the sum of open redemptions; stock never falls below nothing; the oldest
points are spent first, so what a person has are the newest points received (no lot is kept anywhere).
"""
