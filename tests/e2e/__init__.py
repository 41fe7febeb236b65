"""The whole bot as a subprocess, set up by environment variables alone, against wire servers and MongoDB."""
