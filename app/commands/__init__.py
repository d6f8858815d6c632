"""Commands for operators, by subject; ``app.cli`` puts them together."""
