"""Starting, keeping and stopping the product on one machine."""
