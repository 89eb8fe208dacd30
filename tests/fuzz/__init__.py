"""The API under a fuzzer: whatever is sent, it answers as its reference says. `make fuzz`."""
