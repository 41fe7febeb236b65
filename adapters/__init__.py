"""The doors to the core: one package for each platform; they do not know each other."""
