"""Loads and validates the rules, decides every check, rolls up, and sets waivers and the baseline against it."""
