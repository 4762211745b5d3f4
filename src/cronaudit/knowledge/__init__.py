"""What is known of libraries: loads rules/libraries, and says what a path outside the tree means."""
