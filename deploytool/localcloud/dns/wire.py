"""DNS from bytes to bytes, and the checks that every server makes of a query.

No input raises an error: what cannot be parsed is answered with FORMERR, and what cannot be
answered is dropped.
"""

import struct
from collections.abc import Callable

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
from dns.message import Message

# Bytes of UDP that we accept and send: DNS Flag Day 2020, "EDNS buffer size", safe from fragments.
OUR_PAYLOAD = 1232
_PLAIN_PAYLOAD = 512  # bytes of UDP without EDNS0: RFC 1035 section 4.2.1
_TCP_PAYLOAD = 65535  # bytes, from the two bytes of length: RFC 1035 section 4.2.2
_HEADER_BYTES = 12
_TRANSFERS = (dns.rdatatype.AXFR, dns.rdatatype.IXFR)
_UNANSWERED_TYPES = range(128, 256)  # query and meta types, ANY among them: RFC 6895 section 3.1

# Bits of the second 16-bit word of a header: RFC 1035 section 4.1.1.
_QR = 0x8000
_OPCODE_AND_RD = 0x7900


def handle(respond: Callable[[Message], Message], wire: bytes, *, tcp: bool) -> bytes | None:
    """Return the bytes that answer one message (without TCP's length), None for no answer.

    An answer too large for UDP is cut and has TC set, so that the client asks again over TCP.
    """
    if len(wire) < _HEADER_BYTES:
        return None  # there is no id to answer to
    if wire[2] & _QR >> 8:
        return None  # a response; answering responses makes loops
    try:
        query = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError):
        return _format_error(wire)
    max_size = _TCP_PAYLOAD if tcp else _udp_payload(query)
    return respond(query).to_wire(max_size=max_size, prefer_truncation=True)


def refusal(query: Message) -> tuple[dns.rcode.Rcode, str] | None:
    """Return the RCODE and text of the error that a query gets whatever its name.

    None for a query that a server looks into.
    """
    if query.edns > 0:
        return dns.rcode.BADVERS, "only EDNS version 0 is known"
    if query.opcode() != dns.opcode.QUERY:
        return dns.rcode.NOTIMP, "only queries are answered"
    if len(query.question) != 1:
        return dns.rcode.FORMERR, "a query has exactly one question"
    question = query.question[0]
    if question.rdclass != dns.rdataclass.IN or question.rdtype in _TRANSFERS:
        return dns.rcode.REFUSED, "only class IN, and no zone transfers"
    if question.rdtype in _UNANSWERED_TYPES:
        return dns.rcode.NOTIMP, "ask for one record type"
    return None


def empty_response(query: Message, *, recursion_available: bool = False) -> Message:
    """Return a response without records: id, question and RD copied, EDNS0 if the query has it."""
    return dns.message.make_response(
        query, recursion_available=recursion_available, our_payload=OUR_PAYLOAD
    )


def fail(
    response: Message,
    rcode: dns.rcode.Rcode,
    text: str,
    code: dns.edns.EDECode = dns.edns.EDECode.OTHER,
) -> Message:
    """Turn a response into an error and return it.

    When the query has EDNS0, `code` and `text` are sent as an extended DNS error (RFC 8914).
    """
    response.answer.clear()
    response.authority.clear()
    response.additional.clear()
    response.flags &= ~dns.flags.AA
    if response.edns >= 0:
        options: list[dns.edns.Option] = [dns.edns.EDEOption(code, text)]
        response.use_edns(0, 0, OUR_PAYLOAD, response.request_payload, options)
    response.set_rcode(rcode)
    return response


def _udp_payload(query: Message) -> int:
    """Return how many bytes of UDP the client accepts, our own limit applied."""
    if query.edns < 0:
        return _PLAIN_PAYLOAD
    return max(_PLAIN_PAYLOAD, min(query.payload, OUR_PAYLOAD))


def _format_error(wire: bytes) -> bytes:
    """Return FORMERR with the id, opcode and RD of a message of which only the header is read."""
    id_, flags = struct.unpack("!HH", wire[:4])
    answer_flags = _QR | (flags & _OPCODE_AND_RD) | dns.rcode.FORMERR
    return struct.pack("!6H", id_, answer_flags, 0, 0, 0, 0)
