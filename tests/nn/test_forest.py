from __future__ import annotations

import numpy as np
import torch
from sklearn.ensemble import ExtraTreesClassifier

from avdetect.nn.forest import Forest
from recipes.voice_clone.statistics import as_tensors


def test_a_tree_is_walked_by_hand() -> None:
    forest = Forest(n_trees=1, n_nodes=5, depth=2)
    # x1 <= 0.5 ? (x0 <= 2 ? 0.25 : 0.5) : 0.75
    forest.feature[:] = torch.tensor([1, 0, -1, -1, -1])
    forest.threshold[:] = torch.tensor([0.5, 2.0, 0.0, 0.0, 0.0])
    forest.right[:] = torch.tensor([4, 3, 0, 0, 0])
    forest.value[:] = torch.tensor([0.0, 0.0, 0.25, 0.5, 0.75])
    asked = torch.tensor([[2.0, 0.5], [2.1, 0.0], [0.0, 0.6]])
    assert torch.allclose(forest(asked).sigmoid(), torch.tensor([0.25, 0.5, 0.75]))


def test_tensors_say_what_the_grown_trees_say() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 6)).astype(np.float32)
    y = (x[:, 0] + 0.5 * rng.normal(size=300) > 0).astype(int)
    model = ExtraTreesClassifier(20, min_samples_leaf=3, random_state=0).fit(x, y)
    expected = model.predict_proba(x)[:, 1].clip(0.01, 0.99)
    said = as_tensors(model)(torch.from_numpy(x)).sigmoid().numpy()
    assert np.allclose(said, expected, atol=1e-5)


def test_a_stored_forest_survives_floats() -> None:
    """Checkpoints are read as float32; node numbers must come back exactly."""
    forest = Forest(2, 70_000, 3)
    forest.right[:] = torch.arange(70_000)
    again = Forest(2, 70_000, 3)
    again.load_state_dict({key: value.float() for key, value in forest.state_dict().items()})
    assert torch.equal(again.right, forest.right)
