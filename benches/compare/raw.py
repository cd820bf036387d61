"""Raw data, groups and small datasets: the same C work on libhdf5 2.2.0, on h5r, and partly on a plain file.

Runs are interleaved; medians, ratios, and whether the targets are met. Run it on an otherwise idle machine of two cores. With
--cpu-time h5r has one thread and the processes' CPU time counts, for a machine that is not idle.
"""

import argparse
import csv
import os
import random
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
CACHE = TARGET / "compare"
LIBHDF5 = CACHE / "libhdf5-2.2.0"
PROGRAMS = {"libhdf5": "raw-libhdf5", "h5r": "raw-h5r", "plain": "raw-plain"}

# work: amount, what of it, and the targets: how many times libhdf5's rate when writing and when reading.
WORKS = {
    "contiguous": (1024, "MiB", 1.0, 1.0),
    "chunked": (1024, "MiB", 1.1, 1.2),
    "deflate4": (512, "MiB", 6.0, 4.0),
    "deflate6": (512, "MiB", 6.0, 4.0),
    "append1": (1_000_000, "calls", 10.0, None),
    "append16": (1_000_000, "calls", 10.0, None),
    "groups": (100_000, "groups", 5.0, 5.0),
    "datasets": (100_000, "datasets", 5.0, 5.0),
}
SIZES = {"deflate4": 1.0, "deflate6": 1.0, "datasets": 0.8}
WORST_APPEND_S, PLAIN = 1e-3, 0.95
PLAIN_WORKS = ("contiguous", "append1", "append16")
# Where a virtual machine's supply of memory pages makes the same writes fast or slow, for each program: the fastest runs tell more.
UNEVEN = ("contiguous", "chunked")


def main():
    options = parse_options()
    build()
    options.files.mkdir(parents=True, exist_ok=True)
    options.out.mkdir(parents=True, exist_ok=True)
    runs = []
    for round_number in range(options.rounds):
        for work in options.works:
            # Who runs after whom is left to chance, for one's writing back costs the next.
            for backend in random.sample(list(PROGRAMS), len(PROGRAMS)):
                if backend != "plain" or work in PLAIN_WORKS:
                    runs.append(run(options, round_number, work, backend))
        print(f"round {round_number + 1} of {options.rounds} done", file=sys.stderr)
    with open(options.out / "raw.csv", "w", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=list(runs[0]))
        writer.writeheader()
        writer.writerows(runs)
    report = table(runs, options)
    (options.out / "raw.txt").write_text(report + "\n")
    print(report)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=CACHE / "out", help="folder for raw.txt and raw.csv")
    parser.add_argument("--files", type=Path, default=CACHE / "files", help="folder for the HDF5 files")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--works", type=lambda text: text.split(","), default=list(WORKS))
    parser.add_argument("--scale", type=float, default=1.0, help="part of each amount")
    parser.add_argument("--cpu-time", action="store_true", help="one thread, and CPU time instead of the wall clock")
    return parser.parse_args()


def build():
    subprocess.run([HERE / "libhdf5", LIBHDF5], check=True)
    subprocess.run(["cargo", "build", "--release", "--quiet", "--lib"], cwd=ROOT, check=True)
    hdf5 = LIBHDF5 / "install"
    compile_c("raw-libhdf5", "raw_hdf5.c", f"-I{hdf5}/include", hdf5 / "lib/libhdf5.a", "-lz")
    compile_c("raw-h5r", "raw_h5r.c", f"-I{ROOT}/include", TARGET / "release/libh5r.a")
    compile_c("raw-plain", "raw_plain.c")


def compile_c(name, backend, *more):
    command = ["cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", HERE / "raw.c", HERE / backend, *more]
    subprocess.run([*command, "-lm", "-ldl", "-lpthread", "-o", CACHE / name], check=True)


def run(options, round_number, work, backend):
    path = options.files / f"raw-{backend}.h5"
    amount = max(8, int(WORKS[work][0] * options.scale))
    command = [CACHE / PROGRAMS[backend], work, "1" if options.cpu_time else "0", str(amount), path]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{backend} failed at {work} ({done.returncode}): {done.stderr}")
    path.unlink()
    values = {name: float(value) for name, value in (pair.split("=") for pair in done.stdout.split())}
    return {"round": round_number, "work": work, "backend": backend, "amount": amount, **values}


def table(runs, options):
    clock = "_cpu_s" if options.cpu_time else "_s"
    median = lambda work, backend, field: statistics.median(
        [run[field] for run in runs if (run["work"], run["backend"]) == (work, backend)] or [float("nan")])
    lines = [f"Medians of {options.rounds} interleaved runs, per second of {'CPU' if options.cpu_time else 'wall-clock'} time; x: times "
             "libhdf5 2.2.0; writing includes closing, reading opening.", "",
             f"{'work':<11}{'unit':<9}{'libhdf5 w':>12}{'h5r w':>12}{'x':>7}{'libhdf5 r':>12}{'h5r r':>12}{'x':>7}"
             f"{'size':>7}{'worst ms':>10}  targets"]
    for work in options.works:
        _, unit, write, read = WORKS[work]
        amount = next(run["amount"] for run in runs if run["work"] == work)
        rate = lambda backend, way: amount / max(median(work, backend, way + clock), 1e-9)
        get = lambda way: rate("h5r", way) / rate("libhdf5", way)
        size = median(work, "h5r", "size") / median(work, "libhdf5", "size")
        worst = median(work, "h5r", "worst_s")
        met = [("write", get("write") >= write), *([("read", get("read") >= read)] if read else [])]
        if work in SIZES:
            met.append(("size", size <= SIZES[work]))
        if work.startswith("append"):
            met.append(("worst", worst <= WORST_APPEND_S))
        if work == "contiguous":
            met.append(("plain", rate("h5r", "write") >= PLAIN * rate("plain", "write")))
        reading = f"{rate('libhdf5', 'read'):>12,.0f}{rate('h5r', 'read'):>12,.0f}{get('read'):>7.2f}" if read else " " * 31
        lines.append(f"{work:<11}{unit:<9}{rate('libhdf5', 'write'):>12,.0f}{rate('h5r', 'write'):>12,.0f}{get('write'):>7.2f}"
                     f"{reading}{size:>7.3f}{worst * 1e3:>10.3f}  "
                     + ", ".join(f"{name} {'met' if holds else 'NOT met'}" for name, holds in met))
        if work in UNEVEN:
            least = lambda backend, way: min(
                run[way + clock] for run in runs if (run["work"], run["backend"]) == (work, backend))
            columns = ((amount / least("libhdf5", way), amount / least("h5r", way)) for way in ("write", "read"))
            lines.append(f"{'  fastest':<11}{unit:<9}" + "".join(
                f"{theirs:>12,.0f}{ours:>12,.0f}{ours / theirs:>7.2f}" for theirs, ours in columns))
        if work in PLAIN_WORKS:
            reading = f"{rate('plain', 'read'):>12,.0f}" if read else " " * 12
            lines.append(f"{'  plain':<11}{unit:<9}{'':>12}{rate('plain', 'write'):>12,.0f}{'':>7}{'':>12}{reading}{'':>14}"
                         + (f"{median(work, 'plain', 'worst_s') * 1e3:>10.3f}" if work.startswith("append") else ""))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
