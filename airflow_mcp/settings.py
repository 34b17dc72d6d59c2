"""The settings, read from the environment: one variable `AIRFLOW_MCP_<NAME>` a field."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic import model_validator as validator

from airflow_mcp.errors import SettingsError

PREFIX = "AIRFLOW_MCP_"

ApiVersion = Literal["auto", "v1", "v2"]
SignIn = Literal["auto", "kerberos"]
HomeFile = Annotated[FilePath, BeforeValidator(os.path.expanduser)]
HomeName = Annotated[str, BeforeValidator(os.path.expanduser)]
"""A file, and the name of one; a client's configuration is no shell, so `~` is ours to expand."""
ConfirmPolicy = Literal["argument", "plan"]


class Settings(BaseModel):
    """Where Airflow is, how to sign in, and what this server may do there."""

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
    auth: SignIn = Field(
        "auto",
        description="`kerberos` signs in to Airflow 2 with a Kerberos ticket (extra `kerberos`); `auto` with the "
        "password or token that is set.",
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
    timeout: float = Field(
        30, gt=0, le=600, description="Seconds that one request to Airflow may take, retries included."
    )
    read_only: bool = Field(False, description="Offer no tool that changes anything, and send no change.")
    confirm: ConfirmPolicy = Field(
        "argument",
        description="What a change needs: `argument` (confirm=true), or `plan` (confirm=true and the plan of "
        "a preview that still holds).",
    )

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
        if parts.username or parts.password:
            raise ValueError("must not hold credentials: set AIRFLOW_MCP_USERNAME and AIRFLOW_MCP_PASSWORD")
        if parts.query or parts.fragment:
            raise ValueError("must end with the path: no '?' and no '#'")
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
    def _kerberos_alone(self) -> Self:
        fields = Settings.model_fields
        changed = [f"{PREFIX}{name.upper()}" for name, field in fields.items() if getattr(self, name) != field.default]
        if self.auth != "kerberos":
            for variable in changed:
                if variable.startswith(f"{PREFIX}KERBEROS_"):
                    raise ValueError(f"{variable} is set without {PREFIX}AUTH=kerberos")
            return self
        for variable in changed:
            if variable.removeprefix(PREFIX).partition("_")[0] in ("USERNAME", "PASSWORD", "TOKEN"):
                raise ValueError(f"{PREFIX}AUTH=kerberos and {variable} are both set: keep one sign-in")
        if self.api_version == "v2":
            raise ValueError(f"{PREFIX}AUTH=kerberos needs Airflow 2, and {PREFIX}API_VERSION is v2: keep one")
        if self.kerberos_keytab and self.kerberos_ccache:
            raise ValueError(f"{PREFIX}KERBEROS_KEYTAB and {PREFIX}KERBEROS_CCACHE are both set: keep one")
        return self

    @validator(mode="after")
    def _one_source_each(self) -> Self:
        if self.password and self.password_file:
            raise ValueError("AIRFLOW_MCP_PASSWORD and AIRFLOW_MCP_PASSWORD_FILE are both set: keep one")
        if self.token and self.token_file:
            raise ValueError("AIRFLOW_MCP_TOKEN and AIRFLOW_MCP_TOKEN_FILE are both set: keep one")
        if self.has_token and (self.username or self.has_password):
            raise ValueError("AIRFLOW_MCP_TOKEN and a user name or password are both set: keep one sign-in")
        if self.username and not self.has_password:
            raise ValueError("AIRFLOW_MCP_USERNAME is set without AIRFLOW_MCP_PASSWORD")
        if self.has_password and not self.username:
            raise ValueError("AIRFLOW_MCP_PASSWORD is set without AIRFLOW_MCP_USERNAME")
        return self

    @property
    def has_password(self) -> bool:
        """Whether a password is set, here or in a file."""
        return self.password is not None or self.password_file is not None

    @property
    def has_token(self) -> bool:
        """Whether a token is set, here or in a file."""
        return self.token is not None or self.token_file is not None

    def read_password(self) -> str:
        """The password as it is now. Raises SettingsError when its file cannot be read."""
        return _secret(self.password, self.password_file, "PASSWORD_FILE")

    def read_token(self) -> str:
        """The token as it is now. Raises SettingsError when its file cannot be read."""
        token = _secret(self.token, self.token_file, "TOKEN_FILE").strip()
        if not (token.isascii() and token.isprintable()):
            name = "TOKEN_FILE" if self.token is None else "TOKEN"
            raise SettingsError(f"{PREFIX}{name}: holds a line break or another character that no token has.")
        return token


def _secret(value: SecretStr | None, file: Path | None, name: str) -> str:
    if value is not None:
        return value.get_secret_value()
    if file is None:
        return ""
    try:
        secret = file.read_text().strip()
    except OSError as error:
        raise SettingsError(f"{PREFIX}{name}: cannot be read: {error.strerror}. Check the file.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{PREFIX}{name}: the file is not text. Check the file.") from None
    if not secret:
        raise SettingsError(f"{PREFIX}{name}: the file is empty. Write the secret into it.")
    return secret


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables; an empty variable counts as not set.

    Raises SettingsError with one line that names the variable at fault, never its value.
    """
    given = {name: value for name, value in environ.items() if name.startswith(PREFIX) and value.strip()}
    known = {PREFIX + field.upper(): field for field in Settings.model_fields}
    for name in sorted(given.keys() - known.keys()):
        near = get_close_matches(name.removeprefix(PREFIX).lower(), Settings.model_fields, n=1)
        hint = f" Did you mean {PREFIX}{near[0].upper()}?" if near else ""
        raise SettingsError(f"{name} is not a setting.{hint}")
    try:
        return Settings.model_validate({known[name]: value for name, value in given.items()})
    except ValidationError as error:
        raise SettingsError(_first_line(error)) from None


def _first_line(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    problem = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return problem
    return f"{PREFIX}{str(first['loc'][0]).upper()}: {problem[0].lower()}{problem[1:]}"
