"""The vocabulary that all stages share. Imports nothing of ours but its own modules."""
