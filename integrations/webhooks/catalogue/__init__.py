"""Every kind of fact that Sarafan records, grouped as in the list that one chooses from."""
