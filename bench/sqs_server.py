"""A server that speaks the SQS API in AWS JSON: Chappe, and the rivals that do."""

from __future__ import annotations

import http.client
import socket

import msgspec

from bench.process import START_SECONDS, Process
from bench.signing import Signer


class SqsServer(Process):
    """`durable` is what a message that was acknowledged survives."""

    name = "SQS"
    durable = "memory"

    def wait_until_answering(self) -> None:
        """Until a request to the SQS API is answered."""
        self.wait_until_listening()
        self.call("ListQueues", b"{}")

    def signer(self) -> Signer:
        """For requests to the SQS API, good for some minutes. Rivals take any keys; they get these."""
        return Signer(self.address, "AKIDBENCH", "secret")

    def call(self, operation: str, body: bytes) -> bytes:
        """One request to the SQS API. Raises `RuntimeError` unless it succeeds."""
        with socket.create_connection(self.address, timeout=START_SECONDS) as connection:
            connection.sendall(self.signer().sign(operation, body))
            reply = http.client.HTTPResponse(connection)
            reply.begin()
            answer = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"{operation} was answered {reply.status}: {answer.decode(errors='replace')}")
        return answer

    def create_queue(self, name: str, **attributes: str) -> str:
        """The URL of a new queue, a standard one unless the attributes say otherwise."""
        answer = self.call("CreateQueue", msgspec.json.encode({"QueueName": name, "Attributes": attributes}))
        url: str = msgspec.json.decode(answer)["QueueUrl"]
        return url
