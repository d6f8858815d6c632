"""Mappings: configuration that says which column of an ERP feeds which field of our facts.

A mapping is a YAML file with a closed grammar (`grammar`), read once (`loader`) and compiled to
plain Python functions (`compiler`) that turn one ERP row into one row of a canonical table.
"""
