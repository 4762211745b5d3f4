"""Times the tool beside the general searchers that one would use in its place."""
