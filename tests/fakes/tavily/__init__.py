"""A fake of Tavily's API, as its reference describes it."""
