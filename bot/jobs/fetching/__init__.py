"""What a sync asks the data API for, in which order, and what it may cost."""
