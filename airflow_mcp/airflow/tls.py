"""TLS as an instance wants it: whose certificate is believed, and which is shown."""

from __future__ import annotations

import ssl

import httpx

from airflow_mcp.errors import SettingsError
from airflow_mcp.instance import Instance


def tls_context(instance: Instance) -> ssl.SSLContext:
    """What checks the server's certificate and shows the client's own. Raises SettingsError for a bad file."""
    context = httpx.create_ssl_context(verify=instance.verify_ssl)
    if instance.verify_ssl and instance.ca_bundle:
        try:
            context = ssl.create_default_context(cafile=instance.ca_bundle)
        except (OSError, ValueError):
            raise SettingsError(f"{instance.named('ca_bundle')}: the file holds no certificates in PEM form.") from None
    if instance.client_cert:
        _present(instance, context)
    return context


def _present(instance: Instance, context: ssl.SSLContext) -> None:
    """Have the client show its certificate. Raises SettingsError when that cannot be used."""
    password = instance.client_key_password.get_secret_value() if instance.client_key_password else ""
    cert, key, key_password = map(instance.named, ("client_cert", "client_key", "client_key_password"))
    try:
        # Without a password, OpenSSL would ask at the terminal for that of a locked key.
        context.load_cert_chain(str(instance.client_cert), instance.client_key, lambda: password)
    except ssl.SSLError as error:
        # The second where the key is of another kind, such as RSA for a certificate of an elliptic curve.
        if error.reason in ("KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED"):
            raise SettingsError(f"{key}: is not the key of the certificate in {cert}.") from None
        raise SettingsError(
            f"{cert}: no certificate in PEM form, or no key that can be opened, in it and {key}. A locked key needs "
            f"{key_password}."
        ) from None
    except ValueError:
        raise SettingsError(f"{key_password}: is longer than a key's can be.") from None
    except OSError as error:
        raise SettingsError(f"{cert}, or its key, cannot be read: {error.strerror}.") from None
