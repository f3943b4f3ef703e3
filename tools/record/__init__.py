"""The record format: what a file may say, how it is checked, and how it is loaded through the services' commands."""
