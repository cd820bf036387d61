"""kill -9 at random moments: a C program changes a file and prints each generation once its flush has returned.

After each kill h5r reads the file (recovered in memory, no byte changed), opens it for writing (recovered on disk), and
h5dump 1.10.8 and h5py 2.0.0 read all of it: the contents must be those of the last generation printed or of the next.
Caught within a commit, before h5r opened it for writing, the file must be refused by both. Then the program goes on with
the same file, and is killed again.

Quick: 40 kills; --full: 600.
"""

import argparse
import concurrent.futures
import itertools
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
WORK = TARGET / "kill"
MODES = ["none", "lazy", "incremental", "smart"]
LEVELS = ["process", "power"]
# So often is one file's program killed.
KILLS_PER_FILE = 5
# From the start of the program to the kill, at most.
DELAY_S = 0.4

ATTRIBUTES, GROUPS, DATASETS = 160, 40, 20
SLOTS = ATTRIBUTES + GROUPS + DATASETS
PURGE_EVERY = 40
MASK = (1 << 64) - 1
COMMITTING = 0x80


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="default: by the clock; printed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--debug", action="store_true", help="kill the debug build of h5r")
    options = parser.parse_args()
    kills = options.kills or (600 if options.full else 40)
    build("debug" if options.debug else "release")
    self_test()
    files = -(-kills // KILLS_PER_FILE)
    began = time.monotonic()
    print(f"kill: {files} files, {KILLS_PER_FILE} kills each, seed {options.seed}", flush=True)
    setups = itertools.islice(itertools.cycle(itertools.product(LEVELS, MODES)), files)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = list(pool.map(lambda run: run.go(), [Run(options.seed + n, *s) for n, s in enumerate(setups)]))
    totals = [sum(run.counts[what] for run in runs) for what in ("kills", "caught", "in progress", "created")]
    failures = [failure for run in runs for failure in run.failures]
    print("kill: {} kills, {} within a commit, {} left the flush in progress, {} while the file was created, "
          "{} generations, {} failures, {:.0f} s".format(*totals, sum(run.model.generation for run in runs),
                                                         len(failures), time.monotonic() - began))
    for failure in failures:
        print(f"kill: {failure}", file=sys.stderr)
    if totals[0] < kills or sum(run.model.generation for run in runs) < 5 * kills:
        sys.exit("kill: less was done than asked for")
    sys.exit(1 if failures else 0)


def build(profile):
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    subprocess.run(["cargo", "build", "--quiet", "--lib", *(["--release"] if profile == "release" else [])],
                   cwd=ROOT, check=True, env={**os.environ, "CARGO_TARGET_DIR": str(TARGET)})
    subprocess.run(["cc", "-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", ROOT / "tests/kill/worker.c",
                    f"-I{ROOT / 'include'}", TARGET / profile / "libh5r.a", "-lm", "-ldl", "-lpthread",
                    "-o", WORK / "worker"], check=True)


# ---- what a generation holds: as worker.c computes it ----

class Model:
    def __init__(self, seed):
        self.seed = seed
        self.generation = 0
        self.slots = [(False, False, 0)] * SLOTS

    def mix(self, a, b):
        x = (self.seed * 0x9E3779B97F4A7C15 + a * 0xBF58476D1CE4E5B9 + b * 0x94D049BB133111EB) & MASK
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
        return x ^ (x >> 31)

    def touch(self, index, how):
        present, renamed, value = self.slots[index]
        if not present:
            self.slots[index] = (True, bool(how & 1), self.generation)
        else:
            self.slots[index] = [(False, renamed, value), (True, renamed, self.generation),
                                 (True, not renamed, value)][how // 2 % 3]

    def advance_to(self, generation):
        while self.generation < generation:
            self.generation += 1
            g = self.generation
            for i in range(1 + self.mix(g, 0) % 24):
                self.touch(self.mix(g, 2 * i + 1) % SLOTS, self.mix(g, 2 * i + 2))
            if g % PURGE_EVERY == PURGE_EVERY - 1:
                for i in range(SLOTS):
                    if self.slots[i][0] and self.mix(g, 5000 + i) % 4 != 0:
                        self.touch(i, 0)

    def value(self, index, value):
        random_ = self.mix(value, 1000 + index)
        count = 1 + random_ % 20
        if index >= ATTRIBUTES + GROUPS:
            count = 100 + random_ % 2000
        elif index < ATTRIBUTES and random_ % 50 == 0:
            count = 1300 + random_ % 300
        elif index < ATTRIBUTES and random_ % 150 == 1:
            count = 17000 + random_ % 300
        return numpy.arange(count, dtype="<i4") + (value * 31 + index)

    def expected(self, first, count):
        """Names and values of the slots that are there."""
        return {f"slot{i:03}{' renamed' if self.slots[i][1] else ''}": self.value(i, self.slots[i][2])
                for i in range(first, first + count) if self.slots[i][0]}

    def differs(self, path):
        """What of the file is not as it should be, as h5py reads it."""
        with h5py.File(path, "r") as file:
            if list(file) != ["data", "members"]:
                return f"the root group has {list(file)}"
            attributes = dict(file.attrs.items())
            if attributes.pop("generation") != self.generation:
                return "another generation"
            found = {
                "attributes": (self.expected(0, ATTRIBUTES), attributes),
                "groups": (self.expected(ATTRIBUTES, GROUPS),
                           {name: group.attrs["made"] for name, group in file["members"].items()}),
                "datasets": (self.expected(ATTRIBUTES + GROUPS, DATASETS),
                             {name: dataset[:] for name, dataset in file["data"].items()}),
            }
            for name, group in file["members"].items():
                if list(group) != ["soft"] or group.get("soft", getlink=True).path != "/data":
                    return f"group {name} has {list(group)}"
            for what, (expected, have) in found.items():
                if expected.keys() != have.keys():
                    return f"{what}: {sorted(expected.keys() ^ have.keys())}"
                wrong = [name for name in expected if not numpy.array_equal(expected[name], have[name])]
                if wrong:
                    return f"{what}: other values of {wrong}"
        return None


# ---- one file ----

class Run:
    def __init__(self, seed, level, mode):
        self.seed, self.level, self.mode = seed, level, mode
        self.random = random.Random(seed)
        self.path = WORK / f"{seed}-{mode}-{level}.h5"
        self.model = Model(seed)
        self.counts = {"kills": 0, "caught": 0, "in progress": 0, "created": 0}
        self.failures = []
        self.exists = False

    def go(self):
        try:
            for _ in range(KILLS_PER_FILE):
                self.kill()
                self.counts["kills"] += 1
        except Exception as problem:
            self.failures.append(f"{self.path}, level {self.level}, mode {self.mode}, kill "
                                 f"{self.counts['kills'] + 1}: {problem}")
        else:
            self.path.unlink(missing_ok=True)
        return self

    def kill(self):
        program = subprocess.Popen([WORK / "worker", "work", self.path, str(self.seed), self.mode, self.level],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(self.random.random() * DELAY_S)
        program.kill()
        out, problem = program.communicate()
        if program.returncode != -9:
            raise AssertionError(f"the program ended by itself: {problem.decode()}")
        lines = out.decode().split("\n")[:-1]
        if not lines and not self.exists:
            self.counts["created"] += 1
            self.path.unlink(missing_ok=True)
            return
        self.exists = True
        self.judge(int(lines[-1]) if lines else self.model.generation)

    def judge(self, promised):
        allowed = (promised, promised + 1)
        crashed = self.path.read_bytes()
        caught = bool(crashed[11] & COMMITTING)
        self.counts["caught"] += caught
        if caught:
            self.refused()
        generation = self.h5r("ro")
        if generation not in allowed:
            raise AssertionError(f"generation {generation}, not one of {allowed}")
        if self.path.read_bytes() != crashed:
            raise AssertionError("reading changed the file")
        self.counts["in progress"] += generation == promised + 1
        self.model.advance_to(generation)
        if not caught:
            self.read("before h5r opened it")
        if self.h5r("rw") != generation:
            raise AssertionError("another generation after recovery")
        recovered = self.path.read_bytes()
        end = int.from_bytes(recovered[28:36], "little")
        if recovered[11] != 0 or end != len(recovered):
            raise AssertionError(f"after recovery: flags {recovered[11]}, allocation ends at {end} of {len(recovered)}")
        self.read("recovered")

    def h5r(self, how):
        done = subprocess.run([WORK / "worker", "check", self.path, str(self.seed), how], capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"h5r, {how}: {done.stderr.strip() or done.returncode}")
        return int(done.stdout)

    def h5dump(self):
        return subprocess.run(["h5dump", self.path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode

    def read(self, when):
        code = self.h5dump()
        if code != 0:
            raise AssertionError(f"{when}: h5dump ends with {code}")
        difference = self.model.differs(self.path)
        if difference:
            raise AssertionError(f"{when}: h5py: generation {self.model.generation}: {difference}")

    def refused(self):
        if self.h5dump() == 0:
            raise AssertionError("h5dump reads a file within a commit")
        try:
            h5py.File(self.path, "r").close()
        except OSError:
            return
        raise AssertionError("h5py opens a file within a commit")


def self_test():
    """The judge sees another state for what it is."""
    run = Run(1, "process", "none")
    while not run.exists or run.model.generation < 3:
        run.kill()
    kept = run.path.read_bytes()
    generation = run.model.generation
    run.judge(generation)
    for wrong, damage in ((generation - 2, None), (generation + 1, None), (generation, b"slot")):
        data = bytearray(kept)
        if damage:
            at = data.find(damage)
            data[at] ^= 1
        run.path.write_bytes(data)
        try:
            run.model = Model(1)
            run.judge(wrong)
        except Exception:
            continue
        sys.exit(f"kill: the judge takes generation {wrong} for {generation}, damage {damage}")
    run.path.unlink()


if __name__ == "__main__":
    main()
