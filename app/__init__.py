"""The workspace's ground floor (core, people, delivery) and its composition root (factory, cli)."""
