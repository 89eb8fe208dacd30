"""`make bench`: how the real thing compares with what this machine can do. See README.md."""
