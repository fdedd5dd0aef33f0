"""The functions a complex step passes through exactly, and the decisions it must not change.

A gradient is Im f(x + i·1e-30)/1e-30: no difference of close numbers is taken, so it is exact to rounding. That holds
for functions written out in analytic form; comparisons (relu, max, top-k) look at real parts only. How close the
nearest comparison was to a tie is noted, so that cases near one can be thrown away.
"""
import math

import numpy as np

_nearest = [math.inf]


def start_watching():
    _nearest[0] = math.inf


def nearest_decision():
    """The smallest distance to a tie or kink since start_watching()."""
    return _nearest[0]


def decided_by(distance):
    distance = np.abs(np.real(distance))
    if distance.size:
        _nearest[0] = min(_nearest[0], float(distance.min()))


def relu(x):
    decided_by(x)
    return np.where(x.real > 0, x, 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def logsumexp(x, axis=-1):
    shift = x.real.max(axis=axis, keepdims=True)
    return (shift + np.log(np.exp(x - shift).sum(axis=axis, keepdims=True))).squeeze(axis)


def log_softmax(x, axis=-1):
    return x - np.expand_dims(logsumexp(x, axis), axis)


def softmax(x, axis=-1):
    raised = np.exp(x - x.real.max(axis=axis, keepdims=True))
    return raised / raised.sum(axis=axis, keepdims=True)


def softplus(x):
    shift = np.maximum(x.real, 0)
    return shift + np.log(np.exp(-shift) + np.exp(x - shift))


def norm(x, axis=-1):
    return np.sqrt((x * x).sum(axis=axis, keepdims=True))


def normal_cdf(x):
    """Φ, extended to first order: its derivative is the density."""
    real = np.vectorize(lambda value: 0.5 * math.erfc(-value / math.sqrt(2)))(x.real)
    if not np.iscomplexobj(x):
        return real
    return real + 1j * x.imag * np.exp(-0.5 * x.real**2) / math.sqrt(2 * math.pi)


def layer_norm(x, weight, bias, eps=1e-5):
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + eps) * weight + bias


def top_k(scores, k, axis=-1):
    """Indices of the k largest real parts, best first; the lowest index among equals."""
    order = np.argsort(-scores.real, axis=axis, kind="stable")
    ranked = np.take_along_axis(scores.real, order, axis)
    decided_by(np.diff(ranked, axis=axis).take(range(min(k, ranked.shape[axis] - 1)), axis=axis))
    return order.take(range(k), axis=axis)


def take(values_TE, index_TK):
    return np.take_along_axis(values_TE, index_TK, 1)
