"""Writes fixtures/tsne.json: what scikit-learn's exact t-SNE computes on the way: the probabilities of pairs, and divergence and
gradient of places that are given. A whole run is not comparable: the smallest rounding makes another picture of it.
"""

import json
from pathlib import Path

import numpy as np
from scipy.spatial.distance import pdist, squareform
from sklearn.manifold import _t_sne

random = np.random.default_rng(20081109)


def case(name, features, perplexity):
    features = features.astype(np.float32)
    points = len(features)
    distances = squareform(pdist(features.astype(np.float64), "sqeuclidean")).astype(np.float32)
    probabilities = _t_sne._joint_probabilities(distances, perplexity, 0)
    coordinates = random.normal(size=(points, 2)) * 3
    divergence, gradient = _t_sne._kl_divergence(coordinates.ravel(), probabilities, 1, points, 2)
    return {
        "name": name,
        "perplexity": perplexity,
        "dimensions": features.shape[1],
        "features": [float(str(value)) for value in features.ravel()],
        "probabilities": probabilities.tolist(),
        "coordinates": coordinates.ravel().tolist(),
        "klDivergence": float(divergence),
        "gradient": gradient.ravel().tolist(),
    }


blob = random.normal(size=(20, 5))
clusters = np.concatenate([random.normal(size=(8, 5)) + centre for centre in (0, 15, -40)])
cases = [
    case("one cluster", blob, 5),
    case("three clusters", clusters, 3.5),
    case("large distances", blob * 1e3, 6),
    case("small distances", blob * 1e-3, 6),
    case("a point twice", np.concatenate([blob, blob[:1]]), 4),
    case("seven points", blob[:7], 2),
]

path = Path(__file__).parent / "fixtures" / "tsne.json"
path.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
