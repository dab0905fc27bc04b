"""The second opinion itself: three kinds of features, found at the same time, and a forest over them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from chappe.classify.labels import Label
from chappe.classify.model import LABELS, Verdict, label_of
from chappe.classify.second.embedding import Embedder, embedder
from chappe.classify.second.forest import Forest, check
from chappe.classify.second.lexical import Lexical
from chappe.classify.second.metadata import NAMES, UNKNOWN, Metadata, numbers
from chappe.model.errors import ExtraMissing, InvalidConfiguration

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = "chappe-second-opinion/1"
FILE_BYTES_MAX = 256 * 1_048_576
_FOREST = ("roots", "feature", "threshold", "left", "right", "shares", "leaves")


class Header(msgspec.Struct, frozen=True):
    """What a file says of itself. `embedding` names the embedding that it was taught with: another gives other numbers,
    and is refused.
    """

    format: str
    embedding: str
    embedding_width: int
    labels: tuple[str, ...]
    metadata: tuple[str, ...]
    data: str
    figures: dict[str, Any] = {}


class SecondOpinion:
    """A forest with what makes its features. Safe to share between threads; `close` ends its own."""

    def __init__(self, header: Header, lexical: Lexical, embedding: Embedder, forest: Forest) -> None:
        self.header = header
        self.lexical = lexical
        self.embedding = embedding
        self.forest = forest
        self._pipelines = ThreadPoolExecutor(2, thread_name_prefix="second-opinion-features")

    def judge(self, text: str, metadata: Metadata = UNKNOWN) -> tuple[float, ...]:
        """The probabilities in the order of `Label`. Takes milliseconds."""
        return tuple(self.forest.probabilities(self.features(text, metadata)))

    def features(self, text: str, metadata: Metadata = UNKNOWN) -> NDArray[np.float32]:
        """All features of a message: words, then embedding, then metadata. The three are found at the same time; the
        embedding, which takes nearly all the time and leaves the interpreter to others meanwhile, in this thread.
        """
        import numpy as np

        words = self._pipelines.submit(self.lexical.features, text)
        known = self._pipelines.submit(numbers, metadata)
        width = self.lexical.width
        values = np.zeros(width + self.embedding.width + len(NAMES), dtype=np.float32)
        values[width : width + self.embedding.width] = self.embedding.embed(text)
        for column, value in words.result():
            values[column] = value
        values[width + self.embedding.width :] = known.result()
        return values

    def close(self) -> None:
        """End the threads."""
        self._pipelines.shutdown()


def combined(verdict: Verdict, second: tuple[float, ...]) -> Verdict:
    """A verdict of both: the mean of their probabilities, with the floor of the first."""
    shares = tuple([(first + other) / 2 for first, other in zip(verdict.probabilities, second, strict=True)])
    label = label_of(shares, verdict.promotional_floor)
    kind = verdict.kind if label is Label.TRANSACTIONAL else None
    return Verdict(label, shares[LABELS.index(label)], shares, kind, verdict.grams, verdict.promotional_floor)


def write_opinion(path: Path, header: Header, lexical: Lexical, forest: Forest) -> None:
    """One npz file: arrays, and the header and the vocabulary as JSON in arrays of bytes. Nothing is pickled."""
    import numpy as np

    arrays: dict[str, NDArray[Any]] = {name: getattr(forest, name) for name in _FOREST}
    arrays["header"] = np.frombuffer(msgspec.json.encode(header), dtype=np.uint8)
    arrays["vocabulary"] = np.frombuffer(msgspec.json.encode(lexical.vocabulary), dtype=np.uint8)
    arrays["rarities"] = np.array(lexical.rarities, dtype=np.float32)
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(content.getvalue())
    temporary.replace(path)


def load_opinion(path: Path, embedding: Path | None = None) -> SecondOpinion:
    """The second opinion of a file, with the embedding of a folder or of the package.

    Raises `InvalidConfiguration` if the file is not one of ours or was taught with another embedding, `ExtraMissing`
    without the libraries.
    """
    try:
        import numpy as np
    except ImportError as error:
        raise ExtraMissing("a second opinion needs an extra: pip install 'chappe[embed]'") from error
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > FILE_BYTES_MAX:
                raise InvalidConfiguration(f"{path}: a second opinion has at most {FILE_BYTES_MAX} bytes.")
        with np.load(path, allow_pickle=False) as file:
            arrays: Mapping[str, NDArray[Any]] = {name: file[name] for name in file.files}
        header = msgspec.json.decode(arrays["header"].tobytes(), type=Header)
        vocabulary = msgspec.json.decode(arrays["vocabulary"].tobytes(), type=tuple[str, ...])
        forest = Forest(**{name: arrays[name] for name in _FOREST})
        lexical = Lexical(vocabulary, arrays["rarities"].tolist())
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, msgspec.DecodeError) as error:
        raise InvalidConfiguration(f"{path}: this is no second opinion: {error}.", file=str(path)) from error
    if (header.format, header.labels, header.metadata) != (FORMAT, tuple(map(str, LABELS)), NAMES):
        raise InvalidConfiguration(f"{path}: this second opinion is of another format; want {FORMAT}.")
    embeds = embedder(embedding)
    if (embeds.digest, embeds.width) != (header.embedding, header.embedding_width):
        raise InvalidConfiguration(f"{path}: it was taught with another embedding ({header.embedding}).")
    check(forest, lexical.width + embeds.width + len(NAMES), len(LABELS))
    return SecondOpinion(header, lexical, embeds, forest)
