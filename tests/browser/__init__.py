"""The console in a real browser, and the tools by which its tests look at a page."""
