from __future__ import annotations

import asyncio

from chappe.model.customer import Recipient
from chappe.records.news import News

ANA = Recipient(email="ana@example.com")
TEXT = "email:ana@example.com"


def test_only_what_is_told_after_the_look_is_news() -> None:
    news = News()
    news.tell([TEXT])
    seen = news.newest
    assert not news.has_of(TEXT, seen)
    news.tell(["email:bob@example.com"])
    assert not news.has_of(TEXT, seen)
    news.tell([TEXT])
    assert news.has_of(TEXT, seen)
    assert not news.has_of(TEXT, news.newest)


def test_what_is_forgotten_counts_as_news_of_everyone() -> None:
    news = News(kept=2)
    seen = news.newest
    for number in range(5):
        news.tell([f"user:{number}"])
    assert news.has_of(TEXT, seen)
    assert not news.has_of(TEXT, news.newest)
    assert not news.has_of("user:3", 4)
    assert news.has_of("user:4", 4)


async def test_news_are_told_before_the_caller_goes_on_and_when_it_has_left() -> None:
    news = News()
    loop = asyncio.get_running_loop()
    committed: asyncio.Future[int] = loop.create_future()
    waiting = asyncio.create_task(news.told(committed, lambda _: [ANA]))
    await asyncio.sleep(0)
    committed.set_result(1)
    assert await waiting == 1
    assert news.has_of(TEXT, 0)

    seen = news.newest
    left: asyncio.Future[int] = loop.create_future()
    waiting = asyncio.create_task(news.told(left, lambda _: [ANA]))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert not left.cancelled()
    left.set_result(1)
    await asyncio.sleep(0)
    assert news.has_of(TEXT, seen)


async def test_what_failed_is_no_news() -> None:
    news = News()
    failed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    failed.set_exception(OSError("the disk"))
    told = asyncio.create_task(news.told(failed, lambda _: [ANA]))
    await asyncio.wait([told])
    assert isinstance(told.exception(), OSError)
    assert news.newest == 0
