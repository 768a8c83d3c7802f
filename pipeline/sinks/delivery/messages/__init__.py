"""The messages that are shipped for chats and ticket systems, as templates."""
