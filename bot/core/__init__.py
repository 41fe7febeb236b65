"""The domain and the turn engine. Knows no SDK, no database driver, no environment and no platform by name."""
