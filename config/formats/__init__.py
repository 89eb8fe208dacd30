"""How numbers are written where Django's own formats differ from what readers know (FORMAT_MODULE_PATH)."""
