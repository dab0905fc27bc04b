"""(b) The whole life of a message, sent, received and deleted in batches of ten through the SQS API."""

from __future__ import annotations

from bench.figure import Figure, Settings, Target, median
from bench.load import drive
from bench.queue_life import BATCH, Lives
from bench.servers import chappe, data_folder

CONNECTIONS = (8, 32)
TARGET_PER_SECOND = 25_000


def run(settings: Settings) -> Figure:
    figure = Figure("b", f"Whole life in batches of {BATCH}: send, receive, delete; 1 KB, SigV4, synced to disk")
    best = 0.0
    with data_folder(settings.folder) as data, chappe(data) as server:
        for connections in CONNECTIONS:
            rates, cpus, lives = [], [], None
            for number in range(settings.rounds):
                lives = Lives(server.signer(), server.create_queue(f"bench-{connections}-{number}"))
                sources = [lives.connection() for _ in range(connections)]
                samples = drive(server.address, sources, seconds=settings.seconds, warm_up_seconds=0.5)
                rates.append(lives.deleted_between(samples.begun, samples.seconds) / samples.seconds)
                cpus.append(samples.client_cpu)
            assert lives is not None
            row = {"connections": connections, "messages/s": median(rates)}
            for operation in lives.latencies_ms:
                row |= {f"{operation} P50 ms": lives.p50_ms(operation), f"{operation} P99 ms": lives.p99_ms(operation)}
            figure.rows.append(row | {"client CPU": median(cpus)})
            best = max(best, median(rates))
    figure.targets.append(Target("messages/s on one core", TARGET_PER_SECOND, best))
    return figure
