"""Text that tries to take a model over, as data, and what must hold for each whatever the model does with it."""
