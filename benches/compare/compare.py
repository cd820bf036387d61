"""The same C work on libhdf5 2.2.0 and on h5r, runs interleaved: a table, a CSV file and SVG plots.

Builds both libraries first; the build of libhdf5 is kept under target/compare. Run it on an otherwise idle machine.
"""

import argparse
import csv
import itertools
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
CACHE = TARGET / "compare"
LIBHDF5 = CACHE / "libhdf5-2.2.0"
BACKENDS = ["libhdf5", "none", "unguarded", "power", "lazy", "incremental", "smart"]
REBALANCING = ["lazy", "incremental", "smart"]
WORKS = ["attributes", "soft-links", "groups"]
ORDERS = ["in-order", "random"]
LARGE, SMALL = 1_000_000, 1_000


def main():
    options = parse_options()
    options.out.mkdir(parents=True, exist_ok=True)
    build(options)
    runs = measure(options)
    write_csv(runs, options.out / "results.csv")
    report = table(runs) + "\n\n" + targets(runs) + "\n"
    (options.out / "report.txt").write_text(report)
    print(report)
    plot(options.out)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    listed = lambda kind: lambda text: [kind(part) for part in text.split(",")]
    parser.add_argument("--out", type=Path, default=CACHE / "out",
                        help="folder for report.txt, results.csv and the plots")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--works", type=listed(str), default=WORKS)
    parser.add_argument("--counts", type=listed(int), default=[SMALL, 10_000, 100_000, LARGE],
                        help="of attributes and soft links; of groups there are 100000")
    parser.add_argument("--backends", type=listed(str), default=BACKENDS)
    parser.add_argument("--cpu-time", action="store_true",
                        help="the calling thread's CPU time instead of the wall clock, for a machine that is not idle")
    parser.add_argument("--files", type=Path, default=CACHE / "files", help="folder for the HDF5 files")
    return parser.parse_args()


# ---- building ----

def build(options):
    subprocess.run([HERE / "libhdf5", LIBHDF5], check=True)
    options.files.mkdir(parents=True, exist_ok=True)
    hdf5 = LIBHDF5 / "install"
    compile_c("work-libhdf5", ["work.c", "backend_hdf5.c"], hdf5 / "include", hdf5 / "lib/libhdf5.a")
    if any(backend != "libhdf5" for backend in options.backends):
        subprocess.run(["cargo", "build", "--release", "--quiet", "--lib"], cwd=ROOT, check=True)
        compile_c("work-h5r", ["work.c", "backend_h5r.c"], ROOT / "include", TARGET / "release/libh5r.a")
    compile_c("check", sorted((ROOT / "tests/interop").glob("check*.c")), HERE)


def compile_c(name, sources, include, *libraries):
    command = ["cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{include}", *(HERE / s for s in sources)]
    subprocess.run([*command, *libraries, "-lz", "-lm", "-ldl", "-lpthread", "-o", CACHE / name], check=True)


# ---- measuring ----

def cases(options):
    """(work, count, order, measure), the pauses only for attributes."""
    for work in options.works:
        for count in [100_000] if work == "groups" else options.counts:
            for order in ORDERS:
                yield work, count, order, "rates"
            if work == "attributes":
                yield work, count, "random", "pauses"


def measure(options):
    runs = []
    began = time.monotonic()
    for round_number in range(options.rounds):
        for case in cases(options):
            # Who runs after whom changes with the round: what one leaves behind costs the next.
            for backend in random.Random(round_number).sample(options.backends, len(options.backends)):
                runs.append(run_once(options, round_number, backend, *case))
        print(f"round {round_number + 1} of {options.rounds} done after {time.monotonic() - began:.0f} s",
              file=sys.stderr)
    for work, count in dict.fromkeys(case[:2] for case in cases(options)):
        for backend in options.backends:
            runs.append(run_once(options, 0, backend, work, count, "fresh", "rates"))
    return runs


def run_once(options, round_number, backend, work, count, order, measure):
    program = "work-libhdf5" if backend == "libhdf5" else "work-h5r"
    mode = "none" if backend == "libhdf5" else backend
    path = options.files / f"{backend}.h5"
    command = [CACHE / program, work, str(count), order, mode, measure, "cpu" if options.cpu_time else "wall", path]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{backend} failed at {work} {count} {order} {measure} ({done.returncode}): {done.stderr}")
    run = {"round": round_number, "backend": backend, "work": work, "count": count, "order": order, "measure": measure}
    run.update((name, float(value)) for name, value in (pair.split("=") for pair in done.stdout.split()))
    run["file_occupancy"] = file_occupancy(path, work)
    path.unlink()
    run["create_per_s"] = rate(run["members"], run["create_s"] + run["create_flush_s"])
    run["delete_per_s"] = rate(run["members"] / 2, run["delete_s"] + run["delete_flush_s"] + run["close_s"])
    run["delete_call_per_s"] = rate(run["members"] / 2, run["delete_s"])
    if order == "fresh":
        run["delete_per_s"] = run["delete_call_per_s"] = 0.0
    return run


def rate(count, seconds):
    return count / seconds if seconds > 0 else 0.0


def file_occupancy(path, work):
    """Of the largest name index in the file, as the independent checker reads it; NaN where there is none."""
    done = subprocess.run([CACHE / "check", path], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"the checker refuses {path}: {done.stdout}{done.stderr}")
    wanted = "type=8" if work == "attributes" else "type=5"
    trees = [dict(pair.split("=") for pair in line.split()[1:]) for line in done.stdout.splitlines()
             if line.startswith("tree ") and wanted in line.split()]
    largest = max(trees, key=lambda tree: int(tree["records"]), default=None)
    return float(largest["occupancy"]) if largest else float("nan")


def write_csv(runs, path):
    with open(path, "w", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=list(runs[0]))
        writer.writeheader()
        writer.writerows(runs)


# ---- reporting ----

class Medians:
    def __init__(self, runs):
        self.runs = runs

    def of(self, field, backend, work, count, order="random", measure="rates"):
        values = [run[field] for run in self.runs
                  if (run["backend"], run["work"], run["count"], run["order"], run["measure"])
                  == (backend, work, count, order, measure)]
        return statistics.median(values) if values else float("nan")


def table(runs):
    medians = Medians(runs)
    backends = [b for b in BACKENDS if any(run["backend"] == b for run in runs)]
    lines = ["Medians. Creates include a flush, deletes the closing flush and the close; x: times libhdf5's rate;",
             "size: relative to a fresh file with the survivors; occupancy: of the name index in the closed file.", "",
             f"{'work':<11}{'count':>8} {'deleted':<9}{'backend':<12}{'create/s':>11}{'x':>6}{'delete/s':>11}{'x':>6}"
             f"{'worst ms':>9}{'MB before':>10}{'MB after':>9}{'size':>6}{'occupancy':>10}{'peak MiB':>9}"]
    for work, count, order in dict.fromkeys((r["work"], r["count"], r["order"]) for r in runs if r["order"] != "fresh"):
        for backend in backends:
            get = lambda field, **other: medians.of(field, backend, work, count, **{"order": order, **other})
            base = lambda field: medians.of(field, "libhdf5", work, count, order)
            worst = get("worst_delete_s", measure="pauses") * 1e3
            lines.append(
                f"{work:<11}{count:>8} {order:<9}{backend:<12}"
                f"{get('create_per_s'):>11,.0f}{get('create_per_s') / base('create_per_s'):>6.1f}"
                f"{get('delete_per_s'):>11,.0f}{get('delete_per_s') / base('delete_per_s'):>6.1f}"
                f"{worst:>9.3f}{get('size_before') / 1e6:>10.3f}{get('size_after') / 1e6:>9.3f}"
                f"{get('size_after') / get('size_after', order='fresh'):>6.2f}"
                f"{get('file_occupancy') * 100:>9.0f}%{get('peak_kib') / 1024:>9.1f}".replace("nan", "  -"))
    return "\n".join(lines)


def targets(runs):
    medians = Medians(runs)
    lines = ["Targets for attributes (deletes at random, the closing flush and close included):"]

    def line(what, value, limit, at_least, unit):
        if value == value:
            met = value >= limit if at_least else value <= limit
            lines.append(f"  {what:<62}{value:>9.2f} {'>=' if at_least else '<='} {limit:g} {unit:<4}"
                         f" {'met' if met else 'NOT met'}")

    get = lambda field, backend, count, **other: medians.of(field, backend, "attributes", count, **other)
    ratio = lambda field, count: get(field, "none", count) / get(field, "libhdf5", count)
    for count, create, delete in ((10_000, 8, 10), (LARGE, 15, 30)):
        line(f"create, {count:,}, relative to libhdf5", ratio("create_per_s", count), create, True, "x")
        line(f"delete, none, {count:,}, relative to libhdf5", ratio("delete_per_s", count), delete, True, "x")
    for field, what in (("create_per_s", "create"), ("delete_per_s", "delete, none")):
        line(f"{what}: cost at {LARGE:,} relative to {SMALL:,}",
             get(field, "none", SMALL) / get(field, "none", LARGE), 3, False, "x")
    for count in (10_000, LARGE):
        for mode, limit in (("lazy", 0.95), ("incremental", 0.95), ("smart", 0.93)):
            for field, what in (("delete_per_s", ""), ("delete_call_per_s", " (calls alone)")):
                line(f"delete/s, {mode} relative to none, {count:,}{what}",
                     get(field, mode, count) / get(field, "none", count), limit, True, "x")
    for count in (10_000, LARGE):
        for field, what in (("create_per_s", "create"), ("delete_per_s", "delete")):
            line(f"{what}/s, none, PROCESS relative to durability NONE, {count:,}",
                 get(field, "none", count) / get(field, "unguarded", count), 0.9, True, "x")
    for mode, limit in (("none", 1), ("incremental", 1), ("lazy", 2)):
        line(f"worst single delete, {mode}, {LARGE:,}",
             get("worst_delete_s", mode, LARGE, measure="pauses") * 1e3, limit, False, "ms")
    for count in (10_000, LARGE):
        for mode, order in itertools.product(REBALANCING, ORDERS):
            line(f"occupancy after deleting half {order}, {mode}, {count:,}",
                 get("file_occupancy", mode, count, order=order) * 100, 90, True, "%")
            line(f"file relative to a fresh one, half deleted {order}, {mode}, {count:,}",
                 get("size_after", mode, count, order=order) / get("size_after", mode, count, order="fresh"),
                 1.05, False, "x")
    for mode in REBALANCING:
        line(f"memory that {mode} adds, {LARGE:,}",
             (get("peak_kib", mode, LARGE) - get("peak_kib", "none", LARGE)) / 1024, 1, False, "MiB")
    peak = max(get("peak_kib", backend, LARGE, order=order) for backend in BACKENDS[1:] for order in ORDERS)
    line(f"peak memory, {LARGE:,}, worst mode, relative to libhdf5",
         peak / get("peak_kib", "libhdf5", LARGE), 1, False, "x")
    return "\n".join(lines)


def plot(out):
    subprocess.run(["cargo", "run", "--release", "--quiet", "--manifest-path", HERE / "plot/Cargo.toml", "--",
                    out / "results.csv", out], check=True, env={**os.environ, "CARGO_TARGET_DIR": str(CACHE / "plot")})
    print(f"written: {out}/report.txt, results.csv, *.svg")


if __name__ == "__main__":
    main()
