"""The image: built as an operator builds it, and looked at from within."""

from __future__ import annotations

import json
import re
import subprocess

from tests.deploy.engine import Engine
from tests.deploy.platform import NotAsExpected
from tools.files import CHECKOUT

VERSION = "0.0.0-test"
TAGS = {"platform": "throughline:deploy-test", "development": "throughline:deploy-test-development"}
BUILD_TOOLS = ("gcc", "cc", "make", "pip", "pip3", "git")
MODULES = ("pip", "ensurepip", "aiosmtpd", "tools.local", "pytest")
LOOK = """
import importlib.util, json, os, shutil, sys
from shared.runtime.version import version
from tools.console import languages
print(json.dumps({
    "user": [os.getuid(), os.getgid()],
    "tools": [name for name in %r if shutil.which(name)],
    "modules": [name for name in %r if importlib.util.find_spec(name)],
    "writable": [path for path in ("/app", "/opt/venv", "/usr", "/etc", "/root") if os.access(path, os.W_OK)],
    "sbom": len(json.load(open("/opt/venv/share/doc/throughline/sbom.cdx.json"))["components"]),
    "languages": [str(languages._locale(code)) for code in languages.LANGUAGES],
    "version": version(),
    "topics": os.path.exists("/app/deploy/topics.yaml"),
    "python": sys.version.split()[0],
}))
"""


def build(engine: Engine, base: str) -> None:
    """Build both targets on a base."""
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    ).stdout.strip()
    arguments = {"BASE": base, "VERSION": VERSION, "REVISION": revision or "unknown"}
    options = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    for target, tag in TAGS.items():
        dockerfile = CHECKOUT / "deploy/Dockerfile"
        engine.docker("build", *options, "--file", str(dockerfile), "--target", target, "--tag", tag, str(CHECKOUT))


def look(engine: Engine) -> dict[str, str]:
    """Hold the image to what docs/compose.md says of it; return its figures. Raises NotAsExpected."""
    tag = TAGS["platform"]
    hardened = ("run", "--rm", "--read-only", "--network=none", "--cap-drop=ALL", tag)
    seen = json.loads(engine.docker(*hardened, "python3", "-c", LOOK % (BUILD_TOOLS, MODULES)))
    wanted = {"user": [10001, 10001], "tools": [], "modules": [], "writable": [], "topics": True}
    wanted["version"] = VERSION
    wanted["languages"] = ["en_GB", "fr", "ru", "zh"]
    if wrong := {name: seen[name] for name, value in wanted.items() if seen[name] != value}:
        raise NotAsExpected(f"the image has {wrong}")
    pinned = len(re.findall(r"^[a-z0-9]\S*==", (CHECKOUT / "requirements.runtime.lock").read_text(), re.M))
    if not pinned - 5 <= seen["sbom"] <= pinned:  # packages for other systems are in the lock alone
        raise NotAsExpected(f"the bill of materials has {seen['sbom']} components, the lock {pinned}")
    if "audit verify" not in engine.docker(*hardened, "throughline", "audit", "verify", "--help"):
        raise NotAsExpected("the command line does not start in the image")
    labels = json.loads(engine.docker("inspect", "--format", "{{json .Config.Labels}}", tag))
    if labels["org.opencontainers.image.version"] != VERSION:
        raise NotAsExpected(f"labels: {labels}")
    return {"python": seen["python"], "components": str(seen["sbom"]), "size": size(engine, tag)}


def size(engine: Engine, tag: str) -> str:
    """Return the size of an image over its first layer."""
    layers = engine.docker("history", "--human=false", "--format", "{{.Size}}", tag).split()
    whole = int(engine.docker("inspect", "--format", "{{.Size}}", tag))
    own = sum(int(each) for each in layers[: _own_layers(engine, tag)])
    return f"{own / 1e6:.0f} MB over its base, {whole / 1e6:.0f} MB in all"


def _own_layers(engine: Engine, tag: str) -> int:
    """Return how many steps the Dockerfile added: those up to the first that is a label of ours."""
    steps = engine.docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", tag).splitlines()
    return next(index for index, step in enumerate(steps) if "ARG VERSION" in step) + 1
