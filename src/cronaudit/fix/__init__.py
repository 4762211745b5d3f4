"""Fixes: what would make a check pass, as edits of the bytes of the files that it audited. Pure: nothing is written."""
