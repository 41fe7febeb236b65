"""Tools of other programs, by the Model Context Protocol; the library is imported only when servers are configured."""
