"""An independent reading of the rules: what the bot must decide from a purchase history, from the standard
library alone.
"""
