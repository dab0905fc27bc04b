from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from chappe.classify.labels import Kind, Label
from chappe.classify.templates import Filler, Template
from chappe.classify.training.examples import HARD_WEIGHT, from_corpus, from_csv
from chappe.model.errors import InvalidConfiguration


def _file(folder: Path, text: str, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if not name.endswith(".gz") else gzip.compress(text.encode()))
    return path


def test_rows_are_read_with_what_else_is_known(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        "\ufefftext,label,kind,group,reputation,hour\n"
        '"Your code is 1,234",transactional,code,7,0.5,9\n'
        "see you,personal,,,,\n",
    )
    code, chat = from_csv(path)
    assert (code.text, code.label, code.kind, code.group) == (
        "Your code is 1,234",
        Label.TRANSACTIONAL,
        Kind.CODE,
        "a.csv:7",
    )
    assert (code.metadata.reputation, code.metadata.hour, code.metadata.reacted) == (0.5, 9, None)
    assert (chat.label, chat.group, chat.source) == (Label.CONVERSATIONAL, "", "a.csv")


def test_gzip_is_read(tmp_path: Path) -> None:
    assert len(from_csv(_file(tmp_path, "text,label\nhi,spam\n", "a.csv.gz"))) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("text\nhi\n", "no column is called label; the first line names: text"),
        ("a,b\n", "no column is called label or text"),
        ("", r"a\.csv: the file is empty"),
        ("text,label\n", "no examples"),
        ("text,label\nhi,nonsense\n", "line 2: the label 'nonsense' is none of transactional, promotional"),
        ("text,label\n ,spam\n", "the text is empty"),
        ("text,label,kind\nhi,spam,code\n", "only what is transactional has a kind"),
        ("text,label,hour\nhi,spam,noon\n", "line 2"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InvalidConfiguration, match=says):
        from_csv(_file(tmp_path, text))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("b.csv", b"text,label\n\xff\xfe,spam\n", "cannot be read: it is not UTF-8 text"),
        ("c.csv.gz", b"no gzip", "cannot be read as CSV"),
        ("d.csv.gz", gzip.compress(b"text,label\n")[:-9], "cannot be read as CSV"),
        ("absent.csv", None, "cannot be read: there is no such file"),
        (".", None, "cannot be read: it is a folder"),
    ],
)
def test_files_that_cannot_be_read_are_told(tmp_path: Path, name: str, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidConfiguration, match=says):
        from_csv(tmp_path / name)


def test_a_mail_is_learnt_as_the_server_judges_it_and_hard_cases_count_less(tmp_path: Path) -> None:
    (tmp_path / "slots.yaml").write_text('"*": {}\n')
    plain = Template(
        "a", Label.CONVERSATIONAL, None, "email", "en", "chat", "*", "Subject: Team lunch\nFriday, same place"
    )
    hard = Template("b", Label.SPAM, None, "sms", "en", "fraud", "*", "Re: Subject: your fee", hard=True)
    mail, text = from_corpus([plain, hard], Filler(tmp_path), 1)
    assert (mail.text, mail.weight) == ("Team lunch\nFriday, same place", 1.0)
    assert (text.text, text.weight) == ("Re: Subject: your fee", HARD_WEIGHT)
