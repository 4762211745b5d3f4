"""Recognition: resolved calls become jobs, and what surrounds them becomes facts."""
