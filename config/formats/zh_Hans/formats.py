"""Simplified Chinese: digits in groups of three, as Unicode's CLDR has it and as sums of money are written."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
