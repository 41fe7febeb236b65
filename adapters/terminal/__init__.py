"""The terminal as a door: a chat with line editing on a screen, one message a line through a pipe."""
