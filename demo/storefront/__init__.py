"""
The record shop's own site, as its developers would write it: it receives webhooks, and its page reads the API.

It knows Sarafan by its documents only, and imports nothing of it.
"""
