"""Settings of a process, from the environment and files of secrets, refused where production needs others.

A setting declares beside its type what it must be in production, so that all that is wrong is named in one go.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    SecretStr,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import CoreSchema, core_schema
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from shared.runtime.regular_file import read_text

PREFIX = "THROUGHLINE_"
MODE = "THROUGHLINE_MODE"
SECRETS_DIR = "THROUGHLINE_SECRETS_DIR"
Mode = Literal["development", "production"]
S = TypeVar("S", bound=BaseSettings)
_FIELD = re.compile('field "([^"]+)"')


class CannotStart(Exception):
    """A setting cannot be used; the message names the variable."""


@dataclass(frozen=True)
class InProduction:
    """The condition that a setting meets in production, in words that continue "in production it", and as a test."""

    words: str
    holds: Callable[[Any], bool]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._check, handler(source))

    def _check(self, value: Any, info: ValidationInfo) -> Any:
        if is_production(info) and not self.holds(value):
            raise ValueError(f"in production it {self.words}")
        return value


def is_production(info: ValidationInfo) -> bool:
    """Tell, in the validator of a field, whether the settings are those of production."""
    return info.data.get("mode") == "production"


def _readable(path: Path | None) -> Path | None:
    if path is not None:
        try:
            read_text(path)
        except (OSError, UnicodeDecodeError) as fault:
            raise ValueError(why_unreadable(path, fault)) from None
    return path


def why_unreadable(path: Path, fault: OSError | UnicodeDecodeError) -> str:
    """Return in words why a file cannot be read; where it is forbidden, whose file it is and who would read it."""
    why = fault.strerror if isinstance(fault, OSError) and fault.strerror else "it is no text in UTF-8"
    try:
        owner = path.stat()
    except OSError:
        return f"{path} cannot be read: {why}"
    whose = f"owner {owner.st_uid}, group {owner.st_gid}, mode {owner.st_mode & 0o7777:04o}"
    return f"{path} cannot be read by user {os.geteuid()}: {why} ({whose})"


def written(secret: SecretStr | None) -> SecretStr | None:
    """Refuse a secret that a lost write left empty, or an editor with a mark that no server expects."""
    text = "present" if secret is None else secret.get_secret_value()
    if not text.strip():
        raise ValueError("is empty")
    if text.startswith("\ufeff") or "\0" in text:
        raise ValueError("has a byte order mark or a zero byte: write it again as plain text in UTF-8")
    return secret


def _content(value: Any, info: ValidationInfo) -> Any:
    """Return the content of the file that the setting of the same name with _file names, unless there is a value."""
    path = info.data.get(f"{info.field_name}_file")
    return read_text(path).rstrip("\r\n") if value is None and path is not None else value


ReadableFile = Annotated[Path | None, AfterValidator(_readable)]
FromFile = BeforeValidator(_content)
Secret = Annotated[SecretStr | None, FromFile, AfterValidator(written)]
"""A secret, of which the field before it, with the same name and _file, may name the file."""


def _networks(fronts: str) -> str:
    for front in _fronts(fronts):
        try:
            ip_network(front)
        except ValueError:
            raise ValueError(f"{front[:60]!r} is no address or network, as in 10.1.2.3 or 10.1.0.0/16") from None
    return fronts


def _fronts(fronts: str) -> list[str]:
    """Return the fronts that are to be addresses or networks: all but *, which stands for anybody."""
    return [each for part in fronts.split(",") if (each := part.strip()) not in ("", "*")]


def _believes_some(fronts: str) -> bool:
    return "*" not in fronts and all(ip_network(front).prefixlen for front in _fronts(fronts))


Fronts = Annotated[
    str,
    AfterValidator(_networks),
    InProduction("lists addresses or networks: *, 0.0.0.0/0 or ::/0 would believe anybody", _believes_some),
]
Port = Annotated[int, Field(ge=0, lt=2**16)]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
PATH = r"^(/[A-Za-z0-9._~-]+)*$"
RootPath = Annotated[str, Field(pattern=PATH)]
PRESENT = InProduction("must be set", lambda value: value is not None)


class Configuration(BaseSettings):
    """The settings of every process."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, validate_default=True)

    mode: Mode = Field("development", description="`production` refuses to start with a setting that is unsafe there")

    def variable(self, name: str) -> str:
        """Return the variable that gives a setting: its own, or the one that names its file."""
        named = getattr(self, f"{name}_file") is not None and variable_of(type(self), name) not in _environment()
        return variable_of(type(self), f"{name}_file" if named else name)


def variable_of(kind: type[BaseSettings], name: str) -> str:
    """Return the name of a setting's variable in the environment."""
    field = kind.model_fields.get(name)
    alias = field.validation_alias if field else None
    return alias if isinstance(alias, str) else (str(kind.model_config.get("env_prefix", "")) + name).upper()


def read(kind: type[S], **given: Any) -> S:
    """Read settings from the environment and the folder of secrets, some of them given.

    Raises CannotStart, which names every setting that is missing or cannot be used, without the values.
    """
    settings: S | None = None
    faults = list(_secrets_in_the_environment(kind, given.get("mode")))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # a file of secrets that is none is only warned of
            settings = kind(_secrets_dir=os.environ.get(SECRETS_DIR) or None, **given)
    except ValidationError as error:
        faults += _lines(kind, error)
    except SettingsError as error:
        faults.append(_unread(kind, error))
    except (OSError, UserWarning) as error:
        faults.append(_unreadable(error))
    if settings is None or faults:
        raise CannotStart("\n".join(faults)) from None
    return settings


def secret_of(variable: str) -> str | None:
    """Return the content of the file that takes the place of a variable, or None. Raises CannotStart."""
    folder = os.environ.get(SECRETS_DIR)
    try:
        for file in Path(folder).iterdir() if folder else ():
            if file.name.upper() == variable:
                return read_text(file).strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise CannotStart(_unreadable(fault)) from None
    return None


def _lines(kind: type[BaseSettings], error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_input=False, include_url=False):
        first, *rest = map(str, fault["loc"])
        name = first if first == MODE else "_".join([variable_of(kind, first), *rest]).upper()
        yield f"{name}: {fault['msg'].removeprefix('Value error, ')}"


def _unread(kind: type[BaseSettings], error: SettingsError) -> str:
    field, cause = _FIELD.search(str(error)), error.__cause__
    if field is not None and isinstance(cause, AssertionError):  # pydantic-settings asserts that there is a file
        return f"{variable_of(kind, field[1])}: its file in {SECRETS_DIR} is a symbolic link to nothing"
    if isinstance(cause, UserWarning) and field is not None:  # the file is none, or lies elsewhere
        return f"{variable_of(kind, field[1])}: {str(cause).rstrip('.')}: put a file with the content there"
    if isinstance(cause, OSError) or field is None:
        return _unreadable(cause or error)
    return f"{variable_of(kind, field[1])}: is not {'text in UTF-8' if isinstance(cause, UnicodeError) else 'JSON'}"


def _unreadable(fault: BaseException) -> str:
    if isinstance(fault, OSError) and fault.filename is not None:
        return f"{SECRETS_DIR}: {why_unreadable(Path(fault.filename), fault)}"
    return f"{SECRETS_DIR}: {fault}"


def _secrets_in_the_environment(kind: type[BaseSettings], mode: str | None) -> Iterator[str]:
    """Yield the secrets that the environment of a process in production holds, where its children inherit them."""
    environment = _environment()
    if (mode or environment.get(MODE)) != "production":
        return
    for name, field in kind.model_fields.items():
        variable = variable_of(kind, name)
        if is_secret(field.annotation) and _holds_secret(environment.get(variable)):
            yield f"{variable}: in production a secret is in a file: put it into the folder of {SECRETS_DIR}"


def _holds_secret(value: str | None) -> bool:
    """Tell whether a value is to be kept secret: an address is where it has a password."""
    return value is not None and ("://" not in value or ":" in value.partition("://")[2].rpartition("@")[0])


def is_secret(annotation: Any) -> bool:
    """Tell whether a setting of this type is a secret."""
    return annotation is SecretStr or SecretStr in get_args(annotation)


def _environment() -> dict[str, str]:
    return {name.upper(): value for name, value in os.environ.items()}
