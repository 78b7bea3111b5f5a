"""kill -9 of key servers under load, for tests/processes/kill_keys.

key_crashes.py QNFV LAB ONE BOTH SEED

Kills one site's process ONE times, and both together BOTH times, while clients draw and fetch keys in
both directions; each kill comes after a random number of deliveries, also none: then it meets the start.
At the end, from what the clients got, the audit trails and the journals, which are read by their
documented format:

  - no key was delivered twice at one end, and both ends got the same bits;
  - every delivery is in the audit trail of its site, once;
  - every key that was ever READY is still there, or its end is in the audit trail;
  - both journals hold the same unused keys.
"""
import base64, collections, hashlib, http.client, json, os, random, re, signal, ssl, struct, subprocess
import sys, threading, time, uuid

qnfv, lab, one, both, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
random.seed(seed)
topology = json.load(open(f"{lab}/topology.json"))
address = {x["name"]: x["key_server"]["etsi014"]["listen"] for x in topology["sites"]}
application = {x["site"]: x["name"] for x in topology["applications"]}
sites = ["co", "dc1"]
other = {"co": "dc1", "dc1": "co"}
delivered = []  # (site, key id, digest of the bits)
progress = threading.Condition()
stop = threading.Event()


class Client:
    """Keeps a connection and makes a new one when it breaks."""

    def __init__(self, site):
        self.site = site
        self.context = ssl.create_default_context(cafile=f"{lab}/pki/ca.pem")
        name = f"{lab}/pki/{application[site]}"
        self.context.load_cert_chain(f"{name}.pem", f"{name}.key")
        self.context.check_hostname = False
        self.connection = None

    def ask(self, path):
        try:
            if not self.connection:
                self.connection = http.client.HTTPSConnection(address[self.site], context=self.context,
                                                              timeout=10)
            self.connection.request("GET", f"/api/v1/keys/{application[other[self.site]]}/{path}")
            answer = self.connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            if self.connection:
                self.connection.close()
            self.connection = None
            return 0, None


def load(site):
    master, slave = Client(site), Client(other[site])
    while not stop.is_set():
        status, drawn = master.ask("enc_keys")
        if status != 200:
            stop.wait(0.02)
            continue
        take(site, drawn)
        key = drawn["keys"][0]["key_ID"]
        for _ in range(100):
            status, fetched = slave.ask(f"dec_keys?key_ID={key}")
            if status in (200, 400, 401) or stop.is_set():
                break
            stop.wait(0.02)
        if status == 200:
            take(other[site], fetched)


def take(site, container):
    key = container["keys"][0]
    bits = hashlib.sha256(base64.b64decode(key["key"])).hexdigest()
    with progress:
        delivered.append((site, key["key_ID"], bits))
        progress.notify_all()


def pid_of(site):
    return int(open(f"{lab}/sites/{site}/pid").read())


command = {x: open(f"/proc/{pid_of(x)}/cmdline").read().split("\0")[:-1] for x in sites}
running = {}


def start(site):
    command[site][0] = qnfv
    log = open(f"{lab}/sites/{site}/log", "a")
    running[site] = subprocess.Popen(command[site], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     start_new_session=True)


def kill(site):
    if site in running:
        running[site].kill()
        running[site].wait()
    else:
        pid = pid_of(site)
        os.kill(pid, signal.SIGKILL)
        while os.path.exists(f"/proc/{pid}"):
            time.sleep(0.001)


def deliveries_pass(n):
    """Waits for `n` more deliveries, or a while if the other site cannot serve any."""
    with progress:
        goal = len(delivered) + n
        progress.wait_for(lambda: len(delivered) >= goal, timeout=5)


def slots(site):
    """The live keys of a journal, by its documented format."""
    raw = open(f"{lab}/sites/{site}/state/keys/bob1-alice1.journal", "rb").read()
    live = {}
    for at in range(4096, len(raw), 128):
        if raw[at:at + 4] == b"QKS1" and raw[at + 8] in (1, 2, 3, 4, 5):
            live[str(uuid.UUID(bytes=raw[at + 16:at + 32]))] = raw[at + 8]
    return live


def audit(site):
    ends, twice = {}, []
    folder = f"{lab}/sites/{site}/state/audit"
    for name in sorted(os.listdir(folder)):
        for line in open(f"{folder}/{name}", "rb").read().split(b"\0")[0].splitlines():
            x = json.loads(line)
            if x["event"] in ("delivered", "destroyed", "spent") and x["key"]:
                if x["key"] in ends:
                    twice.append(x["key"])
                ends[x["key"]] = x["event"]
    return ends, twice


def ready_keys():
    """Every key that Bob's end announced as READY after it was durable."""
    out = set()
    link = hashlib.sha256(b"bob1/alice1").digest()[:4]
    folder = f"{lab}/sites/co"
    pattern = re.compile(r"bob1/alice1 session (\d+) keys (\d+)\+(\d+) READY")
    for name in os.listdir(folder):
        if not name.startswith("trace"):
            continue
        for line in open(f"{folder}/{name}", errors="replace"):
            for session, first, count in pattern.findall(line):
                for n in range(int(first), int(first) + int(count)):
                    raw = link + struct.pack(">I", int(session)) + struct.pack(">Q", n)
                    out.add(raw[:8] + raw[9:])  # Without the allocator, which the note does not say.
    return out


def without_allocator(key):
    raw = uuid.UUID(key).bytes
    return raw[:8] + raw[9:]


threads = [threading.Thread(target=load, args=(x,), daemon=True) for x in sites for _ in range(2)]
for x in threads:
    x.start()
deliveries_pass(20)
kinds = ["one"] * one + ["both"] * both
random.shuffle(kinds)
began = time.monotonic()
for n, kind in enumerate(kinds):
    victims = sites if kind == "both" else [random.choice(sites)]
    for site in victims:
        kill(site)
    for site in random.sample(victims, len(victims)):
        start(site)
    deliveries_pass(random.choice([0, 1, 1, 2, 5, 20]))
    if (n + 1) % 100 == 0:
        print(f"{n + 1} kills, {len(delivered)} deliveries", flush=True)
deliveries_pass(50)
stop.set()
for x in threads:
    x.join()
# Everybody joins, compares and comes to rest; then both stores are closed in order.
end = time.monotonic() + 60
rest = None  # What the pools hold, and since when.
while True:
    said = subprocess.run([qnfv, "--lab", lab, "--json", "keys", "status"], capture_output=True, text=True)
    pools = [x["pools"][0] for x in json.loads(said.stdout)] if said.returncode == 0 else []
    at_rest = len(pools) == 2 and all(x["stored"] == 0 and x["reserved"] == 0 and not x["trouble"]
                                      for x in pools) and pools[0]["ready"] == pools[1]["ready"]
    at_rest = at_rest and len({x["kept"] for x in pools}) == 1
    held = [(x["ready"], x["assigned"]) for x in pools]
    if not at_rest or not rest or rest[0] != held:
        rest = (held, time.monotonic())
    elif time.monotonic() > rest[1] + 3:  # Reconciled three times.
        break
    assert time.monotonic() < end, f"the pools do not come to rest: {pools}"
    time.sleep(0.2)
for site in sites:
    running[site].terminate() if site in running else os.kill(pid_of(site), signal.SIGTERM)
for site in sites:
    if site in running:
        running[site].wait()
    while subprocess.run(["flock", "-n", f"{lab}/sites/{site}/pid", "true"]).returncode != 0:
        time.sleep(0.01)

counts = collections.Counter((site, key) for site, key, _ in delivered)
assert max(counts.values()) == 1, "a key was delivered twice at one end"
bits = {}
for site, key, digest in delivered:
    assert bits.setdefault(key, digest) == digest, f"{key}: the ends got different bits"
live = {x: slots(x) for x in sites}
ends = {}
for site in sites:
    ends[site], twice = audit(site)
    assert not twice, f"{site}: ended twice: {twice[:3]}"
    for where, key, _ in delivered:
        assert where != site or ends[site].get(key) == "delivered", f"{site}: {key} is in no audit record"
    both_states = set(live[site]) & set(ends[site])
    assert not both_states, f"{site}: live although ended: {list(both_states)[:3]}"
ready = ready_keys()
for site in sites:
    there = {without_allocator(x) for x in list(live[site]) + list(ends[site])}
    lost = ready - there
    assert not lost, f"{site}: {len(lost)} READY keys are gone without an audit record"
unused = {x: {key for key, state in live[x].items() if state in (2, 3)} for x in sites}
assert unused["co"] == unused["dc1"], "the pools differ"
for site in sites:
    for key, state in live[site].items():
        assert state != 5 or ends[other[site]].get(key) == "delivered", f"{key} is held for nobody"
in_flight = sum(1 for x in ends["co"].values() if x == "destroyed")
print(f"{one} kills of one, {both} of both in {time.monotonic() - began:.0f} s: {len(delivered)} deliveries, "
      f"{len(ready)} keys were READY, {len(unused['co'])} are left, {in_flight} destroyed with an audit "
      f"record, 0 lost, 0 delivered twice, pools equal")
