"""Each way to sign in: what chooses it, how it is told, and whether it is the same at each version of Airflow."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from airflow_mcp.airflow.sign_in import WAYS, how_signed_in, sign_in_to
from airflow_mcp.instance import SIGN_INS, Instance, SignInName

GIVEN: dict[SignInName | None, tuple[dict[str, Any], str, bool]] = {
    "password": ({"username": "ana", "password": "s3cret"}, "as ana, with a password", False),
    "token": ({"token": "s3cret"}, "with the given token", True),
    "command": ({"token_command": "/opt/get-token s3cret"}, "with what `get-token` printed", True),
    "cookie": ({"cookie": "session=s3cret"}, "with a session cookie", True),
    "kerberos": ({"auth": "kerberos"}, "with a Kerberos ticket", False),
    None: ({}, "none is set, and Airflow asks for none", False),
}


def test_there_is_one_of_each() -> None:
    assert {*get_args(SignInName), None} == SIGN_INS.keys() | {None} == WAYS.keys() == GIVEN.keys()


@pytest.mark.parametrize("way", GIVEN)
def test_a_way_is_chosen_told_and_made(way: SignInName | None) -> None:
    given, how, always = GIVEN[way]
    instance = Instance(**given)
    assert instance.sign_in == way
    sign_in = sign_in_to(instance)
    assert sign_in.how == how == how_signed_in(instance)
    assert (sign_in.always is not None) == always
    assert (sign_in.at("v1") is sign_in.at("v2")) == always
    assert (sign_in.at("v1") is None) == (way is None)


def test_headers_are_told_by_name_and_keep_an_open_airflow_from_being_asked_for_a_token() -> None:
    instance = Instance(headers="X-B: s3cret\nX-A: s3cret")
    assert how_signed_in(instance) == "none is set, and Airflow asks for none; more headers: x-a, x-b"
    assert sign_in_to(instance).at("v2") is None
    assert sign_in_to(Instance()).at("v2") is not None
