"""The interop matrix: h5r and four libhdf5 versions write, change and judge each other's files.

h5r wrote, in each mode, before, between and after deletions and rebalancing -> each libhdf5 reads every value, then
deletes, inserts, renames and iterates -> h5r and libhdf5 read every survivor, h5r goes on -> they read again.
They wrote -> h5r deletes, inserts and renames -> they read. At every flush and close of either side the file's
structure is checked on its bytes (check.c), the rule for sparse nodes included.

Quick: up to 10,000 attributes and links; --full: up to 1,000,000 (see LARGE), every order of deletion and every mode everywhere.
"""

import argparse
import concurrent.futures
import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import selftest

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
WORK = TARGET / "interop"
VERSIONS = ["1.10.8", "1.14.6", "2.0.0", "2.2.0"]
MODES = ["none", "lazy", "incremental", "smart"]
ORDERS = ["in-order", "reverse", "random", "index"]
SCRIPTS = ["values", "chunks", "filters", "shrink", "selections", "chunk_trees", "copies", "references", "fills",
           "elsewhere", "faces", "turns"]
H5R = "h5r"
# A program's run at 1,000,000 takes minutes, at most.
TIMEOUT_S = 1800
# From here on a process of libhdf5 takes a minute. A chain of a million is in one mode and by one version, that of h5r's file by one for all
# of it and by another for one of the snapshots: all modes and versions have their turn, not each with each.
LARGE = 1_000_000
OLDEST_MAX = 1_000


def main():
    options = parse_options()
    build()
    libraries = find_libraries()
    selftest.run(WORK, libraries[VERSIONS[0]])
    failures = run_scripts(options)
    matrix = Matrix(options, libraries)
    began = time.monotonic()
    chains = list(matrix.chains())
    print(f"interop: {len(chains)} chains, libhdf5 {', '.join(libraries)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        failures += [failure for failure in pool.map(matrix.run_chain, chains) if failure]
    print(f"interop: {len(chains)} chains, {matrix.processes} processes, {len(failures)} failures, "
          f"{time.monotonic() - began:.0f} s")
    sys.exit(1 if failures else 0)


def run_scripts(options):
    """The Python scripts beside this one, each with the h5py of each libhdf5. Which of them failed."""
    def run(case):
        script, version = case
        what = f"{script} with libhdf5 {version}"
        if options.only not in what:
            return None
        folder = WORK / f"{script}_{version}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        began = time.monotonic()
        command = [ROOT / "scripts/python", version, ROOT / f"tests/interop/{script}.py", TARGET / PROFILE / "libh5r.so", folder]
        if script == "turns":
            command.append("200" if options.full else "8")
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        print(f"interop: {what}, {time.monotonic() - began:.0f} s\n{done.stdout[-5000:]}", end="", flush=True)
        if done.returncode != 0:
            print(f"FAILED {what}: exit status {done.returncode}", flush=True)
            return what
        shutil.rmtree(folder)
        return None

    # Libhdf5 1.10.8 by itself loses attributes of files that take turns, or crashes, in a third of the series.
    cases = [case for case in itertools.product(SCRIPTS, VERSIONS) if case != ("turns", "1.10.8")]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        return [failure for failure in pool.map(run, cases) if failure]


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--counts", type=lambda text: [int(part) for part in text.split(",")])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="", help="run the chains and scripts whose name contains this")
    parser.add_argument("--keep", action="store_true", help="keep the files of chains that failed")
    parser.add_argument("--debug", action="store_true", help="judge the debug build of h5r")
    options = parser.parse_args()
    options.counts = options.counts or [0, 1, 8, 9, 100, 10_000] + ([1_000_000] if options.full else [])
    global PROFILE
    PROFILE = "debug" if options.debug else "release"
    return options


# ---- what takes part ----

def build():
    WORK.mkdir(parents=True, exist_ok=True)
    here = ROOT / "tests/interop"
    flags = ["cc", "-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-Werror"]
    checker = [here / name for name in ("check.c", "check_bytes.c", "check_tree.c", "check_heap.c", "check_space.c")]
    common = [*checker, here / "judge.c"]
    subprocess.run(["cargo", "build", "--quiet", "--lib", *(["--release"] if PROFILE == "release" else [])],
                   cwd=ROOT, check=True, env={**os.environ, "CARGO_TARGET_DIR": str(TARGET)})
    subprocess.run([*flags, *common, here / "judge_hdf5.c", "-I/usr/include/hdf5/serial", "-ldl",
                    "-o", WORK / "judge-hdf5"], check=True)
    subprocess.run([*flags, *common, here / "judge_h5r.c", f"-I{ROOT / 'include'}", TARGET / PROFILE / "libh5r.a",
                    "-lm", "-ldl", "-lpthread", "-o", WORK / "judge-h5r"], check=True)
    subprocess.run([*flags, *checker, here / "check_main.c", "-o", WORK / "check"], check=True)


def find_libraries():
    """Version -> path, of Debian's library and those inside the venv's wheels."""
    candidates = [*Path("/usr/lib").glob("*-linux-gnu/libhdf5_serial.so.*"),
                  *(ROOT / "target/venv").glob("lib/python3*/site-packages/*.libs/libhdf5-*.so*")]
    libraries = {}
    for path in candidates:
        # In a process of its own: two versions of the library must not meet in one.
        done = subprocess.run([sys.executable, "-c", VERSION_PROGRAM, path], capture_output=True, text=True)
        if done.returncode == 0:
            libraries[done.stdout.strip()] = path
    missing = [version for version in VERSIONS if version not in libraries]
    if missing:
        sys.exit(f"interop: no libhdf5 {', '.join(missing)} (found {libraries}); run scripts/setup judges")
    return {version: libraries[version] for version in VERSIONS}


VERSION_PROGRAM = """
import ctypes, sys
parts = [ctypes.c_uint() for _ in range(3)]
ctypes.CDLL(sys.argv[1]).H5get_libversion(*(ctypes.byref(part) for part in parts))
print(".".join(str(part.value) for part in parts))
"""


# ---- the chains ----

class Matrix:
    def __init__(self, options, libraries):
        self.options = options
        self.libraries = libraries
        self.processes = 0

    def chains(self):
        """(name, function, arguments); each is a sequence of processes on files of its own."""
        turn = itertools.count()
        for count, tracked, mode in itertools.product(self.options.counts, (0, 1), MODES):
            if count >= LARGE and tracked != MODES.index(mode) % 2:
                continue
            yield f"h5r-wrote {mode} tracked={tracked} n={count}", self.h5r_wrote, (mode, tracked, count, next(turn))
        for count, tracked, version in itertools.product(self.options.counts, (0, 1), VERSIONS):
            if count >= LARGE and tracked != VERSIONS.index(version) % 2:
                continue
            for form in ("v18", "latest") if count < LARGE else ("v18",):
                modes = MODES if self.options.full and count < LARGE else [MODES[next(turn) % 4]]
                for mode in modes:
                    name = f"they-wrote {version} {form} tracked={tracked} n={count} {mode}"
                    yield name, self.they_wrote, (version, form, tracked, count, mode, next(turn))
        for count, version in itertools.product(self.options.counts, VERSIONS):
            # libhdf5 looks for the attributes of an old object one after the other: 10,000 take it minutes.
            if count <= OLDEST_MAX:
                name = f"they-wrote {version} earliest n={count}"
                yield name, self.they_wrote, (version, "earliest", 0, count, MODES[next(turn) % 4], next(turn))

        for version in VERSIONS:
            yield f"part by part {version}", self.part_by_part, (version,)

        rounds = 40 if self.options.full else 8
        for count, version, begin in itertools.product((100, 3000), VERSIONS, (H5R, "persist", "v110")):
            yield f"turns {version} {begin} n={count}", self.turns, (version, begin, count, rounds)

    def run_chain(self, chain):
        name, function, arguments = chain
        if self.options.only not in name:
            return None
        folder = WORK / "files" / name.replace(" ", "_")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            function(folder, *arguments)
        except Failure as failure:
            print(f"FAILED {name}: {failure}", flush=True)
            if not self.options.keep:
                shutil.rmtree(folder)
            return name
        shutil.rmtree(folder)
        return None

    def h5r_wrote(self, folder, mode, tracked, count, turn):
        some = 3 + count // 10
        path = folder / "file.h5"
        form = ("v110", "v18")[turn % 2]
        snapshot = lambda name: f"snapshot:{folder / name}.h5"
        packed = [] if mode == "none" else ["packed:90"]
        self.judge(H5R, path, f"create:{count}:{tracked}:{form}", f"mode:{mode}", snapshot("before"),
                   f"delete:50:{ORDERS[turn % 3]}", snapshot("between"), f"insert:{some}", f"replace:{some}",
                   f"rename:{some}", "verify", f"delete:60:{ORDERS[(turn + 1) % 3]}", snapshot("after"), "rebalance",
                   *packed, snapshot("rebalanced"), "verify", "close", "open", "verify", f"mode:{mode}",
                   "delete:70:random", "rebalance", *packed, "close")
        later = ("between", "after", "rebalanced", "file")
        for name in ("before", *(later if count < LARGE else [later[turn % 4]])):
            for version in VERSIONS if count < LARGE else [VERSIONS[turn % 4]]:
                for order in ORDERS if self.options.full and count <= 10_000 else [ORDERS[(turn + len(name)) % 4]]:
                    snapshot_path = folder / f"{name}.h5"
                    self.they_change(folder, snapshot_path, version, mode, order, some, count >= LARGE)
                turn += 1

    def they_change(self, folder, snapshot, version, mode, order, some, large):
        path = folder / "copy.h5"
        copy(snapshot, path)
        self.judge(version, path, "readonly", "verify", "close", "open", f"delete:40:{order}", "flush",
                   f"insert:{some}", f"replace:{some}", f"rename:{some}", "verify", "delete:30:random", "close")
        self.judge(H5R, path, "open", "verify", f"mode:{mode}", f"delete:40:{order if order != 'index' else 'random'}",
                   f"insert:{some}", f"rename:{some}", "flush", "delete:20:random", "verify", "close")
        for reader in VERSIONS if self.options.full and not large else {version, VERSIONS[0]}:
            self.judge(reader, path, "readonly", "verify", "close")

    def they_wrote(self, folder, version, form, tracked, count, mode, turn):
        some = 3 + count // 10
        path = folder / "file.h5"
        order = ORDERS[turn % 4]
        self.judge(version, path, f"create:{count}:{tracked}:{form}", "close")
        self.judge(H5R, path, "readonly", "verify", "close")
        self.judge(version, path, "open", f"delete:30:{order}", f"insert:{some}", "close")
        self.judge(H5R, path, "open", "verify", f"mode:{mode}", f"delete:50:{ORDERS[turn % 3]}", "flush",
                   f"insert:{some}", f"replace:{some}", f"rename:{some}", "verify", "delete:30:random", "close")
        for reader in VERSIONS if form != "latest" else [version]:
            self.judge(reader, path, "readonly", "verify", "close")
        self.judge(version, path, "open", f"delete:60:{ORDERS[(turn + 1) % 4]}", f"insert:{some}", "verify", "close")
        self.judge(H5R, path, "open", "verify", f"mode:{mode}", "delete:90:random", "rebalance", "close")
        self.judge(version, path, "open", "verify", "delete:100:random", "verify", "close")
        self.judge(H5R, path, "open", "verify", f"insert:{some}", "verify", "delete:100:in-order", "close")
        self.judge(version, path, "open", "verify", f"insert:{some}", "verify", "close")

    def part_by_part(self, folder, version):
        """Both delete in the order of creation: one frees the first direct blocks of a heap's indirect block, the other the last."""
        path = folder / "file.h5"
        self.judge(H5R, path, "create:200000:0:v110", "mode:none", "delete:50:in-order", "close")
        self.judge(version, path, "open", "delete:40:in-order", "flush", "insert:20000", "close")
        self.judge(H5R, path, "open", "verify", "delete:20:in-order", "insert:5000", "verify", "close")
        self.judge(version, path, "open", "verify", "delete:20:in-order", "insert:5000", "verify", "close")

    def turns(self, folder, version, begin, count, rounds):
        """One file changed by h5r and libhdf5 in turn: each frees space for the other, and none of it is in use."""
        path = folder / "file.h5"
        backend, form = (H5R, "v110") if begin == H5R else (version, begin)
        self.judge(backend, path, f"create:{count}:0:{form}", "close")
        lengths = []
        for number in range(rounds):
            some = count // (2 + number % 4)
            changes = [f"delete:{30 + 15 * (number % 4)}:random", f"insert:{some}", f"replace:{some}", "delete:10:random"]
            self.judge(H5R, path, "open", "verify", f"mode:{MODES[number % 4]}", *changes[:2], "flush", *changes[2:],
                       "verify", "close")
            if number % 3 == 0:
                self.judge(H5R, path, "open", "rebalance", "close")
            self.judge(version, path, "open", "verify", *changes, "verify", "close")
            if number % 2 == 0:
                self.judge(version, path, "open", *changes[:2], "close")
            lengths.append(path.stat().st_size - collections(path))
        for reader in VERSIONS:
            self.judge(reader, path, "readonly", "verify", "close")
        if max(lengths[rounds // 2:]) > 2 * max(lengths[:2]):
            raise Failure(version, ["turns"], f"the file grows: {lengths}")

    def judge(self, backend, path, *steps):
        program, argument = (("judge-h5r", H5R) if backend == H5R else ("judge-hdf5", self.libraries[backend]))
        if backend != H5R:
            steps = flushed(steps)
        self.processes += 1
        command = [str(part) for part in (WORK / program, argument, path, *steps)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, errors="replace")
        except subprocess.TimeoutExpired:
            raise Failure(backend, command, f"still running after {TIMEOUT_S} s") from None
        if done.returncode != 0:
            output = done.stdout[-2000:] + done.stderr[-3000:]
            raise Failure(backend, command, f"exit status {done.returncode}\n{output}")


class Failure(Exception):
    def __init__(self, backend, command, what):
        super().__init__(f"{backend}: {what}\n  {' '.join(command)}")


def flushed(steps):
    """The steps with a flush before what is verified. Each libhdf5 fails now and then ("Read only entry modified") where it reads from
    a heap that it changed before, in files of its own too: each 50,000th access to its cache may write what is old there, and writing a
    changed free-space section list marks the manager's header, which H5FS_open has protected for reading at just that access."""
    whole = []
    for step in steps:
        if step == "verify" and whole[-1] not in ("open", "readonly", "flush"):
            whole.append("flush")
        whole.append(step)
    return whole


def collections(path):
    """Bytes of the file's global heap collections. libhdf5 leaves the value of a deleted attribute of variable length in its own,
    and makes another one each time that it opens the file: no one else can tell that nothing leads there."""
    data = path.read_bytes()
    places = (match.start() for match in re.finditer(b"GCOL\x01", data))
    return sum(int.from_bytes(data[at + 8:at + 16], "little") for at in places)


def copy(source, target):
    shutil.copyfile(source, target)
    shutil.copyfile(f"{source}.model", f"{target}.model")


if __name__ == "__main__":
    main()
