"""The models of a data folder: stored as files, put in use by one row, and there again after a restart.

A file is written beside its place, synced and renamed before any row names it. A model that cannot be read at the start
does not keep the server from starting: the one that comes with Chappe judges instead, and the log says so loudly.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from chappe.classify.artefact import Artefact, ModelCard, artefact_bytes, model_of, packaged_artefact, read_artefact
from chappe.classify.model import Model
from chappe.classify.serving import Serving
from chappe.model.errors import ChappeError, Conflict, InvalidConfiguration, InvalidInput, ModelNotFound, StorageFailed
from chappe.records.model_activations import ModelActivation, ModelActivationRecords, ModelChange, ModelsInUse
from chappe.records.rule_sets import Author
from chappe.security.private_file import replace_private_file

FOLDER_NAME = "models"
MODELS_MAX = 100
_VERSION = re.compile(r"[0-9a-f]{12}", re.ASCII)
_log = structlog.get_logger("chappe.models")


class ModelSummary(msgspec.Struct, frozen=True):
    """A model that can be put in use. `packaged` is the one that comes with this version of Chappe."""

    version: str
    card: ModelCard
    gram_count: int
    packaged: bool


class Models:
    """Keeps models and says which judge. Use from one event loop."""

    def __init__(
        self, folder: Path, records: ModelActivationRecords, serving: Serving, now_ms: Callable[[], int]
    ) -> None:
        self.records = records
        self.serving = serving
        self._folder = folder / FOLDER_NAME
        self._now_ms = now_ms
        self._packaged = packaged_artefact()
        self._changing = asyncio.Lock()
        self.in_use = ModelsInUse()

    async def start(self) -> None:
        """Put in use what was when the server stopped."""
        last = await self.records.last()
        if last is None:
            return
        try:
            await self._switch(last.in_use)
        except ChappeError as error:
            _log.error(
                "model_unusable",
                version=last.in_use.version,
                shadow=last.in_use.shadow,
                reason=error.message,
                instead=self._packaged.version,
            )

    async def all(self) -> list[ModelSummary]:
        """Every model that can be put in use, the packaged one first."""
        stored = await asyncio.to_thread(self._stored)
        return [_summary(self._packaged, packaged=True), *stored]

    async def get(self, version: str) -> ModelSummary:
        """Raises `ModelNotFound`, and `InvalidConfiguration` for a file that cannot be read."""
        artefact = await asyncio.to_thread(self._artefact, version)
        return _summary(artefact, packaged=version == self._packaged.version)

    async def add(self, artefact: Artefact) -> ModelSummary:
        """Store a model, which nothing uses yet. Storing it again changes nothing.

        Raises `InvalidInput` for one that is not what its version says, `Conflict` when there are too many.
        """
        return await asyncio.to_thread(self._add, artefact)

    async def activate(self, version: str, author: Author) -> ModelActivation:
        """From the return on every verdict is this model's. Raises `ModelNotFound`, and `Conflict` if it is in use."""

        def change(now: ModelsInUse) -> ModelsInUse:
            if (now.version or self._packaged.version) == version:
                raise Conflict(f"The model {version} is in use already.", version=version)
            return ModelsInUse(version, None if now.shadow == version else now.shadow)

        return await self._changed(ModelChange.ACTIVATED, change, author, needs=version)

    async def shadow(self, version: str | None, author: Author) -> ModelActivation:
        """Let this model judge beside the one in use, deciding nothing; None ends that.

        Raises `ModelNotFound`, and `Conflict` if that is so already.
        """

        def change(now: ModelsInUse) -> ModelsInUse:
            if now.shadow == version:
                raise Conflict("That is in the shadow already." if version else "No model is in the shadow.")
            if version is not None and version == (now.version or self._packaged.version):
                raise Conflict(f"The model {version} is the one in use.", version=version)
            return ModelsInUse(now.version, version)

        return await self._changed(ModelChange.SHADOWED, change, author, needs=version)

    async def roll_back(self, author: Author) -> ModelActivation:
        """Return to what was in use before the last change. Raises `Conflict` if there was nothing before."""

        async def roll_back() -> ModelActivation:
            async with self._changing:
                activation = await self.records.roll_back(at_ms=self._now_ms(), author=author)
                await self._switch(activation.in_use)
                return activation

        return await asyncio.shield(asyncio.create_task(roll_back()))

    async def _changed(
        self,
        change: ModelChange,
        to: Callable[[ModelsInUse], ModelsInUse],
        author: Author,
        *,
        needs: str | None,
    ) -> ModelActivation:
        async def carry_out() -> ModelActivation:
            async with self._changing:
                if needs is not None:
                    await asyncio.to_thread(self._kept, needs)
                activation = await self.records.change(change, to, at_ms=self._now_ms(), author=author)
                await self._switch(activation.in_use)
                return activation

        # Not to be cut off between the commit and the switch, should whoever asked go away.
        return await asyncio.shield(asyncio.create_task(carry_out()))

    async def _switch(self, in_use: ModelsInUse) -> None:
        model = await self._model(in_use.version or self._packaged.version)
        shadow = None if in_use.shadow is None else await self._model(in_use.shadow)
        self.serving.use(model, shadow)
        self.in_use = in_use
        _log.info("model_in_use", version=model.version, shadow=in_use.shadow)

    async def _model(self, version: str) -> Model:
        if self.serving.model.version == version:
            return self.serving.model
        return await asyncio.to_thread(lambda: model_of(self._artefact(version)))

    def _artefact(self, version: str) -> Artefact:
        if version == self._packaged.version:
            return self._packaged
        path = self._path(version)
        try:
            return read_artefact(path.read_bytes(), str(path))
        except FileNotFoundError:
            raise ModelNotFound(f"There is no model {version}.", version=version) from None
        except OSError as error:
            raise StorageFailed(f"{path} cannot be read: {error.strerror}.") from error

    def _path(self, version: str) -> Path:
        if not _VERSION.fullmatch(version):
            raise ModelNotFound(
                f"{version!r} is no version of a model; one has 12 hexadecimal digits.", version=version
            )
        return self._folder / f"{version}.json"

    def _kept(self, version: str) -> None:
        """See that the model is a file: the packaged one is another after an upgrade."""
        artefact = self._artefact(version)
        if not self._path(version).exists():
            self._write(artefact)

    def _add(self, artefact: Artefact) -> ModelSummary:
        try:
            read_artefact(msgspec.json.encode(artefact), "the model")  # checks what it is
            read = read_artefact(artefact_bytes(artefact.card, artefact.weights), "the model")  # works its version out
        except InvalidConfiguration as error:
            raise InvalidInput(error.message) from error
        if read.version != artefact.version:
            raise InvalidInput(
                f"the version of the model is {artefact.version}, but its weights are those of {read.version}",
                pointer="/version",
            )
        if not self._path(read.version).exists():
            if len(self._paths()) >= MODELS_MAX:
                raise Conflict(f"There are {MODELS_MAX} models already; remove files from {self._folder}.")
            self._write(read)
        return _summary(read, packaged=read.version == self._packaged.version)

    def _write(self, artefact: Artefact) -> None:
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            replace_private_file(self._path(artefact.version), artefact_bytes(artefact.card, artefact.weights))
        except OSError as error:
            raise StorageFailed(f"{self._folder}: the model cannot be stored: {error.strerror}.") from error

    def _stored(self) -> list[ModelSummary]:
        found = []
        for path in self._paths():
            if path.stem == self._packaged.version:
                continue
            try:
                found.append(_summary(read_artefact(path.read_bytes(), str(path)), packaged=False))
            except (OSError, InvalidConfiguration) as error:
                _log.warning("model_unreadable", file=str(path), reason=str(error))
        return found

    def _paths(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("*.json") if _VERSION.fullmatch(path.stem))


def _summary(artefact: Artefact, *, packaged: bool) -> ModelSummary:
    return ModelSummary(artefact.version, artefact.card, len(artefact.weights.grams), packaged)
