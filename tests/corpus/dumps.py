"""Compares the values that `h5r dump --json` and `h5dump --xml` print: numbers, strings, and what is made of them.

Usage: dumps.py H5R FILE...   (files that this h5dump cannot read are left out)
"""

import json
import os
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as xml

PREFIX = "{http://hdfgroup.org/HDF5/XML/schema/HDF5-File.xsd}"
TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s"]+)', re.DOTALL)
ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
# Of h5dump without plugins.
KNOWN_FILTERS = (1, 2, 3, 5, 6)
NAMED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}


def is_compared(t):
    """References, opaque values and their like are printed in ways of their own."""
    if t["class"] == "compound":
        return all(is_compared(member["type"]) for member in t["members"])
    if t["class"] in ("array", "sequence"):
        return is_compared(t["base"])
    return t["class"] in ("enum", "string") or t["class"] in ("integer", "float") and t["size"] <= 8


def flat(value, t):
    """The scalars of an element, one after the other."""
    if t["class"] == "compound":
        return [scalar for member in t["members"] for scalar in flat(value[member["name"]], member["type"])]
    if t["class"] in ("array", "sequence"):
        # The elements of an array of several dimensions stand one after the other.
        return elements(value, t["base"], 1)
    if t["class"] == "string":
        return [bytes.fromhex(value["bytes"]) if isinstance(value, dict) else (value or "").encode()]
    if t["class"] == "enum":
        order, signed = t["base"]["order"] or "little", t["base"]["signed"]
        names = {int.from_bytes(bytes.fromhex(b), order, signed=signed): name for name, b in t["members"].items()}
        return [names.get(value, value)]
    if t["class"] == "integer":
        return [value]
    # Short decimals stand for numbers of 2 and 4 bytes.
    form = {2: "<e", 4: "<f"}.get(t["size"], "<d")
    return [struct.unpack(form, struct.pack(form, float(value)))[0]]


def elements(value, t, rank):
    if rank == 0:
        return flat(value, t)
    return [scalar for row in value for scalar in elements(row, t, rank - 1)]


def text(match):
    escaped = match.group(1)
    return NAMED.get(escaped, escaped) if len(escaped) == 1 else bytes([int(escaped, 8)])


def same(token, scalar):
    quoted, plain = token
    if isinstance(scalar, bytes):
        return plain == "" and ESCAPE.sub(text, quoted.encode()).rstrip(b"\0") == scalar
    if isinstance(scalar, float):
        number = float(plain)
        return number == scalar or number != number and scalar != scalar
    return plain == str(scalar) or quoted == str(scalar)


def compare(what, found, t, node):
    """Whether there was something to compare, and the same in both."""
    data = node.find(f"{PREFIX}Data/{PREFIX}DataFromFile")
    is_readable = all(stage["id"] in KNOWN_FILTERS for stage in found.get("filters", []))
    if data is None or found.get("value") is None or not is_compared(t) or not is_readable:
        return 0
    rank = len(found["space"].get("dims", []))
    scalars = elements(found["value"], t, rank)
    tokens = TOKEN.findall("".join(data.itertext()))
    if len(tokens) != len(scalars):
        raise ValueError(f"{what}: {len(scalars)} values, h5dump has {len(tokens)}")
    for token, scalar in zip(tokens, scalars):
        if not same(token, scalar):
            raise ValueError(f"{what}: {scalar!r}, h5dump has {token}")
    return 1


def compare_file(h5r, path):
    # Both look for external data files in the current folder.
    folder = os.path.dirname(os.path.abspath(path))
    other = subprocess.run(["h5dump", "--xml", "-m", "%.17g", os.path.abspath(path)], capture_output=True, timeout=300, cwd=folder)
    if other.returncode != 0:
        return None
    run = subprocess.run([h5r, "dump", "--json", path], capture_output=True, timeout=300)
    objects = {entry["path"]: entry for entry in json.loads(run.stdout)["objects"]}
    try:
        tree = xml.fromstring(other.stdout.decode("utf-8", "replace"))
    except xml.ParseError as error:
        print(f"{path}: left out, h5dump's XML is none: {error}")
        return None
    count = 0
    for node in tree.iter():
        name = node.get("H5Path")
        if name not in objects or node.find(f"{PREFIX}Data/{PREFIX}DataFromFile") is None and node.tag == f"{PREFIX}Dataset":
            continue
        entry = objects[name]
        if node.tag == f"{PREFIX}Dataset" and entry["kind"] == "dataset":
            count += compare(name, entry, entry["type"], node)
        for attribute in node.findall(f"{PREFIX}Attribute"):
            found = entry["attributes"][attribute.get("Name")]
            count += compare(f"{name}@{attribute.get('Name')}", found, found["type"], attribute)
    return count


def main():
    failed, files, values = 0, 0, 0
    for path in sys.argv[2:]:
        try:
            count = compare_file(sys.argv[1], path)
        except (ValueError, KeyError) as error:
            failed += 1
            print(f"{path}: {type(error).__name__} {error}")
            continue
        files += count is not None
        values += count or 0
    print(f"{values} datasets and attributes of {files} files are as h5dump prints them")
    return 1 if failed or values == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
