"""The console's static files: stylesheets, scripts, icons and fonts, all served by the console itself."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
VENDOR = STATIC / "vendor"
SUMS = VENDOR / "SHA256SUMS"
TEMPLATE_SCRIPT_HASH = "sha256-GUQ5ad8JK5KmEWmROf3LZd9ge94daqNvd8xy9YS1iDw="
"""The hash of the one inline script, that of govuk's page template, for `script-src`: no page needs a nonce."""
