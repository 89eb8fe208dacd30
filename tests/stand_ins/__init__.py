"""Partners of others, played by real servers on the loopback interface."""
