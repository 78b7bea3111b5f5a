"""Searches a lab for key bits, for tests/processes/canary.

canary.py QNFV SCAN LAB WORK DELIVERIES

First the scanner is proved: a canary is planted in each form, in a file, in the copy of a log, in the
memory and in a register of a process, and must be found each time. Then keys are drawn at either site
and fetched at the other, and everything is searched for them, for all other keys that the emulated
devices ever made (they follow from the lab's seed), and for the secrets that operators gave.

What a core dump of an idle site would hold has none of them. Memory left out of core dumps has the
operators' secrets, which a site needs, and no key.
"""
import base64, collections, hashlib, hmac, http.client, itertools, json, os, re, shutil, ssl, struct
import subprocess, sys, time
from urllib.parse import quote_from_bytes

qnfv, scan, lab, work, wanted = *sys.argv[1:5], int(sys.argv[5])
sites = ["co", "dc1"]
finding = collections.namedtuple("finding", "place form name parts hits first")


def search(secrets, places):
    """`secrets`: pairs of a name and bits. Some at a time, for the scanner keeps all forms in memory."""
    rows = []
    for i in range(0, len(secrets), 40000):
        text = "".join(f"{name} {bits.hex()}\n" for name, bits in secrets[i:i + 40000])
        said = subprocess.run([scan, *map(str, places)], input=text, capture_output=True, text=True)
        assert said.returncode == 0, said.stderr
        rows += [finding(*x.split("\t")) for x in said.stdout.splitlines()]
        last = rows.pop()
        assert last.place == "total", "the scan did not end"
    return rows, int(last.hits)


# -- the scanner finds what is there ---------------------------------------------------------------


def some(x, plain, form):
    return "".join(chr(b) if chr(b) in plain else form % b for b in x)


def encode(x):
    """The forms, written once more, and with Python's own functions where it has any."""
    shown = "".join(map(chr, range(32, 127))).translate({ord(c): None for c in "\"'\\"})
    out = {
        "raw": x, "reversed": x[::-1],
        "hex": x.hex(), "hex:": x.hex(":"), "hex ": x.hex(" "),
        "HEX": x.hex().upper(), "HEX:": x.hex(":").upper(), "HEX ": x.hex(" ").upper(),
        "0xhex, ": ", ".join(map("0x{:02x}".format, x)),
        "decimal, ": str(list(x)), "decimal,": ",".join(map(str, x)), "decimal ": " ".join(map(str, x)),
        "octal": "".join(map("\\{:03o}".format, x)),
        "\\x": "".join(map("\\x{:02x}".format, x)), "\\X": "".join(map("\\x{:02X}".format, x)),
        "\\x where needed": some(x, shown, "\\x%02x"),
        "%hex": "".join(map("%{:02x}".format, x)), "%HEX": "".join(map("%{:02X}".format, x)),
        "%HEX where needed": quote_from_bytes(x, safe=""),
        "\\u": "".join(map("\\u{:04x}".format, x)), "\\U": "".join(map("\\u{:04X}".format, x)),
        "utf-16 hex": x.hex().encode("utf-16-le"), "utf-16 HEX": x.hex().upper().encode("utf-16-le"),
    }
    out = list(out.items())
    for before in b"", b"x", b"xx":
        text = base64.b64encode(before + x)
        out += [("base64", text), ("base64url", base64.urlsafe_b64encode(before + x)),
                ("utf-16 base64", text.decode().encode("utf-16-le"))]
    return [(name, y if isinstance(y, bytes) else y.encode()) for name, y in out]


def telling():
    """A canary whose base64 has + and / in the middle, however it is aligned, and no part of which can
    be written without escapes."""
    while True:
        x = os.urandom(32)
        if all(max(x[i:i + 8]) > 126 for i in range(0, 32, 8)) and all(c in base64.b64encode(b"x" * n + x)[8:-8] for n in range(3) for c in b"+/"):
            return x


# Holds what it is given in memory, where "reg": 8 bytes in a register, in a call that waits for ever.
holder = """
import ctypes, mmap, platform, sys
how, size = sys.argv[1], int(sys.argv[2])
place = mmap.mmap(-1, max(size, 4096), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
if how == "dontdump":
    place.madvise(mmap.MADV_DONTDUMP)
sys.stdin.buffer.raw.readinto(memoryview(place)[:size])
if how == "register":
    number = int.from_bytes(place[:8], "little", signed=True)
    place[:size] = bytes(size)
    call = {"x86_64": 271, "aarch64": 73}[platform.machine()]  # ppoll: its sixth argument is not used.
    print("ready", flush=True)
    libc = ctypes.CDLL(None)
    libc.syscall(*map(ctypes.c_long, (call, 0, 0, 0, 0, 0, number)))
print("ready", flush=True)
sys.stdin.buffer.raw.read()
"""


def held(canary, how, content):
    process = subprocess.Popen([sys.executable, "-c", holder, how, str(len(content))],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    try:
        process.stdin.write(content)
        process.stdout.readline()
        end = time.monotonic() + 10
        while True:
            rows, _ = search([("canary", canary)], [process.pid])
            # Nothing tells that the call has begun but the register.
            if how != "register" or any("registers" in x.place for x in rows) or time.monotonic() > end:
                return rows
    finally:
        process.kill()
        process.wait()


def prove_scanner():
    canary = telling()
    planted = encode(canary)
    forms = subprocess.run([scan, "--encodings"], capture_output=True, text=True).stdout.splitlines()
    assert sorted(forms) == sorted({form for form, _ in planted}), "every form is planted"
    noise = os.urandom(3 << 20)
    log = open(f"{lab}/sites/co/log", "rb").read()
    folder = f"{work}/planted"
    os.makedirs(folder)
    files = {}
    for n, (form, text) in enumerate(planted):
        # Over the border of what is read at once, too.
        cut = (1 << 20) - len(text) // 2
        for name, content in ((f"file-{n}", noise[:cut] + text + noise[cut:]),
                              (f"log-{n}", log + b"x: " + text + b"\n")):
            files[f"{folder}/{name}"] = form
            with open(f"{folder}/{name}", "wb") as x:
                x.write(content)
    with open(f"{folder}/nothing", "wb") as x:
        x.write(noise + log)
    with open(f"{folder}/plain", "wb") as x:
        x.write(b"all of it letters")
    rows, _ = search([("plain", b"all of it letter")], [folder])
    assert [(x.form, x.parts) for x in rows] == [("raw", "2")], "bits are taken for an escaped form of themselves"
    rows, _ = search([("other", os.urandom(32)), ("canary", canary)], [folder])
    for path, form in files.items():
        there = [x for x in rows if x.place == path and x.form == form and x.name == "canary"]
        assert there and int(there[0].parts) == 4, f"{form} was not found in {path}"
    assert not [x for x in rows if x.place.endswith("/nothing")], "what is not there was found"
    assert not [x for x in rows if x.name != "canary"], "what is not there was found"
    shutil.rmtree(folder)

    for how, where in ("memory", " core "), ("dontdump", " dontdump "):
        rows = held(canary, how, b"..".join(text for _, text in planted))
        there = {x.form for x in rows if where in x.place and x.parts == "4"}
        assert there == set(forms), f"not found in {how}: {set(forms) - there}"
    rows = held(canary, "register", canary[:8])
    assert any(x.place.endswith(" core registers") and x.form == "raw" for x in rows), "not in a register"
    print(f"the scanner finds {len(forms)} forms in files, logs, memory and registers")


# -- deliveries ------------------------------------------------------------------------------------

topology = json.load(open(f"{lab}/topology.json"))
address = {x["name"]: x["key_server"]["etsi014"]["listen"] for x in topology["sites"]}
application = {x["site"]: x["name"] for x in topology["applications"]}
other = {"co": "dc1", "dc1": "co"}
outputs = f"{work}/outputs"  # What everybody may see.
os.makedirs(outputs)


class Client:
    """Keeps its connection. Headers, and bodies of errors, go to the outputs."""

    def __init__(self, site):
        context = ssl.create_default_context(cafile=f"{lab}/pki/ca.pem")
        context.load_cert_chain(f"{lab}/pki/{application[site]}.pem", f"{lab}/pki/{application[site]}.key")
        context.check_hostname = False
        self.path = f"/api/v1/keys/{application[other[site]]}/"
        self.connection = http.client.HTTPSConnection(address[site], context=context, timeout=10)
        self.answers = 0
        self.said = open(f"{outputs}/answers-of-{site}", "ab", buffering=0)

    def ask(self, method, path, body=None):
        text = None if body is None else json.dumps(body)
        self.connection.request(method, self.path + path, text, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        content = answer.read()
        self.answers += answer.status == 200
        self.said.write(str(answer.headers).encode() + (content if answer.status != 200 else b""))
        return answer.status, json.loads(content)


delivered = {}  # Bits by key id.


def patiently(client, method, path, body=None):
    for _ in range(1000):
        status, answer = client.ask(method, path, body)
        if status != 503:
            return status, answer
        time.sleep(0.01)
    raise AssertionError(answer, see("keys", "status"))


def deliver(master, slave, number, size, post):
    if post:
        status, drawn = patiently(master, "POST", "enc_keys", {"number": number, "size": size})
    else:
        status, drawn = patiently(master, "GET", f"enc_keys?number={number}&size={size}")
    assert status == 200, drawn
    ids = [x["key_ID"] for x in drawn["keys"]]
    if post:
        status, fetched = slave.ask("POST", "dec_keys", {"key_IDs": [{"key_ID": x} for x in ids]})
    else:
        status, fetched = slave.ask("GET", f"dec_keys?key_ID={ids[0]}")
    assert status == 200, fetched
    assert fetched == drawn, "both ends have the same keys"
    for x in drawn["keys"]:
        delivered[x["key_ID"]] = base64.b64decode(x["key"], validate=True)
    return ids


def fail(clients, ids):
    for client in clients:
        for method, path, body in (
            ("GET", f"dec_keys?key_ID={ids[0]}", None),
            ("POST", "dec_keys", {"key_IDs": [{"key_ID": x} for x in ids]}),
            ("POST", "dec_keys", {"key_IDs": [{"key_ID": "no id"}]}),
            ("GET", "enc_keys?number=0", None),
            ("POST", "enc_keys", {"number": 1, "size": 255}),
            ("POST", "enc_keys", ["no object"]),
            ("DELETE", "enc_keys", None),
            ("GET", "nothing", None),
        ):
            status, answer = client.ask(method, path, body)
            assert status >= 400, answer


def command(*words, may_fail=False):
    said = subprocess.run([qnfv, "--lab", lab, *words], capture_output=True, text=True)
    assert may_fail or said.returncode == 0, said.stderr
    return said


def see(*words, may_fail=False):
    said = command(*words, may_fail=may_fail)
    with open(f"{outputs}/commands", "a") as x:
        x.write(said.stdout + said.stderr)
    return said.stdout


def stock(client):
    return client.ask("GET", "status")[1]["stored_key_count"]


def wait_for_keys(clients):
    for client in clients:
        end = time.monotonic() + 30
        while stock(client) < 1000:
            assert time.monotonic() < end, see("keys", "status")
            time.sleep(0.05)


def make_deliveries(clients):
    co, dc1 = clients
    wait_for_keys(clients)
    sizes = itertools.cycle(range(136, 1032, 8))  # Bits: also keys that are a part of one, or several.
    while len(delivered) < wanted:
        for master, slave in (co, dc1), (dc1, co):
            if stock(master) < 1000:  # The other end's keys fill the pools.
                master, slave = slave, master
            ids = deliver(master, slave, 100, next(sizes), True)
            for n in range(20):
                ids += deliver(master, slave, 1, 256, n % 2 == 0)
            for size in 64, 1024, 4096:
                ids += deliver(master, slave, 1, size, size == 1024)
            fail(clients, ids[:100])
    fail_in_between(clients)
    with open(f"{work}/image", "wb") as x:
        x.write(os.urandom(3_000_000))
    see("image", "add", "firewall", f"{work}/image", "--kind", "disk")
    see("--json", "image", "push", "firewall", "dc1")
    # A key for people: where it is put is not searched.
    files = see("keys", "get", "mano-gw-1", "--as", "nfv-co", "--out", f"{work}/keys").split()
    for x in files:
        key = os.path.basename(x)[:-4]
        delivered[key] = open(x, "rb").read()
        fetched = json.loads(command("keys", "get", "nfv-co", "--as", "mano-gw-1", "--id", key).stdout)
        assert base64.b64decode(fetched["keys"][0]["key"]) == delivered[key]
        see("keys", "get", "nfv-co", "--as", "mano-gw-1", "--id", key, may_fail=True)


def fail_in_between(clients):
    """The master asks for what is held for its slave, who then fetches it all the same."""
    co, dc1 = clients
    status, drawn = patiently(co, "GET", "enc_keys?number=1")
    assert status == 200, drawn
    key = drawn["keys"][0]["key_ID"]
    assert co.ask("GET", f"dec_keys?key_ID={key}")[0] in (400, 401)
    assert dc1.ask("GET", f"dec_keys?key_ID={key}")[0] == 200
    delivered[key] = base64.b64decode(drawn["keys"][0]["key"])


# -- the search ------------------------------------------------------------------------------------


def emulated_keys():
    """All keys that the devices made, in the order of drivers/qkd_emulator: AES-256-CTR, zero IV, under
    HKDF-SHA256(seed; "bits LINK", allocator, session, first)."""
    seed = open(f"{lab}/emulator.seed", "rb").read()
    extracted = hmac.new(bytes(32), seed, hashlib.sha256).digest()
    pattern = re.compile(r"(\S+/\S+) session (\d+) keys (\d+)\+(\d+) READY")
    blocks = set()
    for site in sites:
        for name in os.listdir(f"{lab}/sites/{site}"):
            if name.startswith("trace"):
                text = open(f"{lab}/sites/{site}/{name}").read().replace('"', " ")
                blocks |= {(x, int(s), int(f), int(n)) for x, s, f, n in pattern.findall(text)}
    out = set()
    for link, session, first, count in sorted(blocks):
        for allocator in 0, 1:
            info = f"bits {link}".encode() + struct.pack(">BIQ", allocator, session, first)
            key = hmac.new(extracted, info + b"\1", hashlib.sha256).hexdigest()
            stream = subprocess.run(["openssl", "enc", "-aes-256-ctr", "-K", key, "-iv", "0" * 32],
                                    input=bytes(32 * count), capture_output=True, check=True).stdout
            out |= {stream[i:i + 32] for i in range(0, len(stream), 32)}
    return out


def pid_of(site):
    return int(open(f"{lab}/sites/{site}/pid").read())


def wait_until_idle():
    """All requests have been answered; what is assigned ahead, or taken back, comes to rest."""
    end = time.monotonic() + 30
    rest, times = None, 0
    while times < 5:
        status = json.loads(see("--json", "keys", "status"))
        now = [x[y] for site in status for x in site["pools"] for y in ("reserved", "assigned", "consumed")]
        rest, times = now, times + 1 if now == rest else 0
        assert time.monotonic() < end, status


def all_secrets():
    got = set(delivered.values())
    pieces = {x[i:i + 32] for x in got for i in range(0, len(x), 32)}
    emulated = emulated_keys()
    whole = {x for x in got if len(x) == 32}
    assert whole <= emulated, "what was delivered follows from the seed"
    secrets = [("delivered", x) for x in sorted(got)]
    secrets += [("pool", x) for x in sorted(emulated - pieces)]
    secrets += [("seal", open(f"{lab}/secrets/{x}.seal", "rb").read()) for x in sites]
    secrets += [("seed", open(f"{lab}/emulator.seed", "rb").read())]
    secrets += [("link", open(f"{lab}/secrets/bob1-alice1.secret", "rb").read()[12:])]
    return secrets


def files():
    exempt = [f"{lab}/emulator.seed"] + [f"{lab}/secrets/{x}" for x in os.listdir(f"{lab}/secrets")]
    assert all(os.stat(x).st_mode & 0o777 == 0o400 for x in exempt)
    all_files = [f"{folder}/{x}" for folder, _, names in os.walk(lab) for x in names]
    return [outputs, f"{work}/up.log"] + [x for x in all_files if x not in exempt]


def no_findings(rows, size, what):
    for x in rows:
        print("FOUND", *x)
    print(f"{what}, {size / 1e6:.0f} MB: {len(rows)} findings", flush=True)
    return len(rows)


def search_all(secrets, when):
    pids = [pid_of(x) for x in sites]
    rows, size = search(secrets, pids + files() + [f"/proc/{x}/{y}" for x in pids for y in ("cmdline", "environ")])
    bad = []
    live = collections.Counter()
    for x in rows:
        if x.form == "unread" and ("[vvar" in x.place or "[vsyscall]" in x.place):
            continue  # The kernel's clock and code.
        if " dontdump " in x.place and x.name in ("seal", "seed", "link") and x.form == "raw":
            live[x.place.split()[0], x.name] += int(x.parts)
        else:
            bad.append(x)
    found = no_findings(bad, size, f"{when}: files, answers, outputs and memory")
    # That they are found where they belong shows that the scan reads the right memory.
    for pid in map(str, pids):
        assert live[pid, "seed"] == 4 and live[pid, "seal"] == 4, f"live secrets were not found: {live}"
    return found


prove_scanner()
clients = [Client(x) for x in sites]
make_deliveries(clients)
for words in (("keys", "status"), ("links",), ("trace", "show", "--last"), ("trace", "show", "--last", "--all"),
              ("order", "list"), ("order", "show", "order-1"), ("vnf", "list"), ("image", "list"),
              ("lab", "status"), ("keys", "audit", "verify")):
    see(*words)
    see("--json", *words)
# As bytes: in trace files they are hexadecimal digits of what was on the wire.
capture = f"{outputs}/wire.pcapng"
see("trace", "export", "--all", "--from", f"{lab}/sites", "--format", "pcapng", "--out", capture)
shown = open(capture, "rb").read().count(b"HTTP/1.1 200")
assert shown >= sum(x.answers for x in clients) > 0, f"only {shown} answers are in the capture"
wait_until_idle()
secrets = all_secrets()
print(f"{len(delivered)} keys were delivered;", *map("{0[1]} {0[0]}".format, collections.Counter(
    name for name, _ in secrets).items()), "are searched for")
found = search_all(secrets, "clients still connected")
for x in clients:
    x.connection.close()
wait_until_idle()
found += search_all(secrets, "clients gone")
see("lab", "down")
found += no_findings(*search(secrets, files()), "sites ended: files, answers and outputs")
assert found == 0, f"{found} findings"
