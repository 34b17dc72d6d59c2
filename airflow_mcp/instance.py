"""One Airflow: where it is, how it is signed in to, and what may be done there."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import urlsplit, urlunsplit

import httpx
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    field_validator,
)
from pydantic import model_validator as validator

from airflow_mcp.errors import SettingsError
from airflow_mcp.headers import checked_value, parse_headers
from airflow_mcp.release import ApiName

PREFIX = "AIRFLOW_MCP_"

ApiVersion = Literal["auto", ApiName]

LONGEST_SETTING = 16 * 1024
"""Characters; servers take no header that is much longer."""
_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")


def _file(value: Any) -> Any:
    """The whole name of a file. Raises ValueError for one that the system does not take, or keeps from us."""
    file = Path(os.path.expanduser(value))  # noqa: PTH111 - Path's own ends at a user who is not there
    try:
        file.stat()
    except FileNotFoundError:
        return file  # refused next, as what is no file
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    return file


HomeFile = Annotated[FilePath, BeforeValidator(_file)]
HomeName = Annotated[str, BeforeValidator(os.path.expanduser)]
"""A file, and the name of one; a client's configuration is no shell, so `~` is ours to expand."""
SecretName = Literal["password", "token", "cookie", "headers"]
SECRETS: tuple[SecretName, ...] = get_args(SecretName)
"""What is given as `<name>`, or in the file `<name>_file`."""
SignInName = Literal["password", "token", "command", "cookie", "kerberos"]
SIGN_INS: Mapping[SignInName, tuple[str, ...]] = {
    "kerberos": ("auth",),
    "password": ("username", "password", "password_file"),
    "token": ("token", "token_file"),
    "command": ("token_command",),
    "cookie": ("cookie", "cookie_file"),
}
"""Each way to sign in, with the settings of which one alone chooses it."""


class Instance(BaseModel):
    """Where one Airflow is, how to sign in, and what this server may do there."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(
        "http://localhost:8080",
        description="Address of Airflow's web server, with its path prefix if it has one.",
    )
    username: str | None = Field(None, description="User name, for a sign-in with a password.")
    password: SecretStr | None = Field(None, description="Password of that user.")
    password_file: HomeFile | None = Field(
        None, description="File that holds the password; read at each use, so it may change."
    )
    token: SecretStr | None = Field(None, description="Bearer token, instead of user name and password.")
    token_file: HomeFile | None = Field(
        None, description="File that holds the token; read at each use, so it may change."
    )
    token_command: SecretStr | None = Field(
        None,
        description="Command that prints a token, alone or as JSON with its expiry; run again before it runs out. "
        "It is not given to a shell.",
    )
    cookie: SecretStr | None = Field(None, description="Session cookie, `name=value`, instead of a token.")
    cookie_file: HomeFile | None = Field(
        None, description="File that holds the cookie; read at each use, so it may change."
    )
    auth: Literal["auto", "kerberos"] = Field(
        "auto",
        description="`kerberos` signs in to Airflow 2 with a Kerberos ticket (extra `kerberos`); `auto` with the "
        "password, token, command or cookie that is set.",
    )
    kerberos_service: str = Field("airflow", description="Service name of Airflow's web server in Kerberos.")
    kerberos_host: str | None = Field(None, description="Its host name in Kerberos, where it is not the URL's.")
    kerberos_principal: str | None = Field(
        None, description="Principal to sign in as, where it is not that of the cache, or the first of the keytab."
    )
    kerberos_keytab: HomeFile | None = Field(
        None, description="Keytab that holds the principal's key, for a sign-in without `kinit`."
    )
    kerberos_ccache: HomeName | None = Field(
        None, description="Cache with the tickets of `kinit`, where it is not the default one: a file, or TYPE:name."
    )
    api_version: ApiVersion = Field("auto", description="`v1` (Airflow 2) or `v2` (Airflow 3); `auto` asks the server.")
    verify_ssl: bool = Field(True, description="Check the server's certificate.")
    ca_bundle: HomeFile | None = Field(
        None, description="PEM file of the certificate authorities to trust, for a private one."
    )
    client_cert: HomeFile | None = Field(
        None, description="PEM file of the client certificate that a proxy before Airflow asks for."
    )
    client_key: HomeFile | None = Field(None, description="PEM file of its key, where that is not in the same file.")
    client_key_password: SecretStr | None = Field(None, description="Password of that key.")
    headers: SecretStr | None = Field(
        None, description="More headers for each request, for a proxy: one `Name: value` a line."
    )
    headers_file: HomeFile | None = Field(
        None, description="File that holds the headers; read at each use, so it may change."
    )
    timeout: float = Field(
        30, gt=0, le=600, description="Seconds that one request to Airflow may take, retries included."
    )
    read_only: bool = Field(False, description="Offer no tool that changes anything, and send no change.")

    @field_validator("*", mode="before")
    @classmethod
    def _is_text(cls, value: Any) -> Any:
        """Refuse what nothing can be sent of, before anything looks at it."""
        if isinstance(value, str) and len(value) > LONGEST_SETTING:
            raise ValueError(f"is {len(value)} characters long; {LONGEST_SETTING} are allowed")
        if isinstance(value, str) and _HALF_CHARACTER.search(value):
            raise ValueError("is no text: it holds bytes that are not UTF-8")
        return value

    @field_validator("url")
    @classmethod
    def _base_url(cls, value: str) -> str:
        try:
            parts = urlsplit(value.strip())
            _ = parts.port
        except ValueError:  # its message quotes the URL, which may hold a password
            raise ValueError("is no URL, or its port is no number up to 65535") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or len(value.split()) != 1:
            raise ValueError("must look like https://airflow.example.com or http://host:8080/prefix")
        if parts.query or parts.fragment:
            raise ValueError("must end with the path: no '?' and no '#'")
        try:
            _ = httpx.URL(value.strip()).host  # read, since the name of a host is decoded there
        except (httpx.InvalidURL, UnicodeError):
            raise ValueError("holds what no URL can, or a host that cannot be looked up: check the host") from None
        path = parts.path.rstrip("/")
        for api in ("/api/v1", "/api/v2"):
            path = path.removesuffix(api)
        return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/"), "", ""))

    @field_validator("kerberos_service", "kerberos_host")
    @classmethod
    def _bare_name(cls, value: str | None) -> str | None:
        if value is not None and (len(value.split()) != 1 or "@" in value or "/" in value):
            raise ValueError("must be a bare name, without '@', '/' and blanks")
        return value and value.strip()

    @validator(mode="after")
    def _no_credentials_in_url(self) -> Self:
        parts = urlsplit(self.url)
        if parts.username or parts.password:
            url, username, password = map(self.named, ("url", "username", "password"))
            raise ValueError(f"{url}: must not hold credentials: set {username} and {password}")
        return self

    @validator(mode="after")
    def _one_source_each(self) -> Self:
        for name in SECRETS:
            if getattr(self, name) and getattr(self, f"{name}_file"):
                raise ValueError(f"{self.named(name)} and {self.named(f'{name}_file')} are both set: keep one")
        return self

    @validator(mode="after")
    def _one_sign_in(self) -> Self:
        chosen = [*self._chosen().values()]
        if len(chosen) > 1:
            raise ValueError(f"{chosen[0]} and {chosen[1]} are both set: keep one sign-in")
        if self.username and not self.has("password"):
            raise ValueError(f"{self.named('username')} is set without {self.named('password')}")
        if self.has("password") and not self.username:
            raise ValueError(f"{self.named('password')} is set without {self.named('username')}")
        return self

    @validator(mode="after")
    def _kerberos_whole(self) -> Self:
        if self.auth != "kerberos":
            for name in Instance.model_fields:
                if name.startswith("kerberos_") and self._is_given(name):
                    raise ValueError(f"{self.named(name)} is set without {self.named('auth', 'kerberos')}")
        elif self.api_version == "v2":
            kerberos, version = self.named("auth", "kerberos"), self.named("api_version")
            raise ValueError(f"{kerberos} needs Airflow 2, and {version} is v2: keep one")
        if self.kerberos_keytab and self.kerberos_ccache:
            keytab, cache = self.named("kerberos_keytab"), self.named("kerberos_ccache")
            raise ValueError(f"{keytab} and {cache} are both set: keep one")
        return self

    @validator(mode="after")
    def _certificate_whole(self) -> Self:
        if self.client_cert and not self.url.startswith("https:"):
            raise ValueError(f"{self.named('client_cert')} needs an https address in {self.named('url')}")
        for name in ("client_key", "client_key_password"):
            if getattr(self, name) and not self.client_cert:
                raise ValueError(f"{self.named(name)} is set without {self.named('client_cert')}")
        return self

    @field_validator("token_command")
    @classmethod
    def _command_line(cls, value: SecretStr | None) -> SecretStr | None:
        try:
            if value is not None and not any(shlex.split(value.get_secret_value())[:1]):
                raise ValueError("names no program")
        except ValueError as error:  # its message quotes nothing of the line
            raise ValueError(f"is no command line: {str(error).lower()}") from None
        return value

    @validator(mode="after")
    def _headers_whole(self) -> Self:
        if self.headers:
            self.read_headers()
        return self

    def has(self, name: SecretName) -> bool:
        """Whether a secret is set, here or in a file."""
        return getattr(self, name) is not None or getattr(self, f"{name}_file") is not None

    def named(self, field: str, value: str = "") -> str:
        """A setting as its reader wrote it, for a message: of a secret, the one for its file where that was given.

        With a `value`, as that is written.
        """
        if field in SECRETS and getattr(self, field) is None and getattr(self, f"{field}_file") is not None:
            field = f"{field}_file"
        return f"{variable(field)}={value}" if value else variable(field)

    def read(self, name: SecretName) -> str:
        """A secret as it is now; empty for one that is not set. Raises SettingsError when its file cannot be read."""
        given: SecretStr | None = getattr(self, name)
        if given is not None:
            return given.get_secret_value()
        file: Path | None = getattr(self, f"{name}_file")
        return _content(file, self.named(name)) if file else ""

    def read_header(self, name: Literal["token", "cookie"]) -> str:
        """A secret that is sent as a header. Raises SettingsError for one that no header can hold, too."""
        try:
            return checked_value(self.read(name), "it")
        except ValueError as error:
            raise SettingsError(f"{self.named(name)}: {error}.") from None

    def read_headers(self) -> dict[str, str]:
        """The further headers as they are now, by lower-case name. Raises SettingsError for what is none."""
        if not self.has("headers"):
            return {}
        source, taken = self.named("headers"), "cookie" if self.sign_in == "cookie" else "authorization"
        try:
            headers = parse_headers(self.read("headers"))
        except ValueError as error:
            raise SettingsError(f"{source}: {error}.") from None
        if taken in headers and self.sign_in:
            raise SettingsError(f"{source}: {taken} is what the sign-in sets: remove it, or the sign-in's settings.")
        return headers

    @property
    def sign_in(self) -> SignInName | None:
        """The way to sign in that is set; None for none."""
        return next(iter(self._chosen()), None)

    def _chosen(self) -> dict[SignInName, str]:
        """Each way to sign in that is set, with the setting that chooses it."""
        chosen: dict[SignInName, str] = {}
        for way, fields in SIGN_INS.items():
            for name in filter(self._is_given, fields):
                chosen.setdefault(way, self.named(name, self.auth if name == "auth" else ""))
        return chosen

    def _is_given(self, name: str) -> bool:
        return bool(getattr(self, name) != Instance.model_fields[name].default)

    def read_command(self) -> list[str]:
        """The command that prints a token: its program and arguments."""
        return shlex.split(self.token_command.get_secret_value()) if self.token_command else []

    @property
    def program(self) -> str:
        """The name of that command's program, which is all that may be told of it."""
        return Path(self.read_command()[0]).name if self.token_command else ""


def variable(name: str) -> str:
    """The environment variable that a setting comes from."""
    return f"{PREFIX}{name.upper()}"


def _content(file: Path, source: str) -> str:
    try:
        secret = file.read_text().strip()
    except OSError as error:
        raise SettingsError(f"{source}: cannot be read: {error.strerror}. Check the file.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{source}: the file is not text. Check the file.") from None
    if not secret:
        raise SettingsError(f"{source}: the file is empty. Write the secret into it.")
    return secret
