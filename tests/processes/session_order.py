"""Each session of a link began after a CFLOW_MOD joined its ports and before another one parted them.

    session_order.py MESSAGES TRACE

MESSAGES: what tshark saw, a line per packet: time, its words, bytes. TRACE: the trace of Bob's site."""
import json
import sys

EGRESS = {"bob1/alice1": 25, "bob1/alice2": 26, "bob1/alice3": 27}  # four-site.json
CFLOW_MOD, ADD, DELETE_STRICT = 0xFF, 0, 4


def flow_mods(path):
    """(time, command, in, out) of each CFLOW_MOD of the fibre form; several may share a packet."""
    out = []
    for line in open(path):
        time, _, payload = line.rstrip("\n").split("\t")
        data = bytes.fromhex(payload.replace(":", ""))
        while len(data) >= 8:
            length = int.from_bytes(data[2:4], "big")
            if data[1] == CFLOW_MOD and length >= 28:
                word = lambda at: int.from_bytes(data[at : at + 2], "big")
                out.append((float(time), word(8), word(24), word(26)))
            data = data[max(length, 8) :]
    return sorted(out)


def sessions(path):
    """(time, link) of each session's start."""
    out = []
    for line in open(path):
        if '"msg":"link"' not in line or "-> initialising (start)" not in line:
            continue
        event = json.loads(line)
        out.append((event["t"] / 1e9, event["text"].split()[0]))
    return out


def main():
    mods, starts = flow_mods(sys.argv[1]), sessions(sys.argv[2])
    for time, link in starts:
        before = [m for m in mods if m[0] < time and m[2] == 1]
        if not before or before[-1][1] != ADD or before[-1][3] != EGRESS[link]:
            print(f"FAILED: a session of {link} began after {before[-1:]}")
            return 1
    print(f"{len(starts)} sessions, {len(mods)} CFLOW_MODs, each session after its own")
    return 0 if len(starts) >= 6 else 1


sys.exit(main())
