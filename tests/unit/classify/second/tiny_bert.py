"""A BERT of 16 numbers with chance weights, and what it computes, written out slowly in double precision."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, HEADS, LAYERS, INNER = 16, 4, 2, 24
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "your", "code", "is", "sale", "buy", "now", "0"]


def write(folder: Path, seed: int = 1, **config: object) -> dict[str, Any]:
    """Make the folder; the tensors, to compute with."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(seed)

    def matrix(*shape: int) -> Any:
        return chance.normal(0, 0.5, shape).astype(np.float32)

    tensors = {
        "embeddings.word_embeddings.weight": matrix(len(WORDS), WIDTH),
        "embeddings.position_embeddings.weight": matrix(64, WIDTH),
        "embeddings.token_type_embeddings.weight": matrix(2, WIDTH),
        "embeddings.LayerNorm.weight": 1 + matrix(WIDTH),
        "embeddings.LayerNorm.bias": matrix(WIDTH),
    }
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}."
        for name, rows, columns in (
            ("attention.self.query", WIDTH, WIDTH),
            ("attention.self.key", WIDTH, WIDTH),
            ("attention.self.value", WIDTH, WIDTH),
            ("attention.output.dense", WIDTH, WIDTH),
            ("intermediate.dense", INNER, WIDTH),
            ("output.dense", WIDTH, INNER),
        ):
            tensors[f"{at}{name}.weight"] = matrix(rows, columns)
            tensors[f"{at}{name}.bias"] = matrix(rows)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            tensors[f"{at}{name}.weight"] = 1 + matrix(WIDTH)
            tensors[f"{at}{name}.bias"] = matrix(WIDTH)
    save_file(tensors, str(folder / "model.safetensors"))
    tokenizer = Tokenizer(models.WordPiece({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    described = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "max_position_embeddings": 64,
    }
    (folder / "config.json").write_text(json.dumps(described | config))
    return tensors


def expected(tensors: dict[str, Any], ids: list[int]) -> list[float]:
    """The mean of the last layer, of length 1."""
    tensors = {name: value.astype(np.float64) for name, value in tensors.items()}
    x = [
        tensors["embeddings.word_embeddings.weight"][token]
        + tensors["embeddings.position_embeddings.weight"][place]
        + tensors["embeddings.token_type_embeddings.weight"][0]
        for place, token in enumerate(ids)
    ]
    x = [_norm(tensors, "embeddings.LayerNorm", row) for row in x]
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}."
        query, key, value = (
            [_dense(tensors, f"{at}attention.self.{name}", row) for row in x] for name in ("query", "key", "value")
        )
        size = WIDTH // HEADS
        seen = []
        for place in range(len(x)):
            row: list[float] = []
            for head in range(HEADS):
                part = slice(head * size, (head + 1) * size)
                scores = [float(query[place][part] @ other[part]) / math.sqrt(size) for other in key]
                odds = [math.exp(score - max(scores)) for score in scores]
                row += list(sum(odd / sum(odds) * other[part] for odd, other in zip(odds, value, strict=True)))
            seen.append(np.array(row))
        x = [
            _norm(tensors, at + "attention.output.LayerNorm", _dense(tensors, at + "attention.output.dense", s) + row)
            for s, row in zip(seen, x, strict=True)
        ]
        inner = [_dense(tensors, at + "intermediate.dense", row) for row in x]
        grown = [np.array([v * 0.5 * (1 + math.erf(v / math.sqrt(2))) for v in row]) for row in inner]
        x = [
            _norm(tensors, at + "output.LayerNorm", _dense(tensors, at + "output.dense", g) + row)
            for g, row in zip(grown, x, strict=True)
        ]
    mean = sum(x) / len(x)
    return [float(value) for value in mean / math.sqrt(float(mean @ mean))]


def _dense(tensors: dict[str, Any], name: str, row: Any) -> Any:
    return tensors[f"{name}.weight"] @ row + tensors[f"{name}.bias"]


def _norm(tensors: dict[str, Any], name: str, row: Any) -> Any:
    spread = math.sqrt(float(((row - row.mean()) ** 2).mean()) + 1e-12)
    return (row - row.mean()) / spread * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]
