"""The console: pages for a browser, a client of the services' HTTP APIs."""
