"""Many at once: threads, books of their own on one database, processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from ledger.core.book import Book
from ledger.core.model import Answer, Posted
from tests.conformance.conftest import Grounds
from tests.conformance.test_whole import check_sums
from tests.conformance.town import FREE, FUNDS, OTHER_FREE, A, B, Ground, codes, dump, post, settle, t, tx

ROOT = Path(__file__).parents[2]


def all_at_once(todo: list[Callable[[], Answer]]) -> list[Answer]:
    """Run all of `todo`, each in a thread of its own, begun at the same moment."""
    start = threading.Barrier(len(todo))
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def run(each: Callable[[], Answer]) -> None:
        start.wait()
        try:
            answers.append(each())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(each,)) for each in todo]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    return answers


def test_fifty_threads_spend_one_balance(ground: Ground) -> None:
    books = [settle(ground.book()), *(ground.book(seed=n) for n in range(2, 6))]
    counter = count(1_000)
    orders = [tx(next(counter), t(A, B, FUNDS // 10)) for _ in range(50)]
    answers = all_at_once(
        [lambda n=n, order=order: books[n % 5].post([order]).answers[0] for n, order in enumerate(orders)]  # type: ignore[misc]
    )
    assert Counter(codes(answers)) == {"posted": 10, "below_floor": 40}
    assert (books[0].balance(A), books[0].balance(B)) == (0, 2 * FUNDS)
    seqs = sorted(answer.seq for answer in answers if isinstance(answer, Posted))
    assert seqs == list(range(seqs[0], seqs[0] + 10))
    check_sums(books[0])


def test_one_id_sent_twenty_times_at_once(ground: Ground) -> None:
    books = [settle(ground.book()), *(ground.book(seed=n) for n in range(2, 6))]
    order = tx(1_000, t(A, B, 100))
    answers = all_at_once([lambda n=n: books[n % 5].post([order]).answers[0] for n in range(20)])  # type: ignore[misc]
    assert Counter(codes(answers)) == {"posted": 1, "replay": 19}
    assert len({answer[:3] for answer in answers}) == 1
    assert books[1].balance(A) == FUNDS - 100


def test_readers_see_whole_batches_while_others_write(ground: Ground) -> None:
    book, other = settle(ground.book()), ground.book(seed=2)
    done = threading.Event()
    wrong: list[str] = []
    looks = count()

    def look(reader: Book) -> None:
        while not done.is_set():
            next(looks)
            with reader.store.reading() as store:
                free, back = store.accounts([FREE, OTHER_FREE])[FREE], store.accounts([OTHER_FREE])[OTHER_FREE]
                moved = sum(row.amount for row in store.walk(FREE, free.last, 10_000))
                if free.balance + back.balance != 0 or moved != free.debits + free.credits:
                    wrong.append(f"{free.balance} {back.balance} {moved}")
                if store.log(store.head().seq, 10):
                    wrong.append("log beyond the head")

    readers = [threading.Thread(target=look, args=(each,)) for each in (book, other, book)]
    for thread in readers:
        thread.start()
    for n in range(25):
        post(book, tx(1_000 + n, *[t(FREE, OTHER_FREE, 1)] * 5, t(OTHER_FREE, FREE, 2)))
    done.set()
    for thread in readers:
        thread.join()
    assert not wrong
    assert next(looks) > 3


WORKER = """
import sys
from ledger.core.opening import open_book
from tests.conformance.town import A, B, FREE, OTHER_FREE, codes, t, tx

address, me = sys.argv[1], int(sys.argv[2])
book = open_book(address)
for n in range(40):
    own = tx(10_000 + 100 * me + n, t(FREE, OTHER_FREE, 1))
    spend = tx(20_000 + 100 * me + n, t(A, B, 100))
    same = tx(30_000 + n, t(OTHER_FREE, FREE, 1))
    print(*codes(book.post([own, spend]).answers), *codes(book.post([same]).answers))
book.close()
"""


def test_three_processes_on_one_database(database: Ground) -> None:
    book = settle(database.book())
    before = book.head().seq
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, database.address, str(me)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for me in range(3)
    ]
    said = Counter(word for worker in workers for word in worker.communicate(timeout=60)[0].split())
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    spends = FUNDS // 100
    assert said == {"posted": 120 + spends + 40, "replay": 80, "below_floor": 120 - spends}
    assert book.balance(A) == 0
    assert book.balance(FREE) == -120 + 40
    assert book.head().seq == before + 120 + spends + 40
    check_sums(book)


@pytest.mark.parametrize("kind", ["memory"])
def test_the_strictest_store_takes_over_what_a_database_holds(kind: str, database: Ground, grounds: Grounds) -> None:
    """Every entry that threads made a database hold is one that the memory store would have taken."""
    from ledger.core import record

    books = [settle(database.book()), *(database.book(seed=n) for n in range(2, 4))]
    all_at_once(
        [
            lambda n=n: books[n % 3].post([tx(1_000 + n, t(A, B, n + 1), t(FREE, OTHER_FREE, 7))]).answers[0]  # type: ignore[misc]
            for n in range(12)
        ]
    )
    everything = dump(books[0])
    again = grounds.make(kind).book()
    for row in everything.log:
        said = record.parse(row.record)
        again.clock, again.entropy = (lambda at=said.at: at), (lambda n, salt=said.salt: salt)  # type: ignore[misc]
        post(again, said.instruction)
    assert dump(again) == everything
