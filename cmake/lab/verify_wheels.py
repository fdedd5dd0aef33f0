"""Exit 0 when every package of the requirements files is installed here whole: right version, every file's hash.

./lab asks this before it stamps a Python environment as ready, so that an interrupted or damaged one is redone.
"""

import base64
import hashlib
import importlib.metadata
import re
import sys


def file_is_whole(file):
    if file.hash is None:  # RECORD itself, and what pip adds
        return True
    digest = hashlib.new(file.hash.mode)
    with open(file.locate(), "rb") as data:
        while block := data.read(1 << 20):
            digest.update(block)
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() == file.hash.value


def main(requirements):
    for path in requirements:
        with open(path, encoding="utf-8") as lines:
            pins = re.findall(r"^([\w.-]+)==(\S+)", lines.read(), re.MULTILINE)
        for name, version in pins:
            try:
                package = importlib.metadata.distribution(name)
                if package.version != version:
                    return f"{name} is {package.version}, not {version}"
                damaged = next((file for file in package.files if not file_is_whole(file)), None)
            except (importlib.metadata.PackageNotFoundError, OSError, TypeError) as error:
                return f"{name}: {error}"
            if damaged is not None:
                return f"{name}: {damaged} is damaged"
    return 0


sys.exit(main(sys.argv[1:]))
