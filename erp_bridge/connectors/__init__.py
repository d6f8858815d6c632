"""Connectors: code that reads one kind of ERP. Generators only; the platform's database is unknown here."""
