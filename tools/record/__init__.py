"""The record format: its parser, its checks, and its loading through the services' commands."""
