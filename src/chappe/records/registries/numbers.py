"""Telephone numbers as lists write them, to the integer of their E.164 digits.

The phonenumbers library says what a text means. It takes some 20 microseconds for that, so plain digits, which is what
lists hold, are read here by the library's own metadata where the outcome is certain; anything else is left to it. That
both agree is a property test over all regions.
"""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneMetadata

_COUNTRY_CODE_DIGITS_MAX = 3
_NSN_DIGITS_MIN = 2
"""Shorter national numbers are refused by the library."""
_SEPARATORS = str.maketrans("", "", " -.()/")


class NumberReader:
    """Reads numbers as written in one region (ISO 3166); without one, digits begin with the country code, "+" or not.

    Raises `ValueError` for a region that the numbering plans do not know.
    """

    def __init__(self, region: str | None = None) -> None:
        self._region = region.upper() if region else None
        if self._region is not None and self._region not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"there is no numbering plan for the region {region!r}; give an ISO 3166 code such as US")
        self._home = None if self._region is None else _Plan(self._region)
        self._plans: dict[str, _Plan | None] = {}

    def key(self, text: str) -> int:
        """The number as an integer: +1 202 555 0143 is 12025550143. Raises `ValueError`, which says why not."""
        if text.isascii():
            digits = text if text.isdigit() else text.translate(_SEPARATORS)
            found = self._certain(digits)
            if found is not None:
                return found
        return self._by_library(text)

    def _certain(self, text: str) -> int | None:
        """The number, if the text leaves no doubt; None leaves it to the library."""
        digits = text[1:] if text[:1] == "+" else text
        if not digits.isdigit():
            return None
        if digits is not text or self._home is None:
            return self._international(digits)
        return self._home.number(digits)

    def _international(self, digits: str) -> int | None:
        for length in range(1, _COUNTRY_CODE_DIGITS_MAX + 1):
            plan = self._plan(digits[:length])
            if plan is not None:
                return plan.international(digits)
        return None

    def _plan(self, country_code: str) -> _Plan | None:
        if country_code not in self._plans:
            region = phonenumbers.region_code_for_country_code(int(country_code))
            known = region in phonenumbers.SUPPORTED_REGIONS
            self._plans[country_code] = _Plan(region) if known and country_code[0] != "0" else None
        return self._plans[country_code]

    def _by_library(self, text: str) -> int:
        if self._region is None and not text.lstrip().startswith("+"):
            text = "+" + text.strip()
        try:
            number = phonenumbers.parse(text, self._region)
        except phonenumbers.NumberParseException:
            raise ValueError("it is not a telephone number") from None
        if not phonenumbers.is_possible_number(number):
            raise ValueError("the number has too many or too few digits for its country")
        if number.extension:
            raise ValueError("a number with an extension cannot be reached")
        return int(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:])


def country_code(region: str | None) -> str:
    """The digits with which numbers of a region (ISO 3166) begin; empty for one that has no numbering plan."""
    return str(phonenumbers.country_code_for_region(region.upper()) or "") if region else ""


class _Plan:
    """The numbering plan of a region, for digits whose meaning is certain."""

    def __init__(self, region: str) -> None:
        metadata = _metadata(region)
        code = metadata.country_code or 0
        main = _metadata(phonenumbers.region_code_for_country_code(code))
        assert metadata.general_desc is not None
        self._code = str(code)
        lengths = [set(_lengths(plan)) - set(_local_lengths(plan)) for plan in (metadata, main)]
        self._lengths = {length for length in lengths[0] & lengths[1] if length >= _NSN_DIGITS_MIN}
        self._longest = max((*_lengths(metadata), *_local_lengths(metadata)))
        self._valid = re.compile(metadata.general_desc.national_number_pattern or "")
        self._abroad = _pattern(metadata.international_prefix)
        self._trunk = _pattern(metadata.national_prefix_for_parsing)
        self._transforms = bool(metadata.national_prefix_transform_rule)

    def number(self, digits: str) -> int | None:
        """The number of digits dialled within the region."""
        if self._abroad is not None and self._abroad.match(digits):
            return None
        if digits.startswith(self._code):
            # Only digits too many for a national number certainly begin with the country code.
            return self.international(digits) if len(digits) > self._longest else None
        trunk = self._trunk.match(digits) if self._trunk is not None else None
        if trunk is None:
            return int(self._code + digits) if len(digits) in self._lengths else None
        national = digits[trunk.end() :]
        if self._transforms or len(national) not in self._lengths or not self._valid.fullmatch(national):
            return None
        return int(self._code + national)

    def international(self, digits: str) -> int | None:
        """The number of digits that begin with the country code."""
        national = digits[len(self._code) :]
        if len(national) not in self._lengths or (self._trunk is not None and self._trunk.match(national)):
            return None
        return int(digits)


def _metadata(region: str) -> PhoneMetadata:
    metadata: PhoneMetadata | None = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None, region
    return metadata


def _lengths(metadata: PhoneMetadata) -> tuple[int, ...]:
    assert metadata.general_desc is not None
    return tuple(metadata.general_desc.possible_length)


def _local_lengths(metadata: PhoneMetadata) -> tuple[int, ...]:
    assert metadata.general_desc is not None
    return tuple(metadata.general_desc.possible_length_local_only)


def _pattern(source: str | None) -> re.Pattern[str] | None:
    return re.compile(source) if source else None
