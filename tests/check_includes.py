#!/usr/bin/env python3
"""Checks that every #include "…" of ours goes where the rooms table of ARCHITECTURE.md allows.

Usage: check_includes.py [ROOT]. Prints one line per forbidden include; exit code 1 when there is any.
"""
import re
import sys
from pathlib import Path

SOURCES = {".h", ".cpp", ".cu"}
TOP_FOLDERS = ["kernels", "core", "views", "app"]


def read_table(text):
    """{room: rooms it may include} from the Markdown table whose heads are 'Folder' and 'May include'."""
    rooms, columns = {}, None
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if "Folder" in cells and "May include" in cells:
            columns = cells.index("Folder"), cells.index("May include")
        elif not cells:
            columns = None
        elif columns and max(columns) < len(cells):
            if room := re.search(r"`([^`]+)`", cells[columns[0]]):
                rooms[room[1].rstrip("/")] = {name.rstrip("/") for name in re.findall(r"`([^`]+)`", cells[columns[1]])}
    return rooms


def room_of(path, rooms):
    """The innermost room that holds `path`, or None."""
    return max((room for room in rooms if path.startswith(room + "/")), key=len, default=None)


def problems(root, rooms):
    for top in TOP_FOLDERS:
        for file in sorted(path for path in (root / top).rglob("*") if path.suffix in SOURCES):
            name = file.relative_to(root).as_posix()
            room = room_of(name, rooms)
            if room is None:
                yield f"{name}: lies in no room of the table"
                continue
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
                if not match or not (root / match[1]).is_file():
                    continue  # not ours: a system header or a library's
                target = room_of(match[1], rooms)
                if target != room and target not in rooms[room]:
                    yield f"{name}:{number}: {room} may not include {match[1]}"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    map_file = root / "ARCHITECTURE.md"
    rooms = read_table(map_file.read_text(encoding="utf-8")) if map_file.is_file() else {}
    if not rooms:
        sys.exit(f"{map_file}: there is no table with the columns 'Folder' and 'May include'")
    found = [f"{map_file.name}: {room} may include {name}, which is no room"
             for room, names in rooms.items() for name in sorted(names - set(rooms))]
    found += problems(root, rooms)
    print("\n".join(found) if found else f"every include of {len(rooms)} rooms is allowed")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
