"""MongoDB: the embedded server, and one module for each kind of document."""
