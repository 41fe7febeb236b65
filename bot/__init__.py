"""Parley: one durable conversation core, reached from chat platforms through adapters."""
