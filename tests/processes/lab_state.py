"""What a lab's own answers (--json) say, for process tests. Exit status 0: yes.

    lab_state.py whole STATUS SITES            every site answers and has joined its neighbours
    lab_state.py down SITE STATUS              everybody else who answers says that SITE is down
    lab_state.py settled ORDERS COUNT          COUNT orders, each running or failed with a reason
    lab_state.py agree ORDERS VNFS             a function per running order, and no other
    lab_state.py pools KEYS                    both ends of each link hold the same number of keys
    lab_state.py event TRACE LINES MSG TEXT    ns of the first such note after so many lines
"""
import json
import sys


def load(path):
    with open(path) as file:
        return json.load(file)


def whole(status, sites):
    lab = load(status)
    return len(lab["sites"]) == int(sites) and all(
        peer["up"] for site in lab["sites"] for peer in site["peers"])


def down(name, status):
    seen = [peer["up"] for site in load(status)["sites"] if site["site"] != name
            for peer in site["peers"] if peer["site"] == name]
    return seen and not any(seen)


def settled(orders, count):
    all_orders = load(orders)
    return len(all_orders) == int(count) == len({x["order"] for x in all_orders}) and all(
        x["state"] == "running" or x["state"] == "failed" and x["reason"] for x in all_orders)


def agree(orders, vnfs):
    ordered = sorted(x["vnf"] for x in load(orders) if x["state"] == "running")
    run = sorted(x["vnf"] for x in load(vnfs))
    return ordered == run and len(set(run)) == len(run)


def pools(keys):
    ready = {}
    for site in load(keys):
        for pool in site["pools"]:
            ready.setdefault(pool["link"], []).append((pool["ready"], pool["mismatches"]))
    return all(len(ends) == 2 and ends[0][0] == ends[1][0] for ends in ready.values()) and ready


def event(trace, lines, msg, text):
    with open(trace) as file:
        for number, line in enumerate(file):
            if number < int(lines) or f'"msg":"{msg}"' not in line:
                continue
            x = json.loads(line)
            if x["text"].startswith(text):
                print(x["t"])
                return True
    return False


if __name__ == "__main__":
    try:
        sys.exit(0 if globals()[sys.argv[1]](*sys.argv[2:]) else 1)
    except (json.JSONDecodeError, OSError):
        sys.exit(1)
