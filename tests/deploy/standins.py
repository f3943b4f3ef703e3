"""Images that stand in for official ones, where none can be pulled: made of this machine's Debian, Python and Java.

They are not the official images: the report names them as what they are. Kafka's reads its configuration by the class
that the official one uses, which is in Kafka's own jar.
"""

from __future__ import annotations

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


def build(engine: Engine, folder: Path) -> dict[str, StandIn]:
    """Build base, python, kafka and mongo; return each with what it holds."""
    base = _base(engine)
    return {
        "python": _build(engine, folder / "python", base, _python),
        "kafka": _build(engine, folder / "kafka", base, _kafka),
        "mongo": _build(engine, folder / "mongo", base, _mongo),
    }


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


def _build(engine: Engine, folder: Path, base: str, fill: Callable[[Path], StandIn]) -> StandIn:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    image = fill(folder)
    dockerfile = (FILES / f"{folder.name}.dockerfile").read_text(encoding="utf-8")
    (folder / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    engine.docker("build", "--quiet", "--build-arg", f"BASE={base}", "--tag", image.tag, str(folder))
    shutil.rmtree(folder)
    return image


def _python(folder: Path) -> StandIn:
    """Copy the Python that runs this, which must have a prefix of its own, as the official image's has.

    It trusts the authorities that this machine trusts, by which pip reaches its index from here.
    """
    prefix = Path(sys.base_prefix)
    if prefix == Path("/usr"):
        raise EngineDown("this Python is Debian's own, in /usr: run with one that has a prefix of its own (uv, pyenv)")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    library = folder / f"python/lib/python{version}"
    shutil.copytree(prefix / f"lib/python{version}", library, symlinks=True, ignore=shutil.ignore_patterns(*SKIPPED))
    for shared in (prefix / "lib").glob("libpython*.so*"):
        shutil.copy2(shared, folder / "python/lib", follow_symlinks=False)
    (folder / "python/bin").mkdir()
    shutil.copy2(prefix / f"bin/python{version}", folder / "python/bin/python3")
    pip = next((prefix / f"lib/python{version}/ensurepip/_bundled").glob("pip-*.whl"))
    shutil.unpack_archive(pip, library / "site-packages", "zip")
    shutil.copy2(ssl.get_default_verify_paths().cafile or "", folder / "authorities.crt")
    return StandIn(f"throughline-standin/python:{version}", f"Python {sys.version.split()[0]} of this machine")


def _kafka(folder: Path) -> StandIn:
    jars, java = fetch.kafka(), fetch.java()
    shutil.copytree(jars, folder / "libs")
    home = java.resolve().parents[1]
    shutil.copytree(home, folder / "java", ignore_dangling_symlinks=True)
    shutil.copy2(FILES / "kafka-run.sh", folder)
    version = next(jars.glob("kafka-clients-*.jar")).stem.rpartition("-")[2]
    return StandIn(
        f"throughline-standin/kafka:{version}", f"Apache Kafka {version} from Maven Central, this machine's Java"
    )


def _mongo(folder: Path) -> StandIn:
    binary = fetch.mongod()
    shutil.copy2(binary, folder / "mongod")
    libraries = fetch.mongod_environment(binary)["LD_LIBRARY_PATH"].partition(":")[0]
    shutil.copytree(libraries, folder / "lib")
    says = subprocess.run(
        [binary, "--version"], env=fetch.mongod_environment(binary), capture_output=True, text=True, check=True
    ).stdout
    version = says.split()[2].lstrip("v")
    return StandIn(f"throughline-standin/mongo:{version}", f"mongod {version} from PyPI, without mongosh")


def _os_release() -> dict[str, str]:
    lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}


def _run(command: list[str]) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise EngineDown(f"{command[0]} failed: {ran.stdout[-2_000:]}{ran.stderr[-2_000:]}")
