"""cronaudit: a static auditor of the scheduled jobs of a codebase."""

__version__ = "0.1.0"
