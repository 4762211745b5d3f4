"""The builders of facts: one module for each group of fields that the decision tables ask."""
