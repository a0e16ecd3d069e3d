"""Judge a candidate release against its baseline, and move traffic accordingly."""
