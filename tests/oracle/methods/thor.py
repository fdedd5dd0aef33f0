"""THOR's loss (Zuo et al. 2022): both passes' cross-entropies added, and α times the half-sum symmetric divergence.

Means over target tokens; −100 marks padding. Label smoothing ε in the cross-entropies only: 1 − ε on the target, the
rest shared by the other symbols.
"""
import numpy as np

import numerics as nm

PADDING = -100


def cross_entropy(logits_TV, target_T, smoothing):
    vocabulary = logits_TV.shape[1]
    wanted_TV = np.full(logits_TV.shape, smoothing / (vocabulary - 1))
    wanted_TV[np.arange(len(target_T)), target_T] = 1 - smoothing
    return -(wanted_TV * nm.log_softmax(logits_TV)).sum(axis=1).mean()


def consistency(logits_1_TV, logits_2_TV):
    log_1_TV, log_2_TV = nm.log_softmax(logits_1_TV), nm.log_softmax(logits_2_TV)
    return 0.5 * ((np.exp(log_1_TV) - np.exp(log_2_TV)) * (log_1_TV - log_2_TV)).sum(axis=1).mean()


def losses(logits_1_TV, logits_2_TV, target_T, smoothing):
    real = target_T != PADDING
    first_TV, second_TV, target_T = logits_1_TV[real], logits_2_TV[real], target_T[real]
    task = cross_entropy(first_TV, target_T, smoothing) + cross_entropy(second_TV, target_T, smoothing)
    return task, consistency(first_TV, second_TV)
