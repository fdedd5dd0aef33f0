"""Stands in for the build backend of a source distribution that ./lab only wants to download.

`pip download` asks the backend for the metadata of a source archive even with --no-deps, which would fetch build
tools and run the archive's own build. This answers with the name and version taken from the folder, so that pip
checks the hash and saves the file, and nothing of the archive runs.
"""

import os


def get_requires_for_build_wheel(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    with open("pyproject.toml", encoding="utf-8") as project:
        fields = dict(line.split("#")[0].split(" = ", 1) for line in project if line.startswith(("name =", "version =")))
    name, version = (fields[key].strip().strip('"') for key in ("name", "version"))
    folder = f"{name.replace('-', '_')}-{version}.dist-info"
    os.mkdir(os.path.join(metadata_directory, folder))
    with open(os.path.join(metadata_directory, folder, "METADATA"), "w", encoding="utf-8") as metadata:
        metadata.write(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return folder
