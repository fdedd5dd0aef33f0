"""Writes the safetensors format: an 8-byte little-endian header length, a JSON header, raw little-endian data."""
import json

import numpy as np

DTYPES = {"float64": "F64", "int64": "I64", "uint8": "U8"}


def write(path, tensors, metadata=None):
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    # The wider types first, so that every tensor starts at a multiple of its own size.
    for name, value in sorted(tensors.items(), key=lambda item: (-np.asarray(item[1]).itemsize, item[0])):
        array = np.asarray(value, order="C")
        raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
        header[name] = {
            "dtype": DTYPES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
