"""Whom antifraud stops: a made-up population whose crooks are known, and a peak and an attack on real orders."""
