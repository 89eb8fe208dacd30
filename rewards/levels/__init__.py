"""Levels: the tenant's ladder, what is measured for it, who stands where, and the review that moves them."""
