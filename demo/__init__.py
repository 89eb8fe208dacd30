"""Two businesses to look at: their campaigns, and a history that is fed through the API. See README.md beside this."""
