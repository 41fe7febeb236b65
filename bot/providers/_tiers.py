"""Service tiers: which of a provider's words mean the one that everybody gets, at the listed prices."""

#: In the words of OpenAI, Groq, Anthropic and Gemini.
USUAL_TIERS = frozenset({"auto", "default", "on_demand", "standard"})


def unusual_tier(word: object) -> str | None:
    """The tier that an answer names, in lower case; None for the usual one, and for what is no word."""
    tier = word.lower() if isinstance(word, str) else ""
    return tier if tier and tier not in USUAL_TIERS else None
