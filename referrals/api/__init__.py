"""What visitors and programs ask of codes, links and referrals."""
