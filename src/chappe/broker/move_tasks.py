"""Moving dead letters back: StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask.

Source: Amazon SQS API Reference. A task runs in the background and goes on after a restart.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import uuid
from collections.abc import Callable

import msgspec
import structlog

from chappe.broker.dead_letter_sources import DeadLetterSources
from chappe.broker.directory import Call, check_access
from chappe.broker.errors import InvalidParameterValue, MissingParameter, ResourceNotFound, invalid_value
from chappe.broker.move_records import CANCELLED, CANCELLING, FAILED, KEPT_MAX, RUNNING, MoveRecords, MoveTask
from chappe.broker.moving import Mover
from chappe.broker.names import QueueName
from chappe.broker.shapes import (
    CancelMessageMoveTaskInput,
    CancelMessageMoveTaskOutput,
    ListMessageMoveTasksInput,
    ListMessageMoveTasksOutput,
    ListMessageMoveTasksResultEntry,
    StartMessageMoveTaskInput,
    StartMessageMoveTaskOutput,
)
from chappe.engine.base import Engine
from chappe.model.errors import Closed, QueueNotFound

_log = structlog.get_logger("chappe.broker")
PER_SECOND_MAX = 500
LISTED_MAX = KEPT_MAX


class MoveTasks:
    """All move tasks of a server. `start` goes on with what a restart interrupted."""

    def __init__(self, engine: Engine, sources: DeadLetterSources, clock_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._sources = sources
        self._clock_ms = clock_ms
        self._records = MoveRecords(engine)
        self._tasks: dict[str, list[MoveTask]] = {}
        self._movers: dict[str, tuple[Mover, asyncio.Task[None]]] = {}
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        self._tasks = await self._records.load()
        for source, tasks in self._tasks.items():
            for task in tasks:
                if task.status == CANCELLING:
                    task.status = CANCELLED
                    await self._records.save(source, tasks)
                elif task.status == RUNNING:
                    self._set_off(task, resumed=True)

    async def stop(self) -> None:
        """Leave the running tasks as they are, for the next start."""
        movers = list(self._movers.values())
        for mover, _ in movers:
            mover.leave()
        await asyncio.gather(*(work for _, work in movers))

    async def forget(self, source: str) -> None:
        """The queue of this engine name was deleted, and its tasks with it."""
        mover = self._movers.pop(source, None)
        if mover is not None:
            mover[1].cancel()
            await asyncio.gather(mover[1], return_exceptions=True)
        if self._tasks.pop(source, None) is not None:
            await self._records.drop(source)

    async def start_message_move_task(
        self, call: Call, request: StartMessageMoveTaskInput
    ) -> StartMessageMoveTaskOutput:
        rate = request.max_number_of_messages_per_second
        if rate is not None and not 1 <= rate <= PER_SECOND_MAX:
            reason = f"Must be between 1 and {PER_SECOND_MAX}, if provided."
            raise invalid_value("MaxNumberOfMessagesPerSecond", rate, reason)
        source = await self._queue(call, "SourceArn", request.source_arn)
        destination = None
        if request.destination_arn is not None:
            destination = await self._queue(call, "DestinationArn", request.destination_arn)
        async with self._starting:
            await self._check_source(source, destination)
            task = MoveTask(
                id=str(uuid.uuid4()),
                source=source.engine_name,
                started_at_ms=self._clock_ms(),
                to_move=(await self._engine.counts(source.engine_name)).ready,
                destination=None if destination is None else destination.engine_name,
                per_second=rate,
            )
            tasks = [task, *self._tasks.get(source.engine_name, ())][:KEPT_MAX]
            await self._records.save(source.engine_name, tasks)
            self._tasks[source.engine_name] = tasks
            self._set_off(task)
        return StartMessageMoveTaskOutput(task_handle=_handle(task))

    async def list_message_move_tasks(
        self, call: Call, request: ListMessageMoveTasksInput
    ) -> ListMessageMoveTasksOutput:
        """The newest first."""
        limit = 1 if request.max_results is None else request.max_results
        if not 1 <= limit <= LISTED_MAX:
            raise invalid_value("MaxResults", limit, f"Must be between 1 and {LISTED_MAX}, if provided.")
        source = await self._queue(call, "SourceArn", request.source_arn)
        tasks = self._tasks.get(source.engine_name, [])[:limit]
        return ListMessageMoveTasksOutput(results=[_shown(task) for task in tasks] or None)

    async def cancel_message_move_task(
        self, call: Call, request: CancelMessageMoveTaskInput
    ) -> CancelMessageMoveTaskOutput:
        """What has been moved stays moved. A task that is over is not there to be cancelled any more."""
        if request.task_handle is None:
            raise MissingParameter.named("TaskHandle")
        task_id, arn = _parts(request.task_handle)
        source = await self._queue(call, "SourceArn", arn)
        tasks = self._tasks.get(source.engine_name, [])
        task = next((task for task in tasks if task.id == task_id), None)
        if task is None or task.over:
            raise ResourceNotFound("Task does not exist.")
        task.status = CANCELLING
        await self._records.save(source.engine_name, tasks)
        if source.engine_name in self._movers:
            self._movers[source.engine_name][0].wake()
        return CancelMessageMoveTaskOutput(approximate_number_of_messages_moved=task.moved)

    async def _check_source(self, source: QueueName, destination: QueueName | None) -> None:
        async for _ in self._sources.of(source):
            break
        else:
            raise InvalidParameterValue("Source queue must be configured as a Dead Letter Queue.")
        if destination is not None and destination == source:
            raise InvalidParameterValue("Source queue and destination queue must not be the same.")
        if destination is not None and destination.fifo != source.fifo:
            raise InvalidParameterValue("Source queue and destination queue must be of the same type.")
        if any(not task.over for task in self._tasks.get(source.engine_name, ())):
            raise InvalidParameterValue(
                "There is already a task running. "
                "Only one active task is allowed for a source queue arn at a given time."
            )

    async def _queue(self, call: Call, parameter: str, arn: str | None) -> QueueName:
        if arn is None:
            raise MissingParameter.named(parameter)
        name = QueueName.from_arn(arn)
        if name is None:
            raise InvalidParameterValue(
                f"You must use this format to specify the {parameter}: "
                "arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
            )
        check_access(call.principal, name)
        try:
            if name.region != call.principal.region:
                raise QueueNotFound(name.arn)
            await self._engine.get_queue(name.engine_name)
        except QueueNotFound:
            raise ResourceNotFound(
                f"The resource that you specified for the {parameter} parameter doesn't exist."
            ) from None
        return name

    def _set_off(self, task: MoveTask, *, resumed: bool = False) -> None:
        async def save() -> None:
            await self._records.save(task.source, self._tasks[task.source])

        mover = Mover(self._engine, task, save, self._clock_ms, resumed=resumed)
        self._movers[task.source] = mover, asyncio.get_running_loop().create_task(self._work(mover, task))

    async def _work(self, mover: Mover, task: MoveTask) -> None:
        try:
            await mover.run()
        except Closed:
            return
        except QueueNotFound:
            task.status = FAILED
        except Exception as error:  # noqa: BLE001 - the edge of a background task: a defect must not pass unseen
            _log.error("move_task_failed", task=task.id, source=task.source, exc_info=error)
            task.status, task.failure = FAILED, "InternalError"
        if self._movers.get(task.source, (None,))[0] is mover:
            del self._movers[task.source]


def _shown(task: MoveTask) -> ListMessageMoveTasksResultEntry:
    return ListMessageMoveTasksResultEntry(
        task_handle=_handle(task) if task.status == RUNNING else None,
        status=task.status,
        source_arn=_arn(task.source),
        destination_arn=None if task.destination is None else _arn(task.destination),
        max_number_of_messages_per_second=task.per_second,
        approximate_number_of_messages_moved=task.moved,
        approximate_number_of_messages_to_move=task.to_move,
        failure_reason=task.failure,
        started_timestamp=task.started_at_ms,
    )


def _arn(engine_name: str) -> str:
    name = QueueName.from_engine(engine_name)
    return engine_name if name is None else name.arn


def _handle(task: MoveTask) -> str:
    """A handle names the task and its queue, in the form AWS gives it."""
    return base64.b64encode(msgspec.json.encode({"taskId": task.id, "sourceArn": _arn(task.source)})).decode()


def _parts(handle: str) -> tuple[str, str]:
    """The id of the task and the ARN of its queue."""
    try:
        named = msgspec.json.decode(base64.b64decode(handle, validate=True), type=dict[str, str])
        return named["taskId"], named["sourceArn"]
    except (binascii.Error, ValueError, KeyError, RecursionError) as error:
        raise InvalidParameterValue("Value for parameter TaskHandle is invalid.") from error
