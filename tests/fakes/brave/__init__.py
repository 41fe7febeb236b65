"""A fake of Brave Search's API, as its reference describes it."""
