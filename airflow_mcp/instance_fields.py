"""What can be set of one Airflow, and what each setting by itself may be."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from stat import S_ISREG
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit, urlunsplit

import httpx
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, WithJsonSchema, field_validator

from airflow_mcp.release import ApiName
from airflow_mcp.text.clean import one_line

ApiVersion = Literal["auto", ApiName]

LONGEST_SETTING = 16 * 1024
"""Characters; servers take no header that is much longer."""
LONGEST_PATH_TOLD = 120
_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")


def _file(value: Any) -> Any:
    """The whole name of a file. Raises ValueError for what is none, or what the system keeps from us."""
    file = Path(os.path.expanduser(value))  # noqa: PTH111 - Path's own ends at a user who is not there
    # What does not begin at the root may be the secret itself, put into the wrong variable.
    path = f" ({one_line(str(file), LONGEST_PATH_TOLD)})" if file.is_absolute() else ": give its whole path"
    try:
        regular = S_ISREG(file.stat().st_mode)
    except FileNotFoundError:
        raise ValueError(f"there is no such file{path}") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}{path}") from None
    if not regular:
        raise ValueError(f"is not a file{path}")
    return file


HomeFile = Annotated[Path, BeforeValidator(_file), WithJsonSchema({"type": "string", "format": "file-path"})]
HomeName = Annotated[str, BeforeValidator(os.path.expanduser)]
"""A file, and the name of one; a client's configuration is no shell, so `~` is ours to expand."""


class InstanceFields(BaseModel):
    """The settings of one Airflow. Which of them go together, `Instance` tells."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(
        "http://localhost:8080",
        description="Address of Airflow's web server, with its path prefix if it has one.",
    )
    ui_url: str | None = Field(
        None, description="Address of Airflow's UI for the links in answers, where people reach it by another one."
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
            raise ValueError("is not text: it has bytes that are not UTF-8")
        return value

    @field_validator("url", "ui_url")
    @classmethod
    def _base_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value.strip())
            _ = parts.port
        except ValueError:  # its message quotes the URL, which may hold a password
            raise ValueError("is not a URL, or its port is not a number up to 65535") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or len(value.split()) != 1:
            raise ValueError("must look like https://airflow.example.com or http://host:8080/prefix")
        if parts.query or parts.fragment:
            raise ValueError("must end with the path: no '?' and no '#'")
        try:
            _ = httpx.URL(value.strip()).host  # read, since the name of a host is decoded there
        except (httpx.InvalidURL, UnicodeError):
            raise ValueError(
                "has a character that no URL can have, or a host name that is not one: check the host"
            ) from None
        path = parts.path.rstrip("/")
        for api in ("/api/v1", "/api/v2"):
            path = path.removesuffix(api)
        return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/"), "", ""))

    @field_validator("kerberos_service", "kerberos_host")
    @classmethod
    def _bare_name(cls, value: str | None) -> str | None:
        if value is not None and (len(value.split()) != 1 or "@" in value or "/" in value):
            raise ValueError("must be a name alone, without '@', '/' and blanks")
        return value and value.strip()

    @field_validator("token_command")
    @classmethod
    def _command_line(cls, value: SecretStr | None) -> SecretStr | None:
        try:
            if value is not None and not any(shlex.split(value.get_secret_value())[:1]):
                raise ValueError("names no program")
        except ValueError as error:  # its message quotes nothing of the line
            raise ValueError(f"is not a command line: {str(error).lower()}") from None
        return value
