"""Principal components, k-means and Gaussian mixtures of normal windows, by scikit-learn on the host.

scikit-learn is used only for these: its k-means++ and its EM with restarts are what others compare with, and
it is not needed after training.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.features.anomaly_settings import Method
from tinyml_cli.recipes.anomaly import MixtureRecipe
from tinyml_cli.wording import counted

FloatArray = NDArray[np.float64]

_EXPLAINED_SHARE = 0.995
_RESTARTS = 4
# A cluster of very few windows would have a radius close to zero.
_LEAST_RADIUS_SHARE = 0.3
_COVARIANCE_FLOOR = 1e-2
# Directions that hardly vary are not stretched beyond this, in standard deviations of single features.
_LEAST_SPREAD = 0.2


@dataclass(frozen=True)
class Components:
    """x @ matrix + bias: decorrelated, each with variance 1.

    Attributes:
        matrix: float64 [values, dimensions].
        bias: float64 [dimensions].
    """

    matrix: FloatArray
    bias: FloatArray


@dataclass(frozen=True)
class ScoreClusters:
    """score(x) = minimum over clusters of constant + sum of precision * (x - center)^2.

    Attributes:
        centers: float64 [clusters, dimensions].
        precisions: the same shape.
        constants: float64 [clusters], at least 0.
    """

    centers: FloatArray
    precisions: FloatArray
    constants: FloatArray


def components(windows: NDArray[np.float32], recipe: MixtureRecipe, seed: int) -> Components:
    """Whitened principal components, and whitened random directions in their orthogonal complement.

    A fault may appear where normal data hardly varies, outside all components. A few random directions
    preserve the energy there (W. B. Johnson and J. Lindenstrauss, "Extensions of Lipschitz mappings into a
    Hilbert space", 1984), and the network stays linear.

    Args:
        windows: float32 [windows, values], normal.
        recipe: number of each.
        seed: of the random directions.
    """
    pca = _sklearn("decomposition").PCA(svd_solver="full").fit(windows.astype(np.float64))
    explained = np.cumsum(pca.explained_variance_ratio_)
    enough = int(np.searchsorted(explained, _EXPLAINED_SHARE) + 1)
    count = max(1, min(recipe.dimensions, enough, int((pca.explained_variance_ > 1e-9).sum())))
    basis = pca.components_[:count].T
    rest = _directions(basis, recipe.residual_directions, seed)
    directions = np.concatenate([basis, rest], axis=1)
    spread = ((windows.astype(np.float64) - pca.mean_) @ directions).std(axis=0)
    matrix = directions / np.maximum(spread, _LEAST_SPREAD)
    return Components(matrix, -pca.mean_ @ matrix)


def _directions(basis: FloatArray, count: int, seed: int) -> FloatArray:
    """Random orthonormal directions orthogonal to a basis, float64 [values, at most count]."""
    values, taken = basis.shape
    count = min(count, values - taken)
    drawn = np.random.default_rng([seed, 12]).normal(size=(values, count))
    drawn -= basis @ (basis.T @ drawn)
    directions: FloatArray = np.linalg.qr(drawn)[0] if count else drawn
    return directions


def fit(points: FloatArray, method: Method, recipe: MixtureRecipe, seed: int) -> ScoreClusters:
    """Clusters of normal points, float64 [n, dimensions].

    Raises:
        TinymlError: fewer points than clusters.
    """
    if len(points) < 2 * recipe.clusters:
        raise TinymlError(
            f"Too few normal windows ({len(points)}) for {counted(recipe.clusters, 'cluster')}",
            "mixture.clusters",
            f"Record more, or use at most {counted(max(1, len(points) // 2), 'cluster')}.",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # clusters that coincide, and EM stopped early: both are harmless
        return _kmeans(points, recipe, seed) if method == "kmeans" else _gmm(points, recipe, seed)


def _kmeans(points: FloatArray, recipe: MixtureRecipe, seed: int) -> ScoreClusters:
    """Each cluster has its own radius: a score of 1 is on it."""
    model = _sklearn("cluster").KMeans(recipe.clusters, n_init=_RESTARTS, random_state=seed).fit(points)
    centers = model.cluster_centers_
    distances = np.linalg.norm(points - centers[model.labels_], axis=1)
    least = _LEAST_RADIUS_SHARE * float(np.quantile(distances, recipe.radius_quantile))
    radii = np.full(len(centers), max(least, 1e-3))
    for index in range(len(centers)):
        mine = distances[model.labels_ == index]
        if len(mine):
            radii[index] = max(radii[index], float(np.quantile(mine, recipe.radius_quantile)))
    precisions = np.repeat(1.0 / radii[:, None] ** 2, centers.shape[1], axis=1)
    return ScoreClusters(centers, precisions, np.zeros(len(centers)))


def _gmm(points: FloatArray, recipe: MixtureRecipe, seed: int) -> ScoreClusters:
    """The negative log-likelihood of the likeliest component, up to a constant; diagonal covariances.

    The sum over components is omitted: it differs by at most the logarithm of their number.
    """
    model = _sklearn("mixture").GaussianMixture(
        recipe.clusters,
        covariance_type="diag",
        n_init=_RESTARTS,
        random_state=seed,
        reg_covar=_COVARIANCE_FLOOR,
    )
    model.fit(points)
    constants = 0.5 * np.log(model.covariances_).sum(axis=1) - np.log(np.maximum(model.weights_, 1e-9))
    return ScoreClusters(model.means_, 0.5 / model.covariances_, constants - constants.min())


def _sklearn(part: str) -> Any:
    import importlib

    try:
        return importlib.import_module(f"sklearn.{part}")
    except ImportError as error:
        raise TinymlError(
            f"k-means and Gaussian mixtures need scikit-learn ({error})",
            "--method",
            "Run: pip install 'tinyml-cli[train]', or use --method autoencoder.",
        ) from error
