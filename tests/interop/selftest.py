"""The judge and the checker can fail: each finds what is broken here on purpose."""

import subprocess


def run(work, library):
    """Raises AssertionError where a broken file passes."""
    path = work / "selftest.h5"
    judge = lambda *steps: subprocess.run([work / "judge-hdf5", library, path, *steps], capture_output=True).returncode
    check = lambda: subprocess.run([work / "check", path], capture_output=True, text=True)
    assert judge("create:1000:1:v18", "delete:50:random", "verify", "close") == 0
    assert check().returncode == 0, check().stdout
    original = path.read_bytes()

    for merge, complaint in ((80, "its floor is"), (19, "merges at 19 %")):
        path.write_bytes(with_merge_percent(original, merge))
        assert complaint in check().stdout, f"the checker accepts merge % {merge}"
    for at in (original.index(b"BTLF") + 20, original.index(b"FHDB") + 40, original.index(b"OHDR") + 8):
        path.write_bytes(original[:at] + bytes([original[at] ^ 1]) + original[at + 1:])
        assert "checksum" in check().stdout, f"the checker does not see a changed byte at {at}"
    path.write_bytes(original)

    model = path.with_name(path.name + ".model")
    kept = bytearray(model.read_bytes())
    members = 32 + 12 * next(i for i in range(1000) if kept[32 + 12 * i])  # seeds are small: the low byte says it
    kept[members] ^= 0x80
    model.write_bytes(kept)
    assert judge("readonly", "verify") != 0, "the judge accepts another value"
    path.unlink()
    model.unlink()


def with_merge_percent(data, percent):
    """Every version 2 B-tree header, patched and sealed again."""
    data = bytearray(data)
    at = data.find(b"BTHD")
    while at >= 0:
        data[at + 15] = percent
        data[at + 34:at + 38] = lookup3(data[at:at + 34]).to_bytes(4, "little")
        at = data.find(b"BTHD", at + 1)
    return bytes(data)


def lookup3(key):
    """Bob Jenkins' lookup3 with initial value 0, for at least one byte."""
    mask = 0xFFFFFFFF
    rotate = lambda x, k: ((x << k) | (x >> (32 - k))) & mask
    a = b = c = (0xDEADBEEF + len(key)) & mask
    blocks = [key[i:i + 12].ljust(12, b"\0") for i in range(0, len(key), 12)]
    for number, block in enumerate(blocks):
        x, y, z = (int.from_bytes(block[i:i + 4], "little") for i in (0, 4, 8))
        a, b, c = (a + x) & mask, (b + y) & mask, (c + z) & mask
        if number + 1 < len(blocks):
            for turn in (4, 6, 8, 16, 19, 4):
                a = ((a - c) & mask) ^ rotate(c, turn)
                c = (c + b) & mask
                a, b, c = b, c, a
        else:
            for turn in (14, 11, 25, 16, 4, 14, 24):
                c = ((c ^ b) - rotate(b, turn)) & mask
                a, b, c = b, c, a
            # After seven turns of (a, b, c) the last value written is in b.
            return b
    return c
