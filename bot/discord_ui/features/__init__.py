"""What answers presses and forms, a module for each part of the bot."""
