#include "runtime/deployment/gateway.hpp"
#include "runtime/deployment/handover.hpp"
#include "runtime/deployment/node_id.hpp"
#include "runtime/deployment/vet.hpp"
#include "runtime/messages/admin.hpp"

#include <catch2/catch.hpp>

#include <caf/binary_serializer.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <random>
#include <thread>

using namespace qnfv;
using namespace std::chrono_literals;

namespace {

struct config : caf::actor_system_config {
  explicit config(const std::string& site) {
    register_wire(*this);
    configure_network(*this, site_id{site});
  }
};

/// Both directions of one conversation, as CAF wrote them.
struct session {
  bytes from_client, from_server;
  node_bytes client{}, server{};
};

/// Copies both ways between two sockets until both ended, and keeps what went through.
void relay(int a, int b, bytes& from_a, bytes& from_b) {
  pollfd ends[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
  bytes* logs[2] = {&from_a, &from_b};
  for (int open = 2; open > 0;) {
    ::poll(ends, 2, -1);
    for (int i = 0; i < 2; ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0)
        continue;
      uint8_t buffer[4096];
      auto n = ::read(ends[i].fd, buffer, sizeof buffer);
      int to = i == 0 ? b : a;
      if (n <= 0) {
        ::shutdown(to, SHUT_WR);
        ends[i].fd = -1;
        --open;
        continue;
      }
      logs[i]->insert(logs[i]->end(), buffer, buffer + n);
      for (ssize_t at = 0; at < n;) {
        auto k = ::send(to, buffer + at, static_cast<size_t>(n - at), MSG_NOSIGNAL);
        if (k <= 0)
          break;
        at += k;
      }
    }
  }
}

caf::behavior answering(caf::event_based_actor* self) {
  self->set_default_handler(caf::drop);
  return {
      [](const site_status_query&) {
        site_status out;
        out.site = site_id{"dc1"};
        return out;
      },
      [](const shutdown_site&) -> caf::result<accepted> { return fail(ec::not_allowed, "no"); }};
}

/// A dialogue of "co" (client) with "dc1": a question, an error, a monitor, an end.
session capture() {
  session out;
  config c1{"co"}, c2{"dc1"};
  caf::actor_system client{c1}, server{c2};
  out.client = bytes_of(client.node());
  out.server = bytes_of(server.node());
  int a[2], b[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, a) == 0);
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, b) == 0);
  std::thread wire{[&] { relay(a[1], b[1], out.from_client, out.from_server); }};
  handover to_client{client}, to_server{server};
  auto root = server.spawn(answering);
  to_server.serve(b[0], caf::actor_cast<caf::strong_actor_ptr>(root));
  std::promise<result<caf::strong_actor_ptr>> promise;
  to_client.connect(a[0], 5s, [&](auto x) { promise.set_value(std::move(x)); });
  auto far = promise.get_future().get();
  REQUIRE(far);
  {
    caf::scoped_actor self{client};
    auto peer = caf::actor_cast<caf::actor>(*far);
    bool answered = false;
    self->request(peer, 5s, site_status_query{})
        .receive([&](const site_status&) { answered = true; }, [](caf::error&) {});
    CHECK(answered);
    self->request(peer, 5s, shutdown_site{})
        .receive([](const accepted&) {}, [&](caf::error& x) { CHECK(x == ec::not_allowed); });
    self->monitor(peer);
    caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
    self->receive([](const caf::down_msg&) {});
  }
  ::shutdown(a[1], SHUT_WR);
  ::shutdown(b[1], SHUT_WR);
  to_client.stop();
  to_server.stop();
  wire.join();
  ::close(a[1]);
  ::close(b[1]);
  return out;
}

const session& real() {
  static const session x = capture();
  return x;
}

frame_vetter server_side(std::string peer = "co", uint32_t limit = 1u << 20) {
  return frame_vetter{{std::move(peer), false, real().server, limit}};
}

frame_vetter client_side() {
  return frame_vetter{{"dc1", true, real().client, 1u << 20}};
}

std::vector<bytes> frames_of(const bytes& in) {
  std::vector<bytes> out;
  for (size_t at = 0; at + 32 <= in.size();) {
    auto size = 32 + load_be32(in.data() + at + 4);
    out.emplace_back(in.begin() + static_cast<long>(at), in.begin() + static_cast<long>(at + size));
    at += size;
  }
  return out;
}

bytes frame(uint8_t operation, const bytes& payload, uint8_t flags = 0) {
  bytes out(32, 0);
  out[0] = operation;
  out[3] = flags;
  store_be32(out.data() + 4, static_cast<uint32_t>(payload.size()));
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

bytes operator+(bytes a, const bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

bytes of(const node_bytes& x) {
  return {x.begin(), x.end()};
}

/// A message with the given type names and nothing in it.
bytes message(const std::string& names) {
  bytes payload{0, 0, 0, static_cast<uint8_t>(names.size())};
  payload.insert(payload.end(), names.begin(), names.end());
  return frame(2, payload);
}

/// True if an introduced client of the server may send `x`.
bool passes(const bytes& x, bool& dropped) {
  auto v = server_side();
  bytes out;
  REQUIRE(v.feed(frame(1, of(real().client)), out));
  out.clear();
  auto ok = v.feed(x, out);
  dropped = v.dropped() > 0;
  return static_cast<bool>(ok) && out == x;
}

bool refused(const bytes& x) {
  bool dropped = false;
  return !passes(x, dropped) && !dropped;
}

} // namespace

TEST_CASE("node ids are read as CAF writes them, and carry the site's name") {
  config c{"dc1"};
  caf::actor_system system{c};
  std::vector<char> written;
  caf::binary_serializer sink{system, written};
  auto node = system.node();
  REQUIRE_FALSE(sink(node));
  CHECK(bytes(written.begin(), written.end()) == of(bytes_of(node)));
  CHECK(std::string(written.begin() + 12, written.begin() + 15) == "dc1");
  caf::actor_system again{c};
  CHECK(again.node() != system.node());
}

TEST_CASE("a real session passes but for messages to actors by name") {
  auto piece = GENERATE(size_t{1}, size_t{7}, size_t{31}, size_t{100000});
  auto check = [&](const bytes& sent, frame_vetter v, const node_bytes& who) {
    bytes out;
    for (size_t at = 0; at < sent.size(); at += piece)
      REQUIRE(v.feed(byte_view{sent}.part(at, piece), out));
    CHECK(v.introduced());
    CHECK(v.peer_node() == who);
    bytes expected;
    uint64_t dropped = 0;
    for (auto& x : frames_of(sent))
      // 45 and 107 bytes: "who are you" to the spawn server and its answer, see
      // caf::io::basp_broker.
      if (x[0] == 2 && (x[3] == 1 || x.size() == 32 + 107))
        ++dropped;
      else
        expected = expected + x;
    CHECK(dropped > 0);
    CHECK(v.dropped() == dropped);
    CHECK(out == expected);
  };
  check(real().from_client, server_side(), real().client);
  check(real().from_server, client_side(), real().server);
}

TEST_CASE("headers that crash or bloat CAF are refused before their payload comes") {
  auto introduced = frame(1, of(real().client));
  auto header = [](uint8_t operation, uint32_t size) {
    bytes out(32, 0);
    out[0] = operation;
    store_be32(out.data() + 4, size);
    return out;
  };
  for (uint8_t operation : {0, 1, 2, 3, 4, 5, 7, 8, 255})
    for (uint32_t size : {0u, (1u << 20) + 1, 0xffffffffu}) {
      CAPTURE(int{operation}, size);
      CHECK(refused(header(operation, size)));
    }
  CHECK(refused(header(6, 1))); // A heartbeat carries nothing.
  CHECK(refused(frame(3, bytes(64, 0))));
  CHECK(refused(frame(0, of(real().client))));
  bool dropped = false;
  CHECK(passes(frame(6, {}), dropped));
}

TEST_CASE("nothing comes before the handshake") {
  for (auto& x : frames_of(real().from_client)) {
    if (x[0] == 1)
      continue;
    auto v = server_side();
    bytes out;
    CHECK_FALSE(v.feed(x, out));
    CHECK(out.empty());
  }
  auto v = server_side();
  bytes out;
  CHECK_FALSE(v.feed(frame(6, {}), out));
}

TEST_CASE("a handshake must carry the name that the certificate proved") {
  auto tried = [](frame_vetter v, const bytes& payload) {
    bytes out;
    auto ok = v.feed(frame(1, payload), out);
    CHECK(out.empty() == !ok);
    return static_cast<bool>(ok);
  };
  auto node = of(real().client);
  CHECK(tried(server_side(), node));
  CHECK_FALSE(tried(server_side("dc2"), node));
  CHECK_FALSE(tried(server_side("c"), node));
  CHECK_FALSE(tried(server_side("co1"), node));
  CHECK_FALSE(tried(server_side(), bytes(node.begin(), node.end() - 1)));
  CHECK_FALSE(tried(server_side(), bytes(8, 0)));
  auto other_kind = node;
  other_kind[7] ^= 1;
  CHECK_FALSE(tried(server_side(), other_kind));
  auto tail = node;
  tail.back() = 'x';
  CHECK_FALSE(tried(server_side(), tail));
}

TEST_CASE("CAF greets twice; a third greeting or another node id is refused") {
  auto hello = frame(1, of(real().client));
  auto v = server_side();
  bytes out;
  CHECK(v.feed(hello, out));
  CHECK(v.feed(hello, out));
  CHECK_FALSE(v.feed(hello, out));
  CHECK(refused(frame(1, of(make_node_bytes(77, "co")))));
}

TEST_CASE("a peer may not watch or end actors in the name of a third node") {
  auto me = of(real().client), you = of(real().server), third = of(make_node_bytes(5, "dc2"));
  bool dropped = false;
  for (uint8_t operation : {4, 5}) {
    CAPTURE(int{operation});
    CHECK(passes(frame(operation, me + you), dropped));
    CHECK(refused(frame(operation, third + you)));
    CHECK(refused(frame(operation, me + third)));
    CHECK(refused(frame(operation, me)));
  }
  CHECK(refused(frame(4, me + you + bytes(1, 0))));
}

TEST_CASE("messages with CAF's own types do not get in, those with ours and errors do") {
  bool dropped = false;
  for (auto* names :
       {"@<>+qnfv::join+qnfv::trace_context", "@<>+qnfv::heartbeat", "@<>+@error", "@<>"}) {
    CAPTURE(names);
    CHECK(passes(message(names), dropped));
  }
  for (auto* names : {"@<>+@exit", "@<>+@down", "@<>+@atom+@str", "@<>+qnfv::join+@exit", "@exit",
                      "@<>qnfv::join", "@<>+", "", "@<>+qnfv"}) {
    CAPTURE(names);
    CHECK_FALSE(passes(message(names), dropped));
    CHECK(dropped);
  }
  auto by_name = message("@<>+qnfv::join");
  by_name[3] = 1;
  CHECK_FALSE(passes(by_name, dropped));
  CHECK(dropped);
  auto forwarding = message("@<>+qnfv::join");
  forwarding[32] = 1;
  CHECK_FALSE(passes(forwarding, dropped));
  CHECK(dropped);
}

TEST_CASE("whatever is done to a session, only whole and lawful frames get through") {
  std::mt19937_64 random{7};
  auto pick = [&](size_t n) { return n == 0 ? 0 : random() % n; };
  uint64_t let_through = 0;
  for (int round = 0; round < 20000; ++round) {
    bool as_server = round % 2 == 0;
    auto frames = frames_of(as_server ? real().from_client : real().from_server);
    for (auto n = 1 + pick(3); n > 0; --n) {
      auto& x = frames[pick(frames.size())];
      auto at = [&] { return x.begin() + static_cast<std::ptrdiff_t>(pick(x.size())); };
      switch (pick(6)) {
      case 0:
        x[pick(std::min<size_t>(x.size(), 64))] ^= static_cast<uint8_t>(1 + pick(255));
        break;
      case 1:
        *at() = static_cast<uint8_t>(random());
        break;
      case 2:
        x.resize(1 + pick(x.size()));
        break;
      case 3:
        x.insert(at(), 1 + pick(40), 0xff);
        break;
      case 4:
        std::swap(x, frames[pick(frames.size())]);
        break;
      default:
        if (x.size() >= 8)
          store_be32(x.data() + 4, static_cast<uint32_t>(random()));
      }
    }
    bytes sent;
    for (auto& x : frames)
      sent = sent + x;
    auto v = as_server ? server_side("co", 4096) : client_side();
    bytes out;
    bool ok = true;
    for (size_t at = 0; ok && at < sent.size();) {
      auto n = 1 + pick(200);
      ok = static_cast<bool>(v.feed(byte_view{sent}.part(at, n), out));
      at += n;
    }
    auto passed = frames_of(out);
    let_through += passed.size();
    size_t total = 0;
    auto& peer = as_server ? real().client : real().server;
    auto& own = as_server ? real().server : real().client;
    for (auto& x : passed) {
      total += x.size();
      bool first = &x == &passed.front();
      bool lawful = x[0] <= 6 && x[0] != 3 && (x.size() == 32) == (x[0] == 6)
                    && (!first || x[0] == (as_server ? 1 : 0));
      // Only the process number is the peer's to choose.
      if (lawful && x[0] <= 1)
        lawful = std::equal(x.begin() + 44, x.begin() + 64, peer.begin() + 12);
      if (lawful && (x[0] == 4 || x[0] == 5))
        lawful = of(v.peer_node()) + of(own) == bytes(x.begin() + 32, x.begin() + 96);
      if (!lawful)
        FAIL("round " << round << " let through " << to_hex(x));
    }
    REQUIRE(total == out.size());
    REQUIRE(passed.size() == v.passed());
  }
  CHECK(let_through > 20000);
}
