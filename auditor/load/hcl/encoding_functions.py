"""Terraform's pure functions over encodings and hashes; see `functions.py`."""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import io
import json
import urllib.parse
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from auditor.load.hcl.functions import _text
from auditor.load.hcl.scanner import number
from auditor.load.hcl.values import MAX_TEXT, EvalError, Sensitive, TooMuch, bounded, is_number, text_of_number
from auditor.model import UNKNOWN

_CODECS: Final = {  # IANA name -> Python's
    "utf-8": "utf-8", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be", "iso-8859-1": "latin-1", "us-ascii": "ascii",
    "windows-1252": "cp1252",
}  # fmt: skip


def jsonencode(value: Any) -> str:
    out: list[str] = []
    _json(value, out, 0)
    return bounded("".join(out))


def _json(value: Any, out: list[str], depth: int) -> None:
    if depth > 100 or len(out) > MAX_TEXT:
        raise TooMuch("a value is too large")
    if isinstance(value, Sensitive):
        value = value.value
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        for c in "<>&\u2028\u2029":
            text = text.replace(c, f"\\u{ord(c):04x}")
        out.append(text)
    elif value is None or isinstance(value, bool):
        out.append({None: "null", True: "true", False: "false"}[value])
    elif is_number(value):
        out.append(text_of_number(value))
    elif isinstance(value, dict):
        out.append("{")
        for i, (k, v) in enumerate(sorted(value.items())):
            out.append("," if i else "")
            _json(k, out, depth)
            out.append(":")
            _json(v, out, depth + 1)
        out.append("}")
    elif isinstance(value, (list, tuple)):
        out.append("[")
        for i, v in enumerate(value):
            out.append("," if i else "")
            _json(v, out, depth + 1)
        out.append("]")
    else:
        raise EvalError("no JSON for this value")


def jsondecode(text: Any) -> Any:
    try:
        return _from_json(json.loads(_text(text), parse_float=Decimal, parse_int=_safe_int))
    except (ValueError, RecursionError, ArithmeticError):
        raise EvalError("not JSON") from None


def _safe_int(text: str) -> int:
    if len(text) > 1000:
        raise ValueError
    return int(text)


def _from_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _from_json(v) for k, v in value.items()}
    if isinstance(value, list):
        return tuple(_from_json(v) for v in value)
    if isinstance(value, Decimal):
        text = str(value)
        return -number(text[1:]) if text.startswith("-") else number(text)
    return value


def csvdecode(text: Any) -> list[Any]:
    rows = list(csv.reader(io.StringIO(_text(text))))
    if not rows:
        raise EvalError("a header row is needed")
    if any(len(r) != len(rows[0]) for r in rows[1:]):
        raise EvalError("rows of different lengths")
    return [dict(zip(rows[0], r, strict=True)) for r in rows[1:]]


def base64decode(text: Any) -> str:
    try:
        return base64.b64decode(_text(text), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise EvalError("not base64 of UTF-8 text") from None


def _digest(name: str, encode: Callable[[bytes], str] = bytes.hex) -> Callable[[bytes], str]:
    return lambda data: encode(hashlib.new(name, data, usedforsecurity=False).digest())


def _hash(digest: Callable[[bytes], str]) -> Callable[[Any], str]:
    return lambda text: digest(_text(text).encode())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def uuidv5(namespace: Any, name: Any) -> str:
    known = {"dns": uuid.NAMESPACE_DNS, "url": uuid.NAMESPACE_URL, "oid": uuid.NAMESPACE_OID, "x500": uuid.NAMESPACE_X500}
    try:
        return str(uuid.uuid5(known.get(_text(namespace)) or uuid.UUID(_text(namespace)), _text(name)))
    except ValueError:
        raise EvalError("not a namespace") from None


def textencodebase64(text: Any, encoding: Any) -> Any:
    codec = _CODECS.get(_text(encoding).lower())
    if codec is None:
        return UNKNOWN
    try:
        return _base64(_text(text).encode(codec))
    except UnicodeEncodeError:
        raise EvalError("text that the encoding has no characters for") from None


def textdecodebase64(text: Any, encoding: Any) -> Any:
    codec = _CODECS.get(_text(encoding).lower())
    if codec is None:
        return UNKNOWN
    try:
        data = base64.b64decode(_text(text), validate=True)
    except (binascii.Error, ValueError):
        raise EvalError("not base64") from None
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        if codec == "utf-8":
            raise EvalError("bytes that are not UTF-8") from None
        return UNKNOWN  # an error or a replacement character, by the encoding


HASHES: Final[Mapping[str, Callable[[bytes], str]]] = {
    "md5": _digest("md5"), "sha1": _digest("sha1"), "sha256": _digest("sha256"), "sha512": _digest("sha512"),
    "base64sha256": _digest("sha256", _base64), "base64sha512": _digest("sha512", _base64),
}
ENCODING_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "base64encode": lambda s: _base64(_text(s).encode()), "base64decode": base64decode, "csvdecode": csvdecode,
    "jsondecode": jsondecode, "jsonencode": jsonencode, "textdecodebase64": textdecodebase64,
    "textencodebase64": textencodebase64, "urlencode": lambda s: urllib.parse.quote_plus(_text(s), safe="-_.~"),
    "uuidv5": uuidv5, **{name: _hash(digest) for name, digest in HASHES.items()},
}  # fmt: skip
