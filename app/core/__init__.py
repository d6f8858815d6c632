"""What every package stands on: database, unit of work, facts, jobs, errors, HTTP, paging, clock, settings.

Always true: PostgreSQL is the only truth; a fact is recorded in the transaction that made it;
every row belongs to one tenant and every transaction sees one tenant.
"""
