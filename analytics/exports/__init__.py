"""Whole tables, a page of rows at a time: for a warehouse, a spreadsheet, another system."""
