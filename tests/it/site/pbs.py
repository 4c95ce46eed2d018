#!/usr/bin/python3
"""qsub, qstat, qdel and qselect of the tests: jobs run as processes, and every reply is a recorded one of a real
server with ids, names and times put in. A request that no recording covers fails by name.

Files beside its folder: config.json (server), faults.json (what goes wrong), jobs/N.json, calls (what was asked)."""
import fcntl, json, os, pwd, re, shlex, signal, subprocess, sys, time
from contextlib import contextmanager

HOME = os.path.dirname(os.path.dirname(os.path.abspath(sys.argv[0])))
TOOL = os.path.basename(sys.argv[0])


def load(name, otherwise=None):
    try:
        with open(os.path.join(HOME, name)) as file:
            return json.load(file)
    except FileNotFoundError:
        return otherwise


def store(name, value):
    path = os.path.join(HOME, name)
    with open(f"{path}.{os.getpid()}", "w") as file:
        json.dump(value, file)
    os.rename(f"{path}.{os.getpid()}", path)


CONFIG = load("config.json")
VERSION, SERVER = CONFIG["version"], "vm"


@contextmanager
def locked():
    with open(os.path.join(HOME, "lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def fault(name):
    """What goes wrong here; `times` counts down."""
    with locked():
        faults = load("faults.json", {})
        found = faults.get(name)
        if found is None or found.get("times", 1) <= 0:
            return None
        if "times" in found:
            found["times"] -= 1
            store("faults.json", faults)
        return {"on": True, **found}


# ---------------------------------------------------------------- recorded replies

def recorded(name, version=None):
    files = [f"{'pbspro' if VERSION.startswith('18') else 'openpbs'}-{VERSION}.jsonl", "openpbs-23.06.06.jsonl",
             "pbspro-18.1.4.jsonl", "noted.jsonl"]
    for file in files:
        with open(os.path.join(CONFIG["recorded"], file)) as lines:
            for line in lines:
                entry = json.loads(line)
                if entry["name"] == name:
                    return entry
    uncovered(f"no recording is called {name}")


def uncovered(what):
    sys.stderr.write(f"fake PBS: not covered by a recording: {what}\n")
    os._exit(99)


def reply(name, *swaps):
    """Says a recorded reply, its words exchanged, and ends with its status."""
    entry = recorded(name)
    out, err = entry["stdout"], entry["stderr"]
    for old, new in swaps:
        out, err = out.replace(old, new), err.replace(old, new)
    say(out, err)
    sys.exit(entry["rc"])


def say(out="", err=""):
    sys.stdout.write(out)
    sys.stderr.write(err)
    sys.stdout.flush()
    sys.stderr.flush()


def attributes(name, which=0):
    """The attributes of a recorded `qstat -f`, in order; from JSON where only that was recorded."""
    entry = recorded(name)
    if entry["stdout"].startswith("{"):
        job = list(json.loads(entry["stdout"])["Jobs"].values())[which]
        flat = {}
        for key, value in job.items():
            if key == "Variable_List":
                flat[key] = ",".join(f"{k}={v}" for k, v in value.items())
            elif isinstance(value, dict):
                flat.update({f"{key}.{k}": str(v) for k, v in value.items()})
            else:
                flat[key] = str(value)
        return flat
    text = entry["stdout"].replace("\n\t", "")
    block = [b for b in text.split("Job Id: ") if b.strip()][which]
    lines = [line.strip() for line in block.splitlines()[1:] if line.strip()]
    return dict(line.split(" = ", 1) for line in lines)


def day(at):
    return time.strftime("%a %b %e %H:%M:%S %Y", time.localtime(at))


def clock(seconds):
    return f"{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02}"


def seconds(text):
    parts = [int(float(p)) for p in str(text).split(":")]
    return sum(p * 60 ** i for i, p in enumerate(reversed(parts)))


def template(job, member):
    state, new = job["state"], not VERSION.startswith("18")
    if job.get("array") and member is None:
        name = "qstat-f-array-running" if state == "B" else "qstat-xtf-arr" if new else "qstat-xtf-array"
        return attributes("qstat-f-Q" if state in "QH" else name)
    ends = {"ok": "qstat-xf-ok-text", "fail": "qstat-xf-fail", "walltime": "qstat-xfw" if new else "qstat-fw",
            "deleted": "qstat-xf-deleted-running", "never": "qstat-xf-deleted-queued"}
    return attributes({"Q": "qstat-f-Q", "H": "qstat-f-H", "R": "qstat-f-R"}.get(state) or ends[job["end"]])


def shown(job, wide, member=None):
    """One job as `qstat -f` says it."""
    values = template(job, member)
    start, end = job.get("stime"), job.get("mtime", time.time())
    ran = clock(((end if job["state"] == "F" else time.time()) - start) / CONFIG["scale"]) if start else None
    owner = f"{os.environ.get('USER', 'alice')}@{SERVER}"
    known = {
        "Job_Name": job["name"], "Job_Owner": owner, "job_state": job["state"], "queue": job["queue"],
        "Output_Path": f"{SERVER}:{job['out']}", "Error_Path": f"{SERVER}:{job['err']}", "ctime": day(job["ctime"]),
        "qtime": day(job["ctime"]), "etime": day(job["ctime"]), "mtime": day(end), "obittime": day(end),
        "stime": day(start) if start else None, "resources_used.walltime": ran,
        "Resource_List.walltime": clock(job["walltime"]), "Resource_List.select": job["select"],
        "project": job["project"], "Submit_arguments": job["arguments"], "Exit_status": job.get("exit"),
        "history_timestamp": int(end), "array_indices_submitted": job.get("indices"),
    }
    values.update({key: str(value) for key, value in known.items() if key in values and value is not None})
    if start and "comment" in values:
        at = time.strftime("%a %b %d at %H:%M", time.localtime(start))
        values["comment"] = re.sub(r"at \w+ \w+ +\d+ at \d+:\d+", f"at {at}", values["comment"])
        if job["state"] == "F" and job.get("exit") == 0 and job["end"] == "walltime":
            values["comment"] = values["comment"].replace("and failed", "and finished")
            values["substate"] = "92"
        values["comment"] = values["comment"].replace("alice@vm", owner)
    if member is not None:
        values = {key: value for key, value in values.items() if not key.startswith("array")}
        values["array_id"], values["array_index"] = f"{job['n']}[].{SERVER}", str(member)
    ident = job["id"] if member is None else f"{job['n']}[{member}].{SERVER}"
    lines = [f"Job Id: {ident}"]
    for key, value in values.items():
        line = f"    {key} = {value}"
        if not wide and len(line) > 79:
            rest = line[79:]
            line = "\n\t".join([line[:79]] + [rest[i:i + 71] for i in range(0, len(rest), 71)])
        lines.append(line)
    return "\n".join(lines) + "\n\n"


# ---------------------------------------------------------------- jobs

def jobs():
    folder = os.path.join(HOME, "jobs")
    numbers = sorted(int(name[:-5]) for name in os.listdir(folder) if name.endswith(".json"))
    return [job for job in (load(f"jobs/{n}.json") for n in numbers) if job]


def shown_jobs():
    """Those that the server still knows."""
    return [job for job in jobs() if not job.get("forgotten")]


def change(n, **values):
    with locked():
        job = load(f"jobs/{n}.json")
        if job is None:
            return None
        job.update(values)
        store(f"jobs/{n}.json", job)
        return job


def find(ident):
    if not re.fullmatch(r"\d+(\[\d*\])?(\.[\w.-]+)?", ident):
        return "bad", None
    n, member = int(re.match(r"\d+", ident)[0]), re.search(r"\[(\d+)\]", ident)
    job = load(f"jobs/{n}.json")
    if job is None or job.get("forgotten") or bool(job.get("array")) != ("[" in ident):
        return "unknown", None
    return job, (int(member[1]) if member else None)


def full(ident):
    return ident if "." in ident else f"{ident}.{SERVER}"


# ---------------------------------------------------------------- qsub

def options(words, letters, flags, usage):
    found, rest, i = {}, [], 0
    while i < len(words):
        word = words[i]
        if not word.startswith("-") or word == "-":
            rest.append(word)
        elif word[1] in flags:
            found[word[1]] = ""
        elif word[1] in letters:
            value = word[2:]
            if not value:
                i += 1
                value = words[i] if i < len(words) else reply(usage)
            if word[1] == "l":
                value = f"{found['l']},{value}" if "l" in found else value
            found[word[1]] = value
        else:
            uncovered(f"{TOOL} {word}")
        i += 1
    return found, rest


LETTERS = "NqPloeJvmMjkrWSAa"


def directives(text):
    words = []
    for line in text.split("\n"):
        if line.startswith("#PBS"):
            words += shlex.split(line[4:])
        elif line.strip() and not line.startswith("#"):
            break
    return words


def qsub(words):
    typed, rest = options(words, LETTERS, "hf", "err-mail")
    if rest and rest[0] != "-":
        if not os.path.isfile(rest[0]):
            reply("err-emptyid")
        with open(rest[0], newline="") as file:
            text = file.read()
    else:
        text = sys.stdin.read()
    if "\r\n" in text and not VERSION.startswith("18"):
        reply("qsub-crlf")
    asked, _ = options(directives(text), LETTERS, "hf", "err-mail")
    asked.update(typed)
    resources = dict(pair.split("=", 1) for pair in asked.get("l", "").split(",") if "=" in pair)
    refuse(asked, resources)
    with locked():
        n = load("next.json", 0)
        store("next.json", n + 1)
    array = asked.get("J")
    name = asked.get("N", os.path.basename(rest[0]) if rest else "STDIN")
    ident = f"{n}[].{SERVER}" if array else f"{n}.{SERVER}"
    place = lambda key, letter: os.path.join(os.getcwd(), asked.get(key, f"{name}.{letter}{n}").split(":", 1)[-1])
    low, high = (int(p) for p in array.split("-")) if array else (0, 0)
    job = {
        "n": n, "id": ident, "name": name, "queue": queue_of(asked), "state": "H" if "h" in asked else "Q",
        "ctime": time.time(), "out": place("o", "o"), "err": place("e", "e"), "project": asked.get("P", "_pbs_project_default"),
        "walltime": seconds(resources.get("walltime", "01:00:00")), "select": resources.get("select", "1:ncpus=1"),
        "arguments": " ".join(words), "shell": asked.get("S", "/bin/sh"), "directory": os.getcwd(),
        "owner": CONFIG.get("owner", whoami()), "array": [low, high] if array else None, "indices": array, "members": {}, "joined": asked.get("j"),
    }
    with locked():
        with open(os.path.join(HOME, "jobs", f"{n}.sh"), "w", newline="") as file:
            file.write(text)
        store(f"jobs/{n}.json", job)
    background(lambda: mom(n))
    slow = fault("qsub-slow")
    if slow:
        time.sleep(slow["seconds"])
    if fault("qsub-cut"):
        cut()
    if fault("qsub-silent"):
        sys.exit(0)
    odd = fault("qsub-odd")
    if odd:
        say(odd.get("out", "").replace("ID", ident), odd.get("err", ""))
        sys.exit(odd.get("code", 0))
    reply("qsub-array" if array else "qsub-ok", ("8[].vm" if array else "0.vm", ident))


def whoami():
    return pwd.getpwuid(os.getuid()).pw_name


def queue_of(asked):
    return asked.get("q") or CONFIG["default_queue"]


def refuse(asked, resources):
    """The server's reasons, in the order in which it looks."""
    if len(asked.get("N", "")) > (236 if VERSION.startswith("18") else 230):
        reply("err-longname")
    if re.search(r"[\s/]" if not VERSION.startswith("18") else r"\s", asked.get("N", "")):
        reply("err-badname")
    if "select" in resources and "mem" in resources:
        reply("qsub-memhog")
    if "select" in resources and "nodes" in resources:
        reply("err-nodesppn")
    queue = CONFIG["queues"].get(queue_of(asked))
    if queue is None:
        reply("err-noqueue")
    if not queue.get("enabled", True):
        reply("err-queue-disabled")
    if CONFIG.get("project_required") and not re.fullmatch(r"[A-Z]{4}\d{4}", asked.get("P", "")):
        reply("err-hook")
    gpus = sum(int(g) for g in re.findall(r"ngpus=(\d+)", resources.get("select", "")))
    if seconds(resources.get("walltime", "0")) > queue.get("walltime", 1 << 40) or gpus > queue.get("gpus", 1 << 40):
        reply("err-walltime")
    mine = [job for job in jobs() if job["queue"] == queue_of(asked) and job["state"] != "F"]
    if len(mine) >= queue.get("queued", 1 << 40):
        entry = recorded("err-maxqueued")
        say("", entry["stderr"].splitlines()[0].replace("generic", queue_of(asked)) + "\n")
        sys.exit(entry["rc"])


def hang():
    """As long as the site is there."""
    while os.path.isdir(HOME):
        time.sleep(0.5)
    os._exit(1)


def cut():
    """Ends the ssh session that this command belongs to, as a network does."""
    pid = os.getppid()
    while pid > 1:
        with open(f"/proc/{pid}/status") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        if status["Name"].startswith("sshd"):
            os.kill(pid, signal.SIGKILL)
            break
        pid = int(status["PPid"])
    hang()


def background(work):
    """A process of its own that holds nothing of this command's."""
    sys.stdout.flush()
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open("/dev/null", os.O_RDWR)
    log = os.open(os.path.join(HOME, "mom.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for fd, to in ((0, null), (1, log), (2, log)):
        os.dup2(to, fd)
    os.closerange(3, 256)
    try:
        work()
    except BaseException as error:
        os.write(2, f"mom: {error!r}\n".encode())
    os._exit(0)


# ---------------------------------------------------------------- running

def may_start(job):
    with locked():
        if not load("started.json", True):
            return False
        now = load(f"jobs/{job['n']}.json")
        if now is None or now["state"] != "Q":
            return None
        running = [j for j in jobs() if j["queue"] == job["queue"] and j["state"] in "RB"]
        if len(running) >= CONFIG["queues"][job["queue"]].get("running", 1 << 40):
            return False
        now.update(state="B" if now["array"] else "R", stime=time.time())
        store(f"jobs/{job['n']}.json", now)
        return True


def mom(n):
    job = load(f"jobs/{n}.json")
    while not (may := may_start(job)):
        if may is None and (load(f"jobs/{n}.json") or {"state": "F"})["state"] == "F":
            return
        time.sleep(0.05)
    if job["array"]:
        low, high = job["array"]
        results = [run(n, member) for member in range(low, high + 1)]
        worst = 1 if any(end != "ok" for end, _ in results) and VERSION.startswith("18") else 0
        finish(n, end="ok" if not worst else "fail", exit=worst)
    else:
        end, code = run(n, None)
        finish(n, end=end, exit=code)


def finish(n, **values):
    forgotten = not CONFIG.get("history", True) or fault("vanish") is not None
    change(n, state="F", mtime=time.time(), forgotten=forgotten, **values)


def run(n, member):
    job = load(f"jobs/{n}.json")
    spool = os.path.join(HOME, "jobs", f"{n}.{member}" if member is not None else str(n))
    ident = job["id"] if member is None else f"{n}[{member}].{SERVER}"
    env = {key: os.environ[key] for key in ("HOME", "PATH", "USER", "LOGNAME", "LANG", "SHELL") if key in os.environ}
    env.update(PBS_JOBID=ident, PBS_JOBNAME=job["name"], PBS_QUEUE=job["queue"], PBS_O_WORKDIR=job["directory"],
               PBS_ENVIRONMENT="PBS_BATCH", NCPUS="1", OMP_NUM_THREADS="1")
    if member is not None:
        env["PBS_ARRAY_INDEX"] = str(member)
    out, err = open(f"{spool}.OU", "wb"), open(f"{spool}.ER", "wb")
    script = os.path.join(HOME, "jobs", f"{n}.sh")
    try:
        child = subprocess.Popen([job["shell"], script], cwd=env["HOME"], env=env, stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=err, start_new_session=True)
    except OSError:
        return "fail", 254
    began, killed, state = time.time(), None, {"pid": child.pid, "end": None}
    remember(n, member, pid=child.pid)
    while child.poll() is None:
        now = load(f"jobs/{n}.json") or {}
        over = time.time() - began > now.get("walltime", job["walltime"]) * CONFIG["scale"]
        if killed is None and (over or now.get("deleting")):
            state["end"] = "deleted" if now.get("deleting") else "walltime"
            if state["end"] == "walltime":
                ran = int((time.time() - began) / CONFIG["scale"])
                err.write(f"=>> PBS: job killed: walltime {ran} exceeded limit {job['walltime']}\n".encode())
                err.flush()
            group(child.pid, signal.SIGTERM)
            killed = time.time()
        elif killed and time.time() - killed > CONFIG["kill_delay"]:
            group(child.pid, signal.SIGKILL)
        time.sleep(0.02)
    group(child.pid, signal.SIGKILL)
    code = child.returncode
    code = 256 - code if code < 0 else code
    out.close(), err.close()
    deliver(job, member, spool)
    end = state["end"] or ("ok" if code == 0 else "fail")
    if end == "walltime":
        code = 271 if VERSION.startswith("18") else -29
    elif end == "deleted":
        code = 271
    said = fault(f"{end}-exit")
    result = (end, said["code"] if said else code)
    if member is not None:
        remember(n, member, end=result[0], exit=result[1], stime=began, mtime=time.time())
    return result


def remember(n, member, **values):
    if member is None:
        change(n, **values)
        return
    with locked():
        job = load(f"jobs/{n}.json")
        if job:
            job["members"].setdefault(str(member), {}).update(values)
            store(f"jobs/{n}.json", job)


def group(pid, sig):
    """The whole session: what left the group but not the session too."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.getsid(int(entry)) == pid:
                    os.kill(int(entry), sig)
            except (ProcessLookupError, PermissionError):
                pass


def deliver(job, member, spool):
    for key, end in (("out", "OU"), ("err", "ER")):
        place = job[key].replace("^array_index^", str(member))
        if os.path.isdir(place):
            ident = job["id"] if member is None else f"{job['n']}[{member}].{SERVER}"
            place = os.path.join(place, f"{ident}.{end}")
        source = f"{spool}.OU" if key == "err" and job["joined"] == "oe" else f"{spool}.{end}"
        try:
            # A folder that is missing: the output is lost, and the job is told as finished.
            with open(source, "rb") as read, open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(read.read())
        except OSError:
            pass


# ---------------------------------------------------------------- qstat, qdel, qselect

def qstat(words):
    if words == ["--version"]:
        reply("version", ("18.1.4", VERSION))
    if words and words[0] in ("-Qf", "-Q") :
        return queues([word for word in words if not word.startswith("-")])
    if words and words[0] == "-Bf":
        reply("qstat-Bf", ("23.06.06", VERSION))
    letters = "".join(word[1:] for word in words if word.startswith("-"))
    idents = [word for word in words if not word.startswith("-")]
    if "f" not in letters or set(letters) - set("fxwt"):
        uncovered("qstat " + " ".join(words))
    rc = 0
    for ident in idents or [job["id"] for job in shown_jobs()]:
        job, member = find(ident)
        if "x" in letters and not CONFIG.get("history", True):
            name, old = "history-off", "0.scheduler"
        elif job == "bad":
            name, old = "qstat-badid", "notajob"
        elif job == "unknown":
            name, old = "qstat-x-unknown", "99999.vm"
        elif job["state"] == "F" and "x" not in letters:
            name, old = "qstat-f-finished-no-x", "0.vm"
        else:
            say(listed(job, member, letters))
            continue
        entry = recorded(name)
        say("", entry["stderr"].replace(old, ident if job == "bad" else full(ident)))
        rc = entry["rc"]
    sys.exit(rc)


def listed(job, member, letters):
    wide = "w" in letters
    if member is not None:
        return shown(of_member(job, member), wide, member)
    text = shown(job, wide)
    if job.get("array") and "t" in letters:
        low, high = job["array"]
        text += "".join(shown(of_member(job, m), wide, m) for m in range(low, high + 1))
    return text


def of_member(job, member):
    known = job["members"].get(str(member), {})
    state = "F" if "end" in known else "R" if known else "F" if job["state"] == "F" else "Q"
    values = {"state": state, "end": "never", "exit": None, "array": None, "stime": job.get("stime")}
    return {**job, **values, **known}


def queues(names):
    found = json.loads(recorded("qstat-QfJson")["stdout"])["Queue"]
    known = {name: found.get(name, found["serial"]) for name in CONFIG["queues"]}
    for name in names or known:
        if name not in known:
            reply("qstat-badid", ("notajob", name))
        lines, limits = [f"Queue: {name}"], CONFIG["queues"][name]
        for key, value in known[name].items():
            if key == "resources_max":
                value = {"walltime": clock(limits["walltime"])} if "walltime" in limits else {}
                value.update({"ngpus": limits["gpus"]} if "gpus" in limits else {})
            if key == "enabled":
                value = str(limits.get("enabled", True))
            pairs = {f"{key}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {key: value}
            lines += [f"    {k} = {v}" for k, v in pairs.items()]
        say("\n".join(lines) + "\n\n")


def qdel(idents):
    rc = 0
    for ident in idents:
        if ident.startswith("-"):
            uncovered(f"qdel {ident}")
        job, _ = find(ident)
        if job in ("bad", "unknown"):
            name, old = "qdel-unknown", "99999.vm"
        elif job["state"] == "F":
            name, old = "qdel-finished", "0.vm"
        else:
            if job["state"] in "QH":
                change(job["n"], state="F", end="never", mtime=time.time())
            else:
                change(job["n"], deleting=True)
            continue
        entry = recorded(name)
        say("", entry["stderr"].replace(old, full(ident)))
        rc = entry["rc"]
    sys.exit(rc)


def qselect(words):
    asked, rest = options(words, "Nus", "x", "err-mail")
    if rest:
        uncovered("qselect " + " ".join(words))
    if "x" in asked and not CONFIG.get("history", True):
        reply("history-off", ("qstat:", "qselect:"), (" 0.scheduler", ""))
    for job in shown_jobs():
        states = asked.get("s") or ("QHRBF" if "x" in asked else "QHRB")
        mine = asked.get("u", job["owner"]) == job["owner"]
        if mine and job["state"] in states and asked.get("N", job["name"]) == job["name"]:
            say(job["id"] + "\n")


def main():
    with open(os.path.join(HOME, "calls"), "a") as file:
        file.write(shlex.join([TOOL] + sys.argv[1:]) + "\n")
    if fault(f"{TOOL}-hang"):
        hang()
    if fault("down"):
        reply({"qsub": "down-server-qsub", "qdel": "down-server-qdel"}.get(TOOL, "down-server-qstat"), ("qstat:", f"{TOOL}:"))
    refusal = fault(f"{TOOL}-says")
    if refusal:
        reply(refusal["recorded"])
    {"qsub": qsub, "qstat": qstat, "qdel": qdel, "qselect": qselect}[TOOL](sys.argv[1:])


main()
