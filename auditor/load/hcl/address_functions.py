"""Terraform's pure functions over IP addresses and ranges; see `functions.py`."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, Final

from auditor.load.hcl.functions import _int, _text
from auditor.load.hcl.values import EvalError


def _network(prefix: Any) -> Any:
    text = _text(prefix)
    if "/" not in text:
        raise EvalError("a prefix length is needed")
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise EvalError("not an address range") from None


def cidrsubnet(prefix: Any, newbits: Any, number: Any) -> str:
    net, bits, n = _network(prefix), _int(newbits), _int(number)
    size = net.prefixlen + bits
    if bits < 0 or size > net.max_prefixlen or n >= 1 << bits or n < -(1 << bits):
        raise EvalError("no such subnet")
    n = n + (1 << bits) if n < 0 else n
    base = int(net.network_address) + (n << (net.max_prefixlen - size))
    return f"{type(net.network_address)(base)}/{size}"


def cidrsubnets(prefix: Any, *newbits: Any) -> list[str]:
    net = _network(prefix)
    made: list[str] = []
    at = int(net.network_address)
    for bits in newbits:
        size = net.prefixlen + _int(bits)
        if size <= net.prefixlen - 1 or size > net.max_prefixlen:
            raise EvalError("no such subnet")
        step = 1 << (net.max_prefixlen - size)
        at = -(-at // step) * step
        if at + step > int(net.network_address) + net.num_addresses:
            raise EvalError("not enough addresses")
        made.append(f"{type(net.network_address)(at)}/{size}")
        at += step
    return made


def cidrhost(prefix: Any, number: Any) -> str:
    net, n = _network(prefix), _int(number)
    if n >= net.num_addresses or n < -net.num_addresses:
        raise EvalError("no such host")
    return str(net[n])


def cidrnetmask(prefix: Any) -> str:
    net = _network(prefix)
    if net.version != 4:
        raise EvalError("IPv4 only")
    return str(net.netmask)


ADDRESS_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "cidrhost": cidrhost, "cidrnetmask": cidrnetmask, "cidrsubnet": cidrsubnet, "cidrsubnets": cidrsubnets,
}
