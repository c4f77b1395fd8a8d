"""Fanwatch: the fan CRM of a creator agency, in Discord."""

VERSION = "0.1.0"
