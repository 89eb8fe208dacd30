"""The embedded PostgreSQL and Valkey: real servers out of two wheels, run from `var/<profile>/` of the checkout."""
