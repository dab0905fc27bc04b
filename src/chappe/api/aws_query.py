"""The AWS Query protocol: so far only its errors, in XML."""

from __future__ import annotations

from xml.sax.saxutils import escape

from chappe.api.aws_errors import AwsError

NAMESPACE = {"sqs": "http://queue.amazonaws.com/doc/2012-11-05/"}


def encode_error(error: AwsError, request_id: bytes, namespace: str) -> bytes:
    fault = "Sender" if error.sender_fault else "Receiver"
    return (
        '<?xml version="1.0"?>'
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>{fault}</Type>'
        f"<Code>{escape(error.query_code or error.name)}</Code><Message>{_text(error.message)}</Message><Detail/>"
        f"</Error><RequestId>{request_id.decode()}</RequestId></ErrorResponse>"
    ).encode()


def _text(text: str) -> str:
    return escape(text, {'"': "&quot;", "\r": "&#xD;"})
