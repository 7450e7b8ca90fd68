"""DNS from bytes to bytes, and what any server checks of a question: shared by the name server and
the resolver.

No input makes it raise: what cannot be parsed is answered with FORMERR, and what cannot be answered
is dropped.
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

# Bytes of UDP that we take and send: DNS Flag Day 2020, "EDNS buffer size", safe from fragments
OUR_PAYLOAD = 1232
_PLAIN_PAYLOAD = 512  # bytes of UDP without EDNS0: RFC 1035 section 4.2.1
_HEADER = 12
_TRANSFERS = (dns.rdatatype.AXFR, dns.rdatatype.IXFR)
_UNANSWERED_TYPES = range(128, 256)  # query and meta types, ANY among them: RFC 6895 section 3.1


def handle(respond: Callable[[Message], Message], wire: bytes, *, tcp: bool) -> bytes | None:
    """The bytes that answer `wire` (one message, without TCP's length), None when it deserves no
    answer.

    Over UDP an answer that is too large is cut and has TC set: the asker comes back over TCP.
    """
    if len(wire) < _HEADER or wire[2] & 0x80:
        return None  # no id to answer to, or an answer itself: answering those makes loops
    try:
        query = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError):
        return _format_error(wire)
    limit = (
        65535
        if tcp
        else max(_PLAIN_PAYLOAD, min(query.payload, OUR_PAYLOAD))
        if query.edns >= 0
        else _PLAIN_PAYLOAD
    )
    return respond(query).to_wire(max_size=limit, prefer_truncation=True)


def refusal(query: Message) -> tuple[dns.rcode.Rcode, str] | None:
    """Why a server answers a query with an error before looking at its name, as RCODE and words;
    None for a fair question.
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
    """A response to the query without records: id, question and RD copied, EDNS0 when the query has
    it.
    """
    return dns.message.make_response(
        query, recursion_available=recursion_available, our_payload=OUR_PAYLOAD
    )


def fail(
    response: Message,
    rcode: dns.rcode.Rcode,
    words: str,
    code: dns.edns.EDECode = dns.edns.EDECode.OTHER,
) -> Message:
    """Turn a response into an error; `words` go along as an extended DNS error (RFC 8914) when the
    query has EDNS0.
    """
    response.answer.clear()
    response.authority.clear()
    response.additional.clear()
    response.flags &= ~dns.flags.AA
    if response.edns >= 0:
        response.use_edns(
            0, 0, OUR_PAYLOAD, response.request_payload, [dns.edns.EDEOption(code, words)]
        )
    response.set_rcode(rcode)
    return response


def _format_error(wire: bytes) -> bytes:
    """FORMERR to a message whose header is all that can be trusted: its id, opcode and RD come
    back, and nothing else.
    """
    ident, flags = struct.unpack("!HH", wire[:4])
    return struct.pack("!6H", ident, 0x8000 | (flags & 0x7900) | dns.rcode.FORMERR, 0, 0, 0, 0)
