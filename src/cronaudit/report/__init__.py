"""Reports: one module a format; a result goes in, text comes out. Nothing here writes."""
