#include "tests/support/gateway_lab.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>

#include <ctime>

using namespace qnfv;
using namespace qnfv::test;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// A peer that speaks TLS as it should and then whatever a test wants.
struct raw_peer {
  explicit raw_peer(uint16_t port, const std::optional<tls_files>& files = {}) {
    if (files) {
      auto made = make_tls_context(*files);
      REQUIRE(made);
      context = *made;
    } else {
      context = std::make_shared<asio::ssl::context>(asio::ssl::context::tlsv13_client);
    }
    stream = std::make_unique<asio::ssl::stream<tcp::socket>>(io, *context);
    stream->next_layer().connect({asio::ip::address_v4::loopback(), port});
  }

  bool shake() {
    boost::system::error_code error;
    stream->handshake(asio::ssl::stream_base::client, error);
    return !error;
  }

  void send(const bytes& x) {
    boost::system::error_code ignored; // The other end may have closed already.
    asio::write(*stream, asio::buffer(x), ignored);
  }

  /// Reads until the other end closes; false if it does not in time.
  bool closed() {
    bool out = false;
    std::vector<char> buffer(4096);
    std::function<void()> read = [&] {
      stream->async_read_some(asio::buffer(buffer), [&](boost::system::error_code error, size_t) {
        out = static_cast<bool>(error);
        if (!error)
          read();
      });
    };
    read();
    io.restart();
    io.run_for(patience);
    return out;
  }

  asio::io_context io;
  std::shared_ptr<asio::ssl::context> context;
  std::unique_ptr<asio::ssl::stream<tcp::socket>> stream;
};

bytes frame(uint8_t operation, const bytes& payload = {}) {
  bytes out(32, 0);
  out[0] = operation;
  store_be32(out.data() + 4, static_cast<uint32_t>(payload.size()));
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

bytes hello_of(const std::string& site) {
  auto node = make_node_bytes(4711, site);
  return frame(1, {node.begin(), node.end()});
}

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

} // namespace

TEST_CASE_METHOD(gateway_lab, "strangers are refused before any actor gets a message") {
  node site{settings("dc1", {co})};
  auto refused = [&](raw_peer& peer, const std::string& part) {
    CHECK(peer.closed());
    CHECK(site.log.await(part) != "");
    CHECK(site.state.messages == 0);
    CHECK(site.net->counters().admitted == 0);
    CHECK(site.net->counters().refused == 1);
  };
  SECTION("a certificate of another authority") {
    test::temporary_folder other;
    REQUIRE(pki_init(other.path()));
    REQUIRE(pki_issue(other.path(), "co"));
    tls_files rogue{other / "ca.pem", other / "co.pem", other / "co.key"};
    raw_peer peer{site.net->port(), rogue};
    peer.stream->set_verify_mode(asio::ssl::verify_none);
    peer.shake();
    peer.send(hello_of("co"));
    refused(peer, "certificate");
  }
  SECTION("no certificate") {
    raw_peer peer{site.net->port()};
    peer.stream->set_verify_mode(asio::ssl::verify_none);
    peer.shake();
    peer.send(hello_of("co"));
    refused(peer, "certificate");
  }
  SECTION("an expired certificate") {
    raw_peer peer{site.net->port(), files("co")};
    pki_options expired;
    expired.renew = true;
    expired.lifetime = -1s;
    REQUIRE(pki_issue(pki.path(), "co", expired));
    auto* ssl = peer.stream->native_handle();
    REQUIRE(SSL_use_certificate_file(ssl, (pki / "co.pem").c_str(), SSL_FILETYPE_PEM) == 1);
    REQUIRE(SSL_use_PrivateKey_file(ssl, (pki / "co.key").c_str(), SSL_FILETYPE_PEM) == 1);
    peer.shake();
    peer.send(hello_of("co"));
    refused(peer, "expired");
  }
  SECTION("the certificate of a site that is no peer") {
    raw_peer peer{site.net->port(), files("dc2")};
    REQUIRE(peer.shake());
    peer.send(hello_of("co"));
    refused(peer, "dc2 is not a peer of dc1");
  }
  SECTION("TLS 1.2") {
    raw_peer peer{site.net->port(), files("co")};
    SSL_set_min_proto_version(peer.stream->native_handle(), TLS1_2_VERSION);
    SSL_set_max_proto_version(peer.stream->native_handle(), TLS1_2_VERSION);
    CHECK_FALSE(peer.shake());
    refused(peer, "TLS");
  }
  SECTION("plain TCP") {
    raw_peer peer{site.net->port(), files("co")};
    asio::write(peer.stream->next_layer(), asio::buffer(hello_of("co")));
    CHECK(site.log.await("TLS") != "");
    CHECK(site.state.messages == 0);
    CHECK(site.net->counters().admitted == 0);
  }
}

TEST_CASE_METHOD(gateway_lab, "a node id of another site than the certificate's is refused") {
  node site{settings("dc1", {co, dc2})};
  raw_peer peer{site.net->port(), files("dc2")};
  REQUIRE(peer.shake());
  peer.send(hello_of("co"));
  CHECK(peer.closed());
  CHECK(site.log.await("node id of another site than dc2") != "");
  CHECK(site.state.messages == 0);
  CHECK(site.net->counters().vetting_failed == 1);
}

TEST_CASE_METHOD(gateway_lab, "a site does not open with the certificate of another one") {
  auto mine = settings("dc1", {co});
  mine.tls = files("dc2");
  node site{mine};
  CHECK_FALSE(site.net);
  CHECK(site.why.code == ec::bad_config);
  CHECK(site.why.text.find("is the certificate of dc2") != std::string::npos);
}

TEST_CASE_METHOD(gateway_lab, "a dialled site that is another than meant is refused") {
  node a{settings("co", {dc1, dc2})}, b{settings("dc2", {co})};
  a.net->dial(dc1, b.address());
  CHECK(a.state.events.await("lost dc1").find("is dc2, not dc1") != std::string::npos);
  CHECK(b.state.messages == 0);
}

TEST_CASE_METHOD(gateway_lab, "without certificates a node serves loopback only") {
  gateway_settings plain;
  plain.site = dc1;
  plain.listen = GENERATE(as<std::string>{}, "0.0.0.0:0", "10.0.0.1:0", "[::]:0");
  node site{plain};
  CHECK_FALSE(site.net);
  CHECK(site.why.code == ec::bad_config);
  CHECK(site.why.text.find("site dc1: refuses to listen on") == 0);
  CHECK(site.why.text.find("qnfv pki issue dc1") != std::string::npos);
}

TEST_CASE("without certificates two nodes talk over loopback and dial nothing else") {
  gateway_settings x, y;
  x.site = co;
  x.listen = "localhost:0";
  x.peers = {dc1};
  y.site = dc1;
  y.peers = {co};
  node a{x}, b{y};
  REQUIRE(a.net);
  REQUIRE(b.net);
  b.net->dial(co, a.address());
  REQUIRE(b.state.events.await("reached co") != "");
  CHECK(b.ask(b.peer()) == "co to dc1");
  b.net->dial(co, "192.0.2.1:4001");
  CHECK(b.log.await("refuses to connect to co").find("without certificates") != std::string::npos);
  tcp::iostream nonsense{"127.0.0.1", std::to_string(a.net->port())};
  nonsense << std::string(64, 'x') << std::flush;
  CHECK(a.log.await("no greeting") != "");
  CHECK(b.ask(b.peer()) == "co to dc1");
}

TEST_CASE_METHOD(gateway_lab, "fifty silent clients cost nothing and are closed at the deadline") {
  auto mine = settings("dc1", {co});
  mine.handshake_timeout = 1s;
  node site{mine};
  auto before = cpu_seconds();
  asio::io_context io;
  std::vector<tcp::socket> clients;
  int closed = 0;
  char byte;
  for (int i = 0; i < 50; ++i) {
    auto& x = clients.emplace_back(io);
    x.connect({asio::ip::address_v4::loopback(), site.net->port()});
  }
  for (auto& x : clients)
    x.async_read_some(asio::buffer(&byte, 1),
                      [&](boost::system::error_code error, size_t) { closed += error ? 1 : 0; });
  io.run_for(patience);
  CHECK(closed == 50);
  CHECK(site.net->counters().refused == 50);
  CHECK(cpu_seconds() - before < 0.5);
}

TEST_CASE_METHOD(gateway_lab, "more handshakes than allowed push out the oldest, not the newest") {
  auto mine = settings("dc1", {co});
  mine.handshakes_max = 4;
  node site{mine}, a{settings("co", {dc1})};
  asio::io_context io;
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 10; ++i)
    silent.emplace_back(io).connect({asio::ip::address_v4::loopback(), site.net->port()});
  a.net->dial(dc1, site.address());
  CHECK(a.state.events.await("reached dc1") != "");
  CHECK(site.log.await("too many handshakes") != "");
}

TEST_CASE_METHOD(gateway_lab, "what an admitted peer sends can close its own connection only") {
  node site{settings("dc1", {co, dc2})}, a{settings("co", {dc1})};
  a.net->dial(dc1, site.address());
  REQUIRE(a.state.events.await("reached dc1") != "");
  bytes endless(32, 0);
  endless[0] = 2;
  store_be32(endless.data() + 4, 0xffffffff);
  bytes nodes(64, 0);
  std::vector<std::pair<const char*, bytes>> evil{{"empty message", frame(2)},
                                                  {"empty handshake", frame(1)},
                                                  {"4 GiB", endless},
                                                  {"unknown operation", frame(7)},
                                                  {"routed", frame(3, nodes)},
                                                  {"empty monitor", frame(4)},
                                                  {"foreign monitor", frame(4, nodes)},
                                                  {"foreign down", frame(5, nodes)},
                                                  {"server's handshake", frame(0, nodes)}};
  for (auto& [what, x] : evil) {
    CAPTURE(what);
    raw_peer peer{site.net->port(), files("dc2")};
    REQUIRE(peer.shake());
    peer.send(hello_of("dc2"));
    peer.send(x);
    CHECK(peer.closed());
    CHECK(site.state.events.await("lost dc2: the peer sent") != "");
  }
  CHECK(site.net->counters().vetting_failed == evil.size());
  CHECK(site.state.messages == 0);
  CHECK(a.ask(a.peer()) == "dc1 to co");
}

TEST_CASE_METHOD(gateway_lab, "a peer can neither end an actor nor reach CAF's own servers") {
  node site{settings("dc1", {co})}, a{settings("co", {dc1})};
  a.net->dial(dc1, site.address());
  REQUIRE(a.state.events.await("reached dc1") != "");
  caf::anon_send_exit(a.peer(), caf::exit_reason::kill);
  CHECK(a.ask(a.peer()) == "dc1 to co");
  auto spawned = a.system.middleman().remote_spawn<caf::actor>(a.peer().node(), "anything",
                                                               caf::make_message(), 300ms);
  CHECK_FALSE(spawned);
}

TEST_CASE_METHOD(gateway_lab, "a system that is not named after its site cannot open a gateway") {
  node site{settings("dc1"), "co"};
  CHECK_FALSE(site.net);
  CHECK(site.why.code == ec::internal);
}

TEST_CASE_METHOD(gateway_lab, "a dialler that is refused hears so") {
  node site{settings("dc1", {co})}, a{settings("dc2", {dc1})};
  a.net->dial(dc1, site.address());
  CHECK(a.state.events.await("lost dc1").find("refused by the peer") != std::string::npos);
  CHECK(site.state.messages == 0);
}

TEST_CASE_METHOD(gateway_lab, "one site cannot take all places") {
  auto mine = settings("dc1", {co, dc2});
  mine.connections_per_name_max = 2;
  node site{mine}, a{settings("co", {dc1})};
  std::vector<std::unique_ptr<raw_peer>> crowd;
  for (int i = 0; i < 3; ++i) {
    crowd.push_back(std::make_unique<raw_peer>(site.net->port(), files("dc2")));
    REQUIRE(crowd.back()->shake());
  }
  CHECK(site.log.await("too many connections") != "");
  a.net->dial(dc1, site.address());
  CHECK(a.state.events.await("reached dc1") != "");
}
