"""What names, values and calls mean across files, and what a run of a function may reach."""
