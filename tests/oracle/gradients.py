"""Gradients of a real objective of named arrays: by the complex step, and by central differences to check it."""
import numpy as np

STEP = 1e-30


def complex_step(objective, arrays):
    """{name: ∂objective/∂array}. objective takes {name: array} and returns a complex number."""
    gradients = {}
    for name, array in arrays.items():
        gradient = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            moved = array.astype(complex)
            moved[index] += 1j * STEP
            gradient[index] = np.imag(objective({**arrays, name: moved})) / STEP
        gradients[name] = gradient
    return gradients


def largest_disagreement(objective, arrays, gradients, step=1e-5):
    """Of `gradients` with central differences, relative to max(1, |gradient|)."""
    worst = 0.0
    for name, array in arrays.items():
        for index in np.ndindex(array.shape):
            up, down = array.copy(), array.copy()
            up[index] += step
            down[index] -= step
            difference = np.real(objective({**arrays, name: up}) - objective({**arrays, name: down})) / (2 * step)
            exact = gradients[name][index]
            worst = max(worst, abs(difference - exact) / max(1.0, abs(exact)))
    return worst
