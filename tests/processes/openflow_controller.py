"""An OpenFlow controller that has nothing of ours: os-ken. It drives one emulated switch.

os-ken knows OpenFlow 1.0 but not the circuit switch addendum, so the CFLOW_MODs are given to it as
bytes; connection, handshake, echoes, errors and barriers are its own. Prints what it checked, one a
line, and "all is well" at the end; the script `openflow` starts it with osken-manager.
"""
import os
import struct
import time
import traceback

from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib import hub
from os_ken.ofproto import ofproto_v1_0

# os-ken's handler of errors asks OpenFlow 1.0 for what only later versions have, and dies.
for name, value in (("OFPET_EXPERIMENTER", None),
                    ("ofp_error_type_to_str", str),
                    ("ofp_error_code_to_str", lambda kind, code: str(code))):
    if not hasattr(ofproto_v1_0, name):
        setattr(ofproto_v1_0, name, value)

SIZE = 24
SETTLE_S = int(os.environ["SETTLE_MS"]) / 1000
ADD, MODIFY, DELETE, DELETE_STRICT = 0, 1, 3, 4
OVERLAP, MISMATCH = (0xFFFF, 1), (0xFFFF, 2)
BAD_TYPE, BAD_LENGTH = (1, 1), (1, 6)
WAIT_S = 20


def cflow_mod(xid, command, ins, outs, pad=b"", wildcards=0x3C):
    ports = struct.pack("!%dH" % len(ins), *ins) + pad + struct.pack("!%dH" % len(outs), *outs) + pad
    head = struct.pack("!HH4xHH4x", command, 0, wildcards, len(ins))
    return struct.pack("!BBHI", 1, 0xFF, 24 + len(ports), xid) + head + ports


class Controller(app_manager.OSKenApp):
    OFP_VERSIONS = [ofproto_v1_0.OFP_VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.features = hub.Queue()
        self.barriers = hub.Queue()
        self.errors = []
        self.xid = 0x0A000000

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, [CONFIG_DISPATCHER, MAIN_DISPATCHER])
    def on_features(self, ev):
        self.features.put(bytes(ev.msg.buf))
        if ev.msg.datapath.state != MAIN_DISPATCHER or not hasattr(self, "worker"):
            self.worker = hub.spawn(self.work, ev.msg.datapath)

    @set_ev_cls(ofp_event.EventOFPBarrierReply, MAIN_DISPATCHER)
    def on_barrier(self, ev):
        self.barriers.put(ev.msg.xid)

    @set_ev_cls(ofp_event.EventOFPErrorMsg, [CONFIG_DISPATCHER, MAIN_DISPATCHER])
    def on_error(self, ev):
        self.errors.append((ev.msg.xid, (ev.msg.type, ev.msg.code), bytes(ev.msg.data)))

    def check(self, text, condition):
        print(("checked: " if condition else "FAILED: ") + text, flush=True)
        if not condition:
            os._exit(1)

    def order(self, message):
        """Sends it and a barrier; returns the errors and how long the barrier took."""
        self.errors.clear()
        begun = time.monotonic()
        self.datapath.send(message)
        barrier = self.datapath.ofproto_parser.OFPBarrierRequest(self.datapath)
        self.datapath.send_msg(barrier)
        self.check("the barrier is answered", self.barriers.get(timeout=WAIT_S) == barrier.xid)
        return list(self.errors), time.monotonic() - begun

    def next_xid(self):
        self.xid += 1
        return self.xid

    def circuits(self):
        """What the switch says is joined: its ports name each other."""
        self.datapath.send_msg(self.datapath.ofproto_parser.OFPFeaturesRequest(self.datapath))
        return self.read(self.features.get(timeout=WAIT_S))

    def read(self, reply):
        count = reply[21]
        self.check("%d circuit ports fill the reply" % count, len(reply) == 32 + 80 * count)
        joined = {}
        for i in range(count):
            port = reply[32 + 80 * i:][:80]
            number, = struct.unpack_from("!H", port, 0)
            peer, = struct.unpack_from("!H", port, 54)
            self.check_port(i + 1, number, port)
            if peer and number <= SIZE:
                joined[number] = peer
        return joined

    def check_port(self, expected, number, port):
        name = port[8:24].rstrip(b"\0").decode()
        fibre, = struct.unpack_from("!H", port, 52)
        right = ("in%d" if number <= SIZE else "out%d") % number
        if number != expected or name != right or fibre != 0x8000:
            self.check("port %d is %s: %s" % (expected, right, name), False)

    def refused(self, what, message, error):
        errors, _ = self.order(message)
        self.check("%s is refused with %04x/%d" % (what, error[0], error[1]),
                   len(errors) == 1 and errors[0][1] == error)
        xid, = struct.unpack_from("!I", message, 4)
        self.check("with the bytes that were wrong",
                   errors[0][0] == xid and errors[0][2] == message[:64])

    def work(self, datapath):
        try:
            self.datapath = datapath
            while datapath.state != MAIN_DISPATCHER:
                hub.sleep(0.01)
            self.drive()
            print("all is well", flush=True)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    def drive(self):
        first = self.features.get(timeout=WAIT_S)
        self.check("datapath 00:00:00:00:00:00:05:1e", self.datapath.id == 0x51E)
        self.check("it is %dx%d" % (SIZE, SIZE), first[21] == 2 * SIZE)
        self.check("nothing is joined", self.read(first) == {})

        errors, took = self.order(cflow_mod(self.next_xid(), ADD, [1], [25]))
        self.check("1->25 is joined", not errors and self.circuits() == {1: 25})
        self.check("after the mirrors have settled", took >= SETTLE_S)
        errors, took = self.order(cflow_mod(self.next_xid(), ADD, [1], [25]))
        self.check("repeating it changes nothing", not errors and self.circuits() == {1: 25})

        self.refused("an ingress port that leads elsewhere",
                     cflow_mod(self.next_xid(), ADD, [1], [26]), OVERLAP)
        self.refused("an egress port that is taken",
                     cflow_mod(self.next_xid(), ADD, [2], [25]), OVERLAP)
        self.refused("one of two that overlaps",
                     cflow_mod(self.next_xid(), ADD, [2, 3], [26, 25]), OVERLAP)
        self.refused("a port that is none", cflow_mod(self.next_xid(), ADD, [2], [99]), MISMATCH)
        self.refused("no component", cflow_mod(self.next_xid(), ADD, [], []), MISMATCH)
        self.refused("a circuit in time slots",
                     cflow_mod(self.next_xid(), ADD, [2, 0, 0, 0], [26, 0, 0, 0], b"", 0x33)[:18]
                     + struct.pack("!H4xHHIHHI", 1, 2, 0, 0, 26, 0, 0), MISMATCH)
        self.refused("a message that is too short",
                     struct.pack("!BBHI", 1, 0xFF, 20, self.next_xid()) + bytes(12), BAD_LENGTH)
        self.refused("an unknown type", struct.pack("!BBHI", 1, 0x4D, 8, self.next_xid()), BAD_TYPE)
        self.check("none of that changed anything", self.circuits() == {1: 25})

        errors, _ = self.order(cflow_mod(self.next_xid(), ADD, [2, 3], [26, 27]))
        self.check("two at once", not errors and self.circuits() == {1: 25, 2: 26, 3: 27})
        errors, _ = self.order(cflow_mod(self.next_xid(), ADD, [4], [28], bytes(6)))
        self.check("with padded arrays", not errors and self.circuits()[4] == 28)
        errors, _ = self.order(cflow_mod(self.next_xid(), MODIFY, [4], [29]))
        self.check("a circuit is turned to another port", not errors and self.circuits()[4] == 29)
        errors, _ = self.order(cflow_mod(self.next_xid(), DELETE_STRICT, [1], [25]))
        self.check("1->25 is parted", not errors and self.circuits() == {2: 26, 3: 27, 4: 29})
        errors, _ = self.order(cflow_mod(self.next_xid(), DELETE, [2, 3, 4], [26, 27, 29]))
        self.check("nothing is joined", not errors and self.circuits() == {})
