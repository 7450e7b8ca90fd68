"""Replies of DNS servers as the ports describe them, without a socket."""

import dns.message

from deploytool.core.ports import DnsAnswer
from deploytool.net.dns import answer_of


def reply(answer: str, rcode: str = "NOERROR") -> dns.message.Message:
    return dns.message.from_text(
        f"id 1\nopcode QUERY\nrcode {rcode}\nflags QR\n;QUESTION\na.example. IN A\n;ANSWER\n{answer}"
    )


def test_the_addresses_keep_their_order_and_the_shortest_ttl_counts() -> None:
    """A CNAME before the addresses limits the time as well."""
    message = reply(
        "a.example. 20 IN CNAME b.example.\n"
        "b.example. 60 IN A 192.0.2.2\n"
        "b.example. 60 IN A 192.0.2.1\n"
    )
    assert answer_of(message) == DnsAnswer("NOERROR", ("192.0.2.2", "192.0.2.1"), 20)


def test_a_name_that_does_not_exist_has_no_address_and_no_ttl() -> None:
    """The code says so."""
    assert answer_of(reply("", "NXDOMAIN")) == DnsAnswer("NXDOMAIN", (), None)
