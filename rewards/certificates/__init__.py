"""Certificates of brands: from a stock of codes, or bought online, and shown to the member on a page of their own."""
