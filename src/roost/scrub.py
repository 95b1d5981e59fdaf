"""Removes secrets from text.

A secret is found by the field name before it (`token=…`), by its format, or because its value is
known. This is a second safeguard: the code does not log secrets in the first place. The run time is
linear in the length of the text, because untrusted text must not slow Roost down.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus, unquote

MASK: Final = "***"
#: The minimum length of a known value that is masked. A shorter value may be a part of a word.
_SHORTEST_KNOWN: Final = 8

#: A value is a secret if the name before it has one of these endings (form fields, JSON keys,
#: headers, settings, command-line options).
_SECRET_ENDINGS: Final = (
    "token", "secret", "password", "passwd", "passphrase", "pwd", "verifier", "credential",
    "credentials", "signature", "api_key", "api-key", "apikey", "consumer_key", "secret_key",
    "private_key", "access_key", "encryption_key", "signing_key", "vault_key", "vault_keys",
    "roost_vault_keys",
)  # fmt: skip
#: After a name with one of these endings, the secret is the rest of the line.
_HEADER_ENDINGS: Final = ("authorization", "cookie")
#: After a name with one of these endings, the secret is a list separated by commas.
_LIST_ENDINGS: Final = ("_keys", "-keys")
#: Names of secrets that are also ordinary words. The value after such a name is masked only if the
#: name stands before `=` or is a quoted key.
_CODES: Final = frozenset({"code", "otp"})

#: A name and the separator before its value; quotes may be escaped, as in JSON within JSON.
_NAMED: Final = re.compile(
    r"(?<![\w-])(?P<option>-+)?(?P<name>\w[\w-]*)(?P<quoted>\\{0,4}[\"'])?"
    r"(?P<separator>\s{0,8}[=:]\s{0,8}|(?(quoted)\s{0,8},\s{0,8}|(?(option)[ \t]+(?!-)|(?!))))"
)
_VALUE: Final = re.compile(
    r"""[bru]{0,2}(\\{0,4}["'])(?:(?!\1)(?:[^\\\n]|\\.))*\1?|[^\s,;&}\])"']+"""
)
_LIST: Final = re.compile(r"[^\s;&]+")
_REST_OF_LINE: Final = re.compile(r"""[bru]{0,2}(\\{0,4}["'])(?:(?!\1)[^\n])*|[^\n"']+""")
#: Like `_NAMED`, with separators that are percent-encoded once or several times.
_NAMED_ENCODED: Final = re.compile(
    r"(?<![\w-])(?P<name>[\w-]+)(?:%(?:25)*2[27])?(?P<separator>%(?:25)*3[AaDd])"
    r"(?:%(?:25)*2[027]|\+)*"
)
_VALUE_ENCODED: Final = re.compile(r"(?:(?!%(?:25)*(?:2[267]|2[cC]|7[dD]|3[bB]))[^\s,;&}\"'])+")

_BLOCK: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,60}-----(?:[\s\S]*?-----END [A-Z0-9 ]{0,60}-----|[\s\S]*)"
)
_SHAPES: Final = (
    re.compile(r"(?i)\b((?:bearer|basic)(?:\s+|%(?:25)*20|\+))[\w.~+/%=-]{8,}"),
    # A password in a URL ends at the last `@`, because the password may contain an unencoded `@`.
    re.compile(
        r"(?i)\b([a-z][a-z0-9+.-]{1,20}://[^:/?#@\s\"'<>]{0,256}:)"
        r"(?!\d{1,5}(?:[/?#\"'<>),.;]|\s|$))[^\s\"'<>]{1,512}(?=@)"
    ),
    # A URL with a token in place of user and password. A PostgreSQL user name is no secret.
    re.compile(r"(?i)\b((?!postgres)[a-z][a-z0-9+.-]{1,20}://)[^:/?#@\s\"'<>]{1,512}(?=@)"),
    re.compile(
        r"(?i)(%(?:25)*3a%(?:25)*2f%(?:25)*2f[\w.+-]{0,128}%(?:25)*3a)[^\s\"'&]{1,256}?"
        r"(?=%(?:25)*40)"
    ),
    # A line of a key file or of ROOST_VAULT_KEYS: `id:base64` of 32 bytes.
    re.compile(r"(?<![\w.-])([\w.-]{1,64}:)[A-Za-z0-9+/_-]{43}="),
    re.compile(r"(\beyJ)[\w-]{8,512}\.[\w-]{8,4096}\.[\w-]{0,1024}"),
)
_known: set[str] = set()


def scrub(text: str) -> str:
    """Replace everything in a text that looks like the value of a secret by `***`."""
    text = _BLOCK.sub(MASK, mask_known_secrets(text))
    # Formats come first: the rules for names would mask only the word `Bearer` of `Bearer TOKEN`.
    for shape in _SHAPES:
        text = shape.sub(rf"\1{MASK}", text)
    text = _mask_values(text, _NAMED_ENCODED, _VALUE_ENCODED)
    return _mask_values(text, _NAMED, _VALUE)


def mask_known_secrets(text: str) -> str:
    """Replace the registered secrets (see `register_secrets`) in a text by `***`."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def register_secrets(secrets: Iterable[str]) -> None:
    """Mask these values from now on in every text, even if the values are percent-encoded.

    `read_settings` registers the secrets of the settings.
    """
    for secret in secrets:
        for form in {secret, unquote(secret), quote(secret, safe=""), quote_plus(secret)}:
            if len(form) >= _SHORTEST_KNOWN:
                _known.add(form)


def _mask_values(text: str, named: re.Pattern[str], value: re.Pattern[str]) -> str:
    pieces, done = [], 0
    for found in named.finditer(text):
        if found.start() < done or not _is_secret(found):
            continue
        name = found["name"].lower()
        pattern = _REST_OF_LINE if name.endswith(_HEADER_ENDINGS) else value
        pattern = _LIST if name.endswith(_LIST_ENDINGS) else pattern
        masked = pattern.match(text, found.end())
        if masked is not None:
            pieces += [text[done : found.end()], MASK]
            done = masked.end()
    return "".join([*pieces, text[done:]])


def _is_secret(found: re.Match[str]) -> bool:
    name = found["name"].lower()
    if name in _CODES:
        groups = found.groupdict()
        return "=" in found["separator"] or "%" in found["separator"] or bool(groups.get("quoted"))
    return name.endswith((*_SECRET_ENDINGS, *_HEADER_ENDINGS))
