"""Categories by words: what is found, what is not, and lists of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chappe.classify.moderation import Category, Moderator, folded, load_moderator, packaged_lists
from chappe.model.errors import InvalidConfiguration

SHIPPED = load_moderator()


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("100 FREE SPINS at our Online-Casino", "gambling"),
        ("Онлайн казино: 100 фриспинов", "gambling"),
        ("来看真人荷官百家乐", "gambling"),
        ("situs SLOT GACOR terpercaya", "gambling"),
        ("Buy an AK-47 with free shipping", "weapons"),
        ("cheap V1agra, no prescription needed", "drugs"),
        ("закладки в твоём городе", "drugs"),
        ("Live   sex\nchat now", "adult"),
        ("we know where you live", "violence"),
        ("kill all the refugees", "hate"),
        ("just kill yourself", "self_harm"),
        ("Disposable vape pens at half price", "alcohol_tobacco"),
    ],
)
def test_words_of_a_category_are_found(text: str, category: str) -> None:
    assert category in SHIPPED.categories_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "Your code is 482913. It is valid for 10 minutes.",
        "Your parcel is out for delivery in Essex and arrives at 10:30.",
        "The class analysis of the Scunthorpe survey is ready.",
        "Your statement for March is ready: https://bank.example/statement",
        "The grocery list: vapeur, cocain, dienstags",
        "Su pedido ha sido enviado. Gracias por su compra.",
        "您的验证码是482913, 请勿告诉他人",
        "",
    ],
)
def test_harmless_texts_have_none(text: str) -> None:
    assert SHIPPED.categories_of(text) == ()


def test_every_shipped_word_is_found_where_it_stands_alone() -> None:
    for name, category in packaged_lists().items():
        for words in category.words.values():
            for word in words:
                if not word.startswith("re:"):
                    assert name in SHIPPED.categories_of(f"Now: {word.rstrip('*')}!"), word


def test_several_languages_have_every_category() -> None:
    for category in packaged_lists().values():
        assert len(category.words) >= 10
        assert category.about


def test_a_star_stands_for_any_ending_and_its_absence_for_none() -> None:
    moderator = Moderator({"a": [Category({"en": ("bet*", "chip")})]})
    assert moderator.categories_of("Betting!") == ("a",)
    assert moderator.categories_of("chip") == ("a",)
    assert moderator.categories_of("chips alphabet") == ()


@given(st.text(max_size=80))
def test_folding_parts_words_by_single_spaces_whatever_comes(text: str) -> None:
    found = folded(text)
    assert found[0] == found[-1] == " "
    assert "  " not in found.strip()
    assert folded(found) == found


@settings(deadline=None)
@given(before=st.text(max_size=30), after=st.text(max_size=30))
def test_a_word_is_found_between_any_others(before: str, after: str) -> None:
    assert "gambling" in SHIPPED.categories_of(f"{before} roulette {after}")


def test_a_long_text_is_read_to_its_end() -> None:
    assert "gambling" in SHIPPED.categories_of("word " * 40_000 + "roulette")


def test_own_lists_add_words_and_categories(tmp_path: Path) -> None:
    file = tmp_path / "lists.yaml"
    file.write_text(
        "competitors:\n  words:\n    en: [Globex, 're:\\binitech-[0-9]+\\b']\ngambling:\n  words: {en: [tombola]}\n"
    )
    moderator = load_moderator([file], off=["hate"])
    assert moderator.categories_of("Cheaper than GLOBEX") == ("competitors",)
    assert moderator.categories_of("Initech-7") == ("competitors",)
    assert moderator.categories_of("tombola and roulette") == ("gambling",)
    assert moderator.categories_of("heil hitler") == ()
    assert load_moderator([file], packaged=False).categories_of("roulette") == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gambling: [1, 2]", "these are no moderation lists"),
        ("a: {words: {en: ['re:(']}}", "is no RE2 expression"),
        ("a: {words: {en: ['*']}}", "a word has 1 to"),
        ("'A B': {words: {en: [x]}}", "is no name of a category"),
        ("a: {wrods: {en: [x]}}", "these are no moderation lists"),
        ("{", "these are no moderation lists"),
    ],
)
def test_lists_that_cannot_be_used_are_told(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "lists.yaml"
    file.write_text(text)
    with pytest.raises(InvalidConfiguration, match=says):
        load_moderator([file])


def test_unknown_files_and_categories_are_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="cannot be read"):
        load_moderator([tmp_path / "nothing.yaml"])
    with pytest.raises(InvalidConfiguration, match="there is no moderation category hats"):
        load_moderator(off=["hats"])
