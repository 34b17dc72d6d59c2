"""One Airflow: where it is, how it is signed in to, and what may be done there."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic import model_validator as validator

from airflow_mcp.errors import SettingsError
from airflow_mcp.headers import checked_value, parse_headers
from airflow_mcp.instance_fields import InstanceFields

PREFIX = "AIRFLOW_MCP_"

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


class Instance(InstanceFields):
    """One Airflow, whose settings go together; secrets are read from it at each use."""

    @validator(mode="after")
    def _no_credentials_in_url(self) -> Self:
        for name in ("url", "ui_url"):
            parts = urlsplit(getattr(self, name) or "")
            if parts.username or parts.password:
                url, username, password = map(self.named, (name, "username", "password"))
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
            raise ValueError(f"{self.named('username')} is set without {variable('password')} or its _FILE: set one")
        if self.has("password") and not self.username:
            raise ValueError(f"{self.named('password')} is set without {self.named('username')}: set both")
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
