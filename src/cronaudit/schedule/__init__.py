"""What schedules mean: notations, words, coming runs, clock changes, durations, comments.

Pure functions over `model.schedule`; a leaf that any stage may import. `cron_descriptor`, `cronsim` and the
zone data are imported by the functions that need them: together they cost 40 ms, and most commands need none.
"""
