#!/usr/bin/python3
# Owns the power of the fuzzer: seeds faults into passes, planning and emitters, and counts those that it finds.
#
#   tools/faults.py draw N SEED     finds every place that can be changed, draws N of them, writes a changed copy of the tree
#   tools/faults.py build           builds that copy; places that do not compile are drawn again
#   tools/faults.py run [PROGRAMS]  runs the fuzzer under each fault, PROGRAMS (20000) at most; results in faults.json
#   tools/faults.py equivalent K WHY   notes that fault K changes no result, and why: another is drawn in its place
#   tools/faults.py report          the figures, what was not found, and what was set aside with its reason
#
# One build holds all faults: a place reads `tessera_fault(7) ? changed : original`, and TESSERA_FAULT=7 chooses. Places
# are found in Clang's syntax tree (Debian: python3-clang-19), not by patterns. What only decides how fast code is, and
# never what it computes, is left out by name below: a change there is no fault. Single changes that compute the same
# stand in tools/faults_equivalent.json, each with its reason.
import hashlib, json, os, random, re, shutil, subprocess, sys, time

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
work = os.path.join(root, "build", "faults")
copy = os.path.join(work, "tree")
binary_folder = os.path.join(copy, "build", "dev")  # as in the tree itself, so that ccache knows what is unchanged
equivalent_file = os.path.join(root, "tools", "faults_equivalent.json")
sites_file, results_file = os.path.join(work, "sites.json"), os.path.join(work, "faults.json")
folders = ["jit/passes", "targets/cpu/plan"]
emitters = ["jit/llvm/emit.cpp", "jit/llvm/emit_arithmetic.cpp", "jit/llvm/emit_control.cpp", "jit/llvm/emit_convert.cpp",
            "jit/llvm/emit_masked.cpp", "jit/llvm/emit_memory.cpp"]

# Functions whose results choose among equally right plans, or are texts; by file. Those that also see to what a plan
# may do, such as which axes show in results, are not among them.
cost_functions = {
    "targets/cpu/plan/cuts.cpp": {"length", "axis_cut", "tunable_cut", "footprint", "streams", "find_inner", "row_cut",
                                  "runs_along", "has_op"},                 # how large a tile is to be
    "targets/cpu/plan/analysis.cpp": {"own_cost"},                         # what is cheap to compute twice
    "targets/cpu/plan/nest.cpp": {"score_accesses"},                       # which axis makes quick vectors
    "targets/cpu/plan/contraction.cpp": {"score", "prefetch_target"},
    "targets/cpu/plan/memory.cpp": {"prefetch_next_program"},
    "jit/llvm/emit_memory.cpp": {"prefetch"},                              # a prefetch changes no value and never faults
    "targets/cpu/plan/eval.cpp": {"refuse"}, "jit/llvm/emit.cpp": {"refuse"},   # texts
}

# Siblings: an operation, a predicate or a builder's call becomes another of its kind.
siblings = {
    "add": "sub", "sub": "add", "mul": "add", "div": "mul", "min": "max", "max": "min", "lt": "le", "le": "lt", "gt": "ge",
    "ge": "gt", "eq": "ne", "ne": "eq", "shl": "shr", "shr": "shl", "bit_and": "bit_or", "bit_or": "bit_and",
    "bit_xor": "bit_or", "floor": "ceil", "ceil": "floor", "trunc": "round", "round": "trunc", "floor_div": "floor_rem",
    "floor_rem": "floor_div", "reduce_add": "reduce_max", "reduce_min": "reduce_max", "reduce_max": "reduce_min",
    "reduce_and": "reduce_or", "reduce_or": "reduce_and", "max_number": "min_number", "min_number": "max_number",
    "cumsum": "cumprod", "fast_max": "fast_min", "fast_min": "fast_max", "sum": "prod", "argmax": "argmin",
    "CreateAdd": "CreateSub", "CreateSub": "CreateAdd", "CreateAnd": "CreateOr", "CreateOr": "CreateAnd",
    "CreateXor": "CreateOr", "CreateShl": "CreateLShr", "CreateLShr": "CreateAShr", "CreateAShr": "CreateLShr",
    "CreateSExt": "CreateZExt", "CreateZExt": "CreateSExt", "CreateFAdd": "CreateFSub", "CreateFSub": "CreateFAdd",
    "CreateFMul": "CreateFAdd", "CreateICmpSLT": "CreateICmpSLE", "CreateICmpULT": "CreateICmpULE",
    "CreateICmpEQ": "CreateICmpNE", "CreateICmpNE": "CreateICmpEQ", "CreateICmpSGT": "CreateICmpSGE",
    "CreateICmpUGT": "CreateICmpUGE", "CreateFCmpOLT": "CreateFCmpOLE", "CreateFCmpOGT": "CreateFCmpOGE",
    "CreateFCmpOEQ": "CreateFCmpUEQ", "CreateFCmpUNO": "CreateFCmpORD", "CreateFPToSI": "CreateFPToUI",
    "CreateFPToUI": "CreateFPToSI", "CreateSIToFP": "CreateUIToFP", "CreateUIToFP": "CreateSIToFP",
    "CreateUDiv": "CreateURem", "CreateSDiv": "CreateSRem",
}
binary = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "+": "-", "-": "+", "*": "+", "/": "*",
          "%": "/", "<<": ">>", ">>": "<<", "&": "|", "|": "&"}


def sources():
    found = []
    for folder in folders:
        found += sorted(os.path.join(folder, f) for f in os.listdir(os.path.join(root, folder)) if f.endswith(".cpp"))
    return found + emitters


def find_sites(path):
    """Every place of a file that can be changed: offsets, what it becomes, and in words."""
    sys.path.insert(0, "/usr/lib/python3/dist-packages")
    from clang import cindex
    from clang.cindex import CursorKind as K
    database = json.load(open(os.path.join(root, "build", "dev", "compile_commands.json")))
    full = os.path.join(root, path)
    by_file = {os.path.realpath(c["file"]): c["command"].split() for c in database}
    # A file newer than the build's list is compiled as its neighbours are.
    near = [f for f in sorted(by_file) if os.path.dirname(f) == os.path.dirname(os.path.realpath(full))]
    command = by_file.get(os.path.realpath(full)) or by_file[near[0]]
    keep, take = [], False
    for a in command[1:]:
        if take:
            keep.append(a)
            take = False
        elif a in ("-isystem", "-I"):
            keep.append(a)
            take = True
        elif a.startswith(("-I", "-D", "-std")):
            keep.append(a)
    unit = cindex.Index.create().parse(full, args=keep)
    text = open(full, "rb").read()
    lines = text.decode().split("\n")
    sites = []

    def span(c):
        return c.extent.start.offset, c.extent.end.offset

    def part(a, b):
        return text[a:b].decode()

    def site(kind, start, end, changed, line):
        original = part(start, end)
        if "\n" in changed or "\n" in original:
            changed, original = changed.replace("\n", " "), original.replace("\n", " ")
            if "//" in original:
                return
        sites.append({"file": path, "line": line, "text": lines[line - 1].strip(), "kind": kind, "start": start, "end": end, "changed": changed})

    def in_file(c):
        return c.location.file is not None and c.location.file.name == full and c.extent.start.file is not None and \
            c.extent.start.file.name == full

    def binary_site(c, kids):
        (a, b), (d, e) = span(kids[0]), span(kids[1])
        if not a <= b <= d <= e:
            return
        operator = part(b, d).strip()
        left, right, line = part(a, b), part(d, e), c.extent.start.line
        if operator in ("&&", "||"):
            site("left side only", a, e, left, line)
            site("right side only", a, e, right, line)
        elif operator in binary:
            if "<<" in operator and ("out" in left or "text" in left or '"' in right):
                return
            site(f"{operator} becomes {binary[operator]}", a, e, f"{left} {binary[operator]} {right}", line)

    def call_site(c, kids):
        start, end = span(c)
        line = c.extent.start.line
        name = c.spelling
        if name in siblings and name.startswith("Create"):
            callee = part(start, end)
            site(f"{name} becomes {siblings[name]}", start, end, callee.replace(name, siblings[name], 1), line)
        arguments = list(c.get_arguments())
        for x, y in zip(arguments, arguments[1:]):
            if x is None or y is None or x.extent.start.file is None or y.extent.start.file is None:
                continue
            (a, b), (d, e) = span(x), span(y)
            if not start <= a < b <= d < e <= end or x.type.spelling != y.type.spelling:
                continue
            if part(a, b) != part(d, e) and len(part(a, b)) > 1:
                site("arguments swapped", start, end, part(start, a) + part(d, e) + part(b, d) + part(a, b) + part(e, end), line)

    def visit(c, function, frozen):
        if c.kind in (K.FUNCTION_DECL, K.CXX_METHOD, K.CONSTRUCTOR, K.FUNCTION_TEMPLATE):
            function = c.spelling
            if function in cost_functions.get(path, ()):
                return
        if c.kind in (K.CASE_STMT,):
            kids = list(c.get_children())
            for k in kids[1:]:
                visit(k, function, frozen)
            return
        if c.kind in (K.STATIC_ASSERT, K.ENUM_DECL, K.TEMPLATE_TEMPLATE_PARAMETER, K.TEMPLATE_NON_TYPE_PARAMETER):
            return
        if c.kind == K.VAR_DECL and any(t.spelling == "constexpr" for t in list(c.get_tokens())[:4]):
            return
        kids = list(c.get_children())
        if function and in_file(c):
            start, end = span(c)
            line = c.extent.start.line
            if c.kind == K.BINARY_OPERATOR and len(kids) == 2:
                binary_site(c, kids)
            elif c.kind == K.CALL_EXPR:
                if c.spelling.startswith("operator") and len(kids) == 3 and c.spelling in ("operator==", "operator!="):
                    site("always", start, end, "true", line)
                else:
                    call_site(c, kids)
            elif c.kind == K.INTEGER_LITERAL and part(start, end).isdigit():
                site("one more", start, end, f"{part(start, end)} + 1", line)
            elif c.kind == K.CONDITIONAL_OPERATOR and len(kids) == 3:
                (a, b), (d, e), (g, h) = span(kids[0]), span(kids[1]), span(kids[2])
                if start <= a < b <= d < e <= g < h <= end:
                    site("condition turned", a, b, f"!({part(a, b)})", line)
            elif c.kind == K.IF_STMT and kids and kids[0].kind != K.VAR_DECL and kids[0].kind != K.DECL_STMT:
                a, b = span(kids[0])
                if "=" not in re.sub(r"[=!<>]=", "", part(a, b)) and b - a > 1:
                    site("condition always holds", a, b, "true", line)
                    site("condition never holds", a, b, "false", line)
            elif c.kind == K.UNARY_OPERATOR and part(start, start + 1) == "!":
                site("not dropped", start, end, part(start + 1, end), line)
            elif c.kind == K.DECL_REF_EXPR and c.referenced is not None and c.referenced.kind == K.ENUM_CONSTANT_DECL and \
                    c.spelling in siblings and part(start, end).endswith(c.spelling):
                original = part(start, end)
                changed = original[:len(original) - len(c.spelling)] + siblings[c.spelling]
                site(f"{c.spelling} becomes {siblings[c.spelling]}", start, end, changed, line)
        for k in kids:
            visit(k, function, frozen)

    for c in unit.cursor.get_children():
        if c.location.file is not None and c.location.file.name == full:
            visit(c, None, False)
    seen = {}
    for s in sites:
        seen[(s["start"], s["end"], s["changed"])] = s
    return sorted(seen.values(), key=lambda s: (s["start"], s["end"], s["changed"]))


def digest(path):
    return hashlib.sha256(open(os.path.join(root, path), "rb").read()).hexdigest()


def all_sites():
    """The places of every file; of a file that was looked at before, as they were found then."""
    cache_file = os.path.join(work, "cache.json")
    cache = json.load(open(cache_file)) if os.path.exists(cache_file) else {}
    every = []
    for path in sources():
        key = digest(path)
        if cache.get(path, {}).get("digest") != key:
            cache[path] = {"digest": key, "sites": find_sites(path)}
            json.dump(cache, open(cache_file, "w"))
        every += cache[path]["sites"]
    return every


def draw(count, seed):
    os.makedirs(work, exist_ok=True)
    every = all_sites()
    order = list(range(len(every)))
    random.Random(seed).shuffle(order)
    state = {"seed": seed, "count": count, "all": every, "order": order, "refused": [],
             "digests": {path: digest(path) for path in sources()}}
    if os.path.exists(results_file):
        os.remove(results_file)
    json.dump(state, open(sites_file, "w"))
    chosen = write_copy(state)
    by_file = {}
    for s in every:
        by_file[s["file"]] = by_file.get(s["file"], 0) + 1
    print(f"{len(every)} places in {len(by_file)} files; {len(chosen)} drawn with seed {seed}")


def identity(s):
    """What names a change also after edits elsewhere in its file."""
    return {"file": s["file"], "line": s["text"], "kind": s["kind"], "changed": s["changed"]}


def equivalents():
    """Changes that compute the same, by what names them, with the reasons."""
    if not os.path.exists(equivalent_file):
        return {}
    return {json.dumps({k: e[k] for k in ("file", "line", "kind", "changed")}): e["why"]
            for e in json.load(open(equivalent_file))}


def set_aside(number, why):
    state = json.load(open(sites_file))
    entry = dict(identity(choose(state)[number][1]), why=why)
    all_entries = json.load(open(equivalent_file)) if os.path.exists(equivalent_file) else []
    with open(equivalent_file, "w") as out:
        json.dump(all_entries + [entry], out, indent=1)
        out.write("\n")
    print(f"set aside: {entry['file']}: {entry['line']}: {entry['kind']}")


def choose(state):
    """The first `count` places of the shuffled list that compile, compute something else, and do not lie in one
    another."""
    chosen, refused, same = [], set(state["refused"]), equivalents()
    for i in state["order"]:
        s = state["all"][i]
        if same and json.dumps(identity(s)) in same:
            continue
        if i in refused or any(s["file"] == o["file"] and s["start"] < o["end"] and o["start"] < s["end"] for _, o in chosen):
            continue
        chosen.append((i, s))
        if len(chosen) == state["count"]:
            break
    return chosen


def write_copy(state):
    for path, key in state["digests"].items():
        if digest(path) != key:
            sys.exit(f"{path} has changed since the places were drawn: draw again")
    if not os.path.isdir(copy):
        os.makedirs(copy)
    for name in ["CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "cmake", "include", "jit", "targets", "autotune",
                 "tests", "tools", "examples", "bench"]:
        source = os.path.join(root, name)
        if os.path.exists(source):
            subprocess.run(["rsync", "-a", "--checksum", "--delete", source, copy + "/"], check=True)
    chosen = choose(state)
    for path in sorted({s["file"] for _, s in chosen}):
        text = open(os.path.join(root, path), "rb").read().decode("latin-1")
        mine = sorted([(s["start"], n, s) for n, (_, s) in enumerate(chosen) if s["file"] == path], reverse=True)
        for start, n, s in mine:
            original = text[start:s["end"]]
            if "\n" in original:
                original = original.replace("\n", " ")
            changed = s["changed"].encode().decode("latin-1")
            text = text[:start] + f"(tessera_fault({n}) ? ({changed}) : ({original}))" + text[s["end"]:]
        # On the first line, so that lines keep their numbers.
        head = "#include <cstdlib>\nstatic bool tessera_fault(int n) { static const char* which = std::getenv(\"TESSERA_FAULT\"); static const int active = which ? std::atoi(which) : -1; return n == active; }\n#line 1\n"
        target = os.path.join(copy, path)
        new = (head + text).encode("latin-1")
        if not os.path.exists(target) or open(target, "rb").read() != new:
            open(target, "wb").write(new)
    return chosen


def build():
    state = json.load(open(sites_file))
    if not os.path.exists(os.path.join(binary_folder, "build.ninja")):
        write_copy(state)
        subprocess.run(["cmake", "--preset", "dev"], cwd=copy, check=True, stdout=subprocess.DEVNULL)
    for attempt in range(30):
        chosen = write_copy(state)
        done = subprocess.run(["nice", "-n", os.environ.get("TESSERA_NICE", "5"), "cmake", "--build", binary_folder, "-j", os.environ.get("TESSERA_JOBS", "2"),
                               "--target", "tessera_fuzz", "tessera_llvm", "--", "-k", "0"], capture_output=True, text=True)
        if done.returncode == 0:
            json.dump(state, open(sites_file, "w"))
            print(f"built with {len(chosen)} faults; {len(state['refused'])} places did not compile")
            return
        bad = set()
        for m in re.finditer(r"/((?:jit|targets)/[\w/]+\.cpp):(\d+):\d+: error", done.stdout + done.stderr):
            for i, s in chosen:
                if s["file"] == m.group(1) and s["line"] <= int(m.group(2)) <= s["line"] + 3:
                    bad.add(i)
        if not bad:
            print((done.stdout + done.stderr)[-4000:])
            sys.exit("the copy does not build")
        state["refused"] = sorted(set(state["refused"]) | bad)
        json.dump(state, open(sites_file, "w"))
        print(f"  {len(bad)} places do not compile: drawn again", flush=True)
    sys.exit("too many places do not compile")


def run(programs):
    state = json.load(open(sites_file))
    chosen = choose(state)
    results = json.load(open(results_file)) if os.path.exists(results_file) else {}
    program = os.path.join(binary_folder, "tests", "fuzz", "tessera_fuzz")
    first_seed = 50_000_001
    for n, (i, s) in enumerate(chosen):
        known = results.get(str(i), {})
        before = known.get("programs", 0)
        if known.get("found") or before >= programs:
            continue
        env = dict(os.environ, TESSERA_FAULT=str(n))
        start = time.time()
        done = subprocess.run(["nice", "-n", os.environ.get("TESSERA_NICE", "10"), program, str(programs - before),
                               "--seed", str(first_seed + before), "--findings", "1", "--shrink", "0",
                               "--workers", os.environ.get("TESSERA_JOBS", "2")], capture_output=True, text=True, env=env)
        figures = re.search(r"fuzz: .*: (\d+) programs", done.stdout)
        found = re.search(r"  seed (\d+): (.*)", done.stdout)
        if not figures:
            sys.exit("the fuzzer did not run: " + done.stdout[-500:] + done.stderr[-500:])
        results[str(i)] = {"programs": before + int(figures.group(1)), "found": bool(found),
                           "text": found.group(0).strip()[:200] if found else ""}
        json.dump(results, open(results_file, "w"))
        print(f"{n:3d} {'found' if found else 'NOT FOUND'} after {before + int(figures.group(1))} programs, "
              f"{time.time() - start:.0f} s: {s['file']}:{s['line']} {s['kind']}", flush=True)


def report():
    state = json.load(open(sites_file))
    results = json.load(open(results_file))
    chosen = choose(state)
    found = [(results[str(i)]["programs"], i, s) for i, s in chosen if results.get(str(i), {}).get("found")]
    counts = sorted(p for p, _, _ in found)
    print(f"{len(found)} of {len(chosen)} faults found, drawn with seed {state['seed']} from {len(state['all'])} places")
    if counts:
        print(f"programs until found: median {counts[len(counts) // 2]}, most {counts[-1]}")
    same, drawn = equivalents(), 0
    for i in state["order"][:max(state["order"].index(c) for c, _ in chosen) + 1]:
        why = same.get(json.dumps(identity(state["all"][i])))
        if why:
            drawn += 1
            print(f"  set aside: {state['all'][i]['file']}:{state['all'][i]['line']} {state['all'][i]['kind']}: {why}")
    print(f"{drawn} places drawn besides compute the same")
    for n, (i, s) in enumerate(chosen):
        if not results.get(str(i), {}).get("found"):
            print(f"  {n}: not found in {results.get(str(i), {}).get('programs', 0)}: {s['file']}:{s['line']} {s['kind']}: "
                  f"{s['changed'][:100]}")


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ("draw", "build", "run", "report", "equivalent"):
        sys.exit(__doc__ or "tools/faults.py draw N SEED | build | run [PROGRAMS] | equivalent K WHY | report")
    if sys.argv[1] == "draw":
        draw(int(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1] == "build":
        build()
    elif sys.argv[1] == "equivalent":
        set_aside(int(sys.argv[2]), sys.argv[3])
    elif sys.argv[1] == "run":
        run(int(sys.argv[2]) if len(sys.argv) > 2 else 20000)
    else:
        report()
