"""The operator's commands that work on the database while the bot is down: import, backfill, copy."""
