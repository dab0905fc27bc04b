"""The JavaScript SDK v3, which checks every MD5 it is given."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.wire.live import GIVE_UP_SECONDS

NODE, NPM = shutil.which("node"), shutil.which("npm")
INSTALL_SECONDS = 120

PROGRAM = """
import assert from "node:assert";
import {
  CreateQueueCommand, DeleteMessageCommand, ListQueuesCommand, QueueDoesNotExist, ReceiveMessageCommand,
  SendMessageBatchCommand, SendMessageCommand, SQSClient, SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});
const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "js", tags: { team: "a" } }));
const MessageAttributes = {
  text: { DataType: "String", StringValue: "é" },
  bytes: { DataType: "Binary", BinaryValue: new Uint8Array([0, 255]) },
};
await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "from JavaScript \\r\\n ☃", MessageAttributes }));
const { Messages } = await sqs.send(new ReceiveMessageCommand({
  QueueUrl, WaitTimeSeconds: 5, MessageAttributeNames: ["All"], MessageSystemAttributeNames: ["All"],
}));
assert.equal(Messages[0].Body, "from JavaScript \\r\\n ☃");
assert.deepEqual([...Messages[0].MessageAttributes.bytes.BinaryValue], [0, 255]);
assert.equal(Messages[0].Attributes.ApproximateReceiveCount, "1");
await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages[0].ReceiptHandle }));
const batch = await sqs.send(new SendMessageBatchCommand({
  QueueUrl, Entries: [{ Id: "a", MessageBody: "x" }, { Id: "b", MessageBody: "y", DelaySeconds: 901 }],
}));
assert.equal(batch.Successful[0].Id, "a");
assert.equal(batch.Failed[0].Code, "InvalidParameterValue");
assert.deepEqual((await sqs.send(new ListQueuesCommand({}))).QueueUrls.includes(QueueUrl), true);
await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { DelaySeconds: "1" } }));
await assert.rejects(
  sqs.send(new SendMessageCommand({ QueueUrl: QueueUrl + "x", MessageBody: "x" })),
  (error) => error instanceof QueueDoesNotExist && error.$metadata.httpStatusCode === 400,
);
console.log("done");
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if NODE is None or NPM is None:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("project")
    (folder / "package.json").write_text('{"type": "module"}')
    try:
        installed = subprocess.run(
            [NPM, "install", "--no-audit", "--no-fund", "--prefer-offline", "@aws-sdk/client-sqs"],
            cwd=folder,
            capture_output=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("npm took too long to install @aws-sdk/client-sqs")
    if installed.returncode != 0:
        pytest.skip("npm cannot install @aws-sdk/client-sqs here")
    return folder


def test_the_life_of_a_message(project: Path, environment: dict[str, str]) -> None:
    (project / "program.js").write_text(PROGRAM)
    assert NODE is not None
    done = subprocess.run(
        [NODE, "program.js"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * GIVE_UP_SECONDS,
    )
    assert done.stdout == "done\n", done.stderr[-3000:]
