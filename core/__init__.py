"""The kernel: what every floor stands on. A closed list of modules, and no tables."""
