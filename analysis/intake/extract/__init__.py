"""Extracts of actions of any size: files or a table of a server, read, checked and typed in an
engine, row by row nowhere."""
