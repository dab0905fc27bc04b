"""[inbound]: how texts that people send are read and answered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.compliance.opt_out.answers import packaged_answers, read_answers
from chappe.pipeline.inbound import effects


class InboundSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How texts that people send (`POST /v1/inbound`) are read and answered."""

    keywords: Annotated[
        tuple[str, ...], Meta(description="Further words that mean an opt-out when they are the whole text.")
    ] = ()
    confirm_opt_outs: Annotated[
        bool, Meta(description="Whether an opt-out is confirmed: once, within five minutes, without advertising.")
    ] = True
    answer_starts: Annotated[bool, Meta(description="Whether START is answered.")] = True
    answer_help: Annotated[bool, Meta(description="Whether HELP is answered.")] = True
    answers: Annotated[
        Path | None,
        Meta(
            description="A YAML file of texts by language (`opt_out`, `opt_in`, `help`, `support`) that take the place "
            "of those that come with Chappe. `{brand}` is the name in the sender's profile, `{support}` its telephone "
            "number, mail address or website."
        ),
    ] = None

    def for_pipeline(self) -> effects.InboundSettings:
        """The same for the pipeline. Raises `InvalidConfiguration` for a file that cannot be used."""
        return effects.InboundSettings(
            confirm_opt_outs=self.confirm_opt_outs,
            answer_starts=self.answer_starts,
            answer_help=self.answer_help,
            answers=packaged_answers() if self.answers is None else read_answers(self.answers),
            keywords=self.keywords,
        )
