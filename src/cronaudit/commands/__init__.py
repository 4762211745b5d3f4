"""One module a command, and what commands share. Only these write anything."""
