"""Secrets that are known by their shape, whatever their name: tokens and keys of well-known services."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Shape(NamedTuple):
    """A kind of secret, a text without which there is none, and its pattern: all of it, or the group `secret`."""

    kind: str
    hint: str
    pattern: re.Pattern[str]


def _shape(kind: str, start: str, rest: str) -> Shape:
    """A word that starts with these characters: the search for them is quick, and a long word is tried once."""
    return Shape(kind, start, re.compile(rf"{re.escape(start)}(?<![A-Za-z0-9_]{re.escape(start)}){rest}"))


def _shapes(kind: str, starts: str, rest: str) -> list[Shape]:
    return [_shape(kind, start, rest) for start in starts.split()]


# Shorter ones than are given out are taken too: they may be cut.
SHAPES = (
    *_shapes("aws-access-key", "AKIA ASIA ABIA ACCA", r"[A-Z2-7]{12,16}+(?![A-Za-z0-9])"),
    *_shapes("github-token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"[A-Za-z0-9_]{16,}+"),
    *_shapes(
        "gitlab-token",
        "glpat- gloas- gldt- glrt- glcbt- glptt- glft- glsoat- glagent- glimt- glffct-",
        r"[A-Za-z0-9_=.-]{16,}+",
    ),
    *_shapes(
        "slack-token",
        "xoxb- xoxp- xoxa- xoxe- xoxe.xoxp- xoxe.xoxb- xoxr- xoxs- xoxc- xoxd- xapp-",
        r"[A-Za-z0-9-]{10,}+",
    ),
    *_shapes("slack-webhook", "hooks.slack.com/", r"(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9_/-]{12,}+)"),
    *_shapes(
        "discord-webhook",
        "discord.com/api/webhooks/ discordapp.com/api/webhooks/",
        r"[0-9]{10,25}+/(?P<secret>[A-Za-z0-9_-]{16,}+)",
    ),
    _shape("teams-webhook", "webhook.office.com/", r"(?P<secret>webhookb2/[A-Za-z0-9@/_-]{16,}+)"),
    _shape("google-api-key", "AIza", r"[A-Za-z0-9_-]{20,}+"),
    _shape("google-token", "ya29.", r"[A-Za-z0-9_.-]{16,}+"),
    _shape("google-token", "1//0", r"[A-Za-z0-9_-]{24,}+"),
    _shape("google-client-secret", "GOCSPX-", r"[A-Za-z0-9_-]{16,}+"),
    *_shapes("stripe-key", "sk_live_ sk_test_ rk_live_ rk_test_", r"[A-Za-z0-9]{10,}+"),
    _shape("stripe-webhook-secret", "whsec_", r"[A-Za-z0-9+/=]{16,}+"),
    _shape("anthropic-key", "sk-ant-", r"[A-Za-z0-9_-]{16,}+"),
    # A name may begin like these; a key has digits and letters of both cases.
    _shape("openai-key", "sk-", r"(?=[A-Za-z_-]{0,200}+[0-9])(?=[a-z0-9_-]{0,200}+[A-Z])[A-Za-z0-9_-]{20,}+"),
    _shape("hugging-face-token", "hf_", r"(?=[a-z]{0,40}+[A-Z0-9])[A-Za-z0-9]{20,}+"),
    _shape("jwt", "eyJ", r"[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+){0,3}+"),
    _shape("databricks-token", "dapi", r"[0-9a-f]{20,}+(?:-[0-9])?"),
    _shape("npm-token", "npm_", r"(?=[A-Za-z]{0,40}+[0-9])[A-Za-z0-9]{24,}+"),
    _shape("pypi-token", "pypi-Ag", r"[A-Za-z0-9_-]{16,}+"),
    *_shapes("docker-token", "dckr_pat_ dckr_oat_", r"[A-Za-z0-9_-]{16,}+"),
    *_shapes("digitalocean-token", "dop_v1_ doo_v1_ dor_v1_", r"[0-9a-f]{32,}+"),
    _shape("sendgrid-key", "SG.", r"[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}+"),
    _shape("twilio-key", "SK", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    _shape("mailgun-key", "key-", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    *_shapes("shopify-token", "shpat_ shpca_ shppa_ shpss_", r"[0-9a-fA-F]{24,}+"),
    *_shapes("vault-token", "hvs. hvb. hvr.", r"[A-Za-z0-9_-]{20,}+"),
    *_shapes("grafana-token", "glsa_ glc_", r"[A-Za-z0-9_=+/-]{24,}+"),
    _shape("atlassian-token", "ATATT3", r"[A-Za-z0-9_=-]{16,}+"),
    _shape("new-relic-key", "NRAK-", r"[A-Z0-9]{20,}+"),
    _shape("age-key", "AGE-SECRET-KEY-1", r"[0-9A-Z]{20,}+"),
    _shape("azure-sas", "sig=", r"(?P<secret>[A-Za-z0-9%+/=_-]{16,}+)"),
    *_shapes("signature", "X-Amz-Signature= X-Goog-Signature=", r"(?P<secret>[0-9a-f]{16,}+)"),
    Shape("telegram-token", ":AA", re.compile(r":AA(?<=[0-9]{8}:AA)[A-Za-z0-9_-]{30,}+")),
    Shape("azure-client-secret", "8Q~", re.compile(r"8Q~(?<=[A-Za-z0-9_~.-]{3}8Q~)[A-Za-z0-9_~.-]{24,}+")),
    # By the words beside them: what else has this shape is a digest.
    Shape(
        "aws-secret-key",
        "AKIA",
        re.compile(
            r"AKIA[A-Z2-7]{16}\W{1,20}(?:[A-Za-z_]{1,40}\W{1,6})?(?P<secret>[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=]))"
        ),
    ),
    Shape(
        "fernet-key",
        "ernet",
        re.compile(r"ernet[A-Za-z_]{0,40}+\W{1,6}(?:(?:is|key|KEY)\W{1,4})?(?P<secret>[A-Za-z0-9_-]{43}=(?!=))"),
    ),
)


_HINT = re.compile("|".join(re.escape(hint) for hint in {shape.hint for shape in SHAPES}))


def shaped(text: str) -> Iterator[tuple[int, int, str]]:
    """Where a text has what looks like a well-known secret, and which."""
    if not _HINT.search(text):
        return
    for kind, hint, pattern in SHAPES:
        if hint in text:
            for found in pattern.finditer(text):
                start, end = found.span("secret" if "secret" in pattern.groupindex else 0)
                yield start, end, kind
