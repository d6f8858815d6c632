"""The demo company: a small deterministic trading business that lives in a U8-shaped database.

It stands for a customer's ERP. It knows nothing of the workspace; whoever wants its figures reads
its tables through a login that may only read. ``seed`` founds it, ``python -m demo.live`` runs it.
"""

from demo.seeding import seed

__all__ = ["seed"]
