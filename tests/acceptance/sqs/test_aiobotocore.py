"""aiobotocore: one task polls long while another sends."""

from __future__ import annotations

import asyncio

import pytest
from tests.wire.live import REGION, LiveServer

aiobotocore = pytest.importorskip("aiobotocore.session", reason="aiobotocore is not installed")


async def test_long_polls_and_sends_share_a_client(server: LiveServer) -> None:
    credentials = {"aws_access_key_id": server.access_key.id, "aws_secret_access_key": server.access_key.secret}
    session = aiobotocore.get_session()
    async with session.create_client("sqs", endpoint_url=server.url, region_name=REGION, **credentials) as sqs:
        url = (await sqs.create_queue(QueueName="aio"))["QueueUrl"]

        async def drain(count: int) -> set[str]:
            bodies: set[str] = set()
            while len(bodies) < count:
                found = await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MaxNumberOfMessages=10)
                for message in found.get("Messages", []):
                    bodies.add(message["Body"])
                    await sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return bodies

        draining = asyncio.create_task(drain(25))
        await asyncio.gather(*(sqs.send_message(QueueUrl=url, MessageBody=f"m{n}") for n in range(15)))
        entries = [{"Id": str(n), "MessageBody": f"m{n}"} for n in range(15, 25)]
        assert len((await sqs.send_message_batch(QueueUrl=url, Entries=entries))["Successful"]) == 10
        assert await draining == {f"m{n}" for n in range(25)}
        with pytest.raises(sqs.exceptions.QueueDoesNotExist):
            await sqs.send_message(QueueUrl=url + "x", MessageBody="x")
