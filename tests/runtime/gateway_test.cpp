#include "runtime/system/gate.hpp"
#include "tests/support/gateway_lab.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>

using namespace qnfv;
using namespace qnfv::test;
namespace asio = boost::asio;
using asio::ip::tcp;

TEST_CASE_METHOD(gateway_lab, "two sites talk both ways over TLS and know each other's name") {
  node a{settings("co", {dc1})}, b{settings("dc1", {co})};
  REQUIRE(a.net);
  REQUIRE(b.net);
  b.net->dial(co, a.address());
  REQUIRE(b.state.events.await("reached co") != "");
  CHECK(b.ask(b.peer()) == "co to dc1");
  CHECK(a.net->counters().admitted == 1);
  CHECK(a.state.events.count() == 0); // The accepting end learns of its peer by its join.
}

TEST_CASE_METHOD(gateway_lab,
                 "when one side goes the other hears of it, and all ends within a second") {
  auto a = std::make_unique<node>(settings("co", {dc1}));
  auto b = std::make_unique<node>(settings("dc1", {co}));
  b->net->dial(co, a->address());
  REQUIRE(b->state.events.await("reached co") != "");
  REQUIRE(b->ask(b->peer()) == "co to dc1");
  bool dialling_side_goes = GENERATE(true, false);
  auto started = std::chrono::steady_clock::now();
  if (dialling_side_goes) {
    b.reset();
    CHECK(a->state.events.await("lost dc1") != "");
    a.reset();
  } else {
    a.reset();
    CHECK(b->state.events.await("lost co") != "");
    b.reset();
  }
  CHECK(std::chrono::steady_clock::now() - started < 1s);
}

TEST_CASE_METHOD(gateway_lab, "a command connects, asks, and leaves without news for anybody") {
  node site{settings("dc1", {co})};
  auto mine = settings("operator");
  mine.listen = "";
  {
    node command{mine};
    REQUIRE(command.net);
    auto root = command.net->connect(dc1, site.address());
    REQUIRE(root);
    CHECK(command.ask(caf::actor_cast<caf::actor>(*root)) == "dc1 to operator");
    auto nobody = command.net->connect(dc2, site.address());
    REQUIRE_FALSE(nobody);
    CHECK(nobody.error().code == ec::not_allowed);
    CHECK(nobody.error().text.find("is dc1, not dc2") != std::string::npos);
    CHECK(command.ask(caf::actor_cast<caf::actor>(*root)) == "dc1 to operator");
  }
  CHECK(site.state.events.await("lost operator") != "");
}

TEST_CASE_METHOD(gateway_lab, "a dial that finds nobody is answered with the reason") {
  uint16_t free_port = 0;
  {
    asio::io_context io;
    tcp::acceptor x{io, {asio::ip::address_v4::loopback(), 0}};
    free_port = x.local_endpoint().port();
  }
  node a{settings("co", {dc1})};
  a.net->dial(dc1, "127.0.0.1:" + std::to_string(free_port));
  CHECK(a.state.events.await("lost dc1").find("refused") != std::string::npos);
  a.net->dial(dc1, "nonsense");
  CHECK(a.state.events.await("lost dc1").find("HOST:PORT") != std::string::npos);
}

TEST_CASE_METHOD(gateway_lab, "a silent server is given up at the deadline") {
  asio::io_context io;
  tcp::acceptor silent{io, {asio::ip::address_v4::loopback(), 0}};
  auto mine = settings("co", {dc1});
  mine.handshake_timeout = 200ms;
  node a{mine};
  a.net->dial(dc1, "127.0.0.1:" + std::to_string(silent.local_endpoint().port()));
  CHECK(a.state.events.await("lost dc1").find("did not finish the handshake") != std::string::npos);
}

TEST_CASE_METHOD(gateway_lab,
                 "a site that closes a peer hears nothing, the peer does, and may come again") {
  node site{settings("dc1", {co})}, a{settings("co", {dc1})};
  for (int i = 0; i < 5; ++i) {
    a.net->dial(dc1, site.address());
    REQUIRE(a.state.events.await("reached dc1") != "");
    CHECK(a.ask(a.peer()) == "dc1 to co");
    site.net->close(co);
    CHECK(a.state.events.await("lost dc1") != "");
  }
  CHECK(site.state.events.count() == 0);
}

TEST_CASE_METHOD(gateway_lab,
                 "a node that dials again replaces its older connection without news") {
  node site{settings("dc1", {co})}, a{settings("co", {dc1})};
  a.net->dial(dc1, site.address());
  REQUIRE(a.state.events.await("reached dc1") != "");
  for (int i = 0; i < 20; ++i) {
    a.net->dial(dc1, site.address());
    REQUIRE(a.state.events.await("reached dc1") != "");
    CHECK(a.ask(a.peer()) == "dc1 to co");
  }
  CHECK(a.state.events.count() == 0);
  CHECK(site.state.events.count() == 0);
}

TEST_CASE_METHOD(gateway_lab,
                 "a restarted site is another node; its older start can be closed alone") {
  node site{settings("dc1", {co})}, older{settings("co", {dc1})}, newer{settings("co", {dc1})};
  older.net->dial(dc1, site.address());
  REQUIRE(older.state.events.await("reached dc1") != "");
  newer.net->dial(dc1, site.address());
  REQUIRE(newer.state.events.await("reached dc1") != "");
  CHECK(newer.ask(newer.peer()) == "dc1 to co");
  CHECK(older.ask(older.peer()) == "dc1 to co");
  site.net->close_others(co, newer.system.node());
  CHECK(older.state.events.await("lost dc1") != "");
  CHECK(newer.ask(newer.peer()) == "dc1 to co");
  CHECK(site.state.events.count() == 0);
}

TEST_CASE_METHOD(gateway_lab, "stopping in the middle of a dial takes no time") {
  asio::io_context io;
  tcp::acceptor silent{io, {asio::ip::address_v4::loopback(), 0}};
  auto address = "127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  auto a = std::make_unique<node>(settings("co", {dc1}));
  for (int i = 0; i < 3; ++i)
    a->net->dial(dc1, address);
  silent.accept();
  auto started = std::chrono::steady_clock::now();
  a.reset();
  CHECK(std::chrono::steady_clock::now() - started < 1s);
}

TEST_CASE_METHOD(gateway_lab, "the root may be a gate, and the system still ends at once") {
  auto caller = std::make_unique<node>(settings("co", {dc1}));
  std::chrono::steady_clock::time_point started;
  {
    seen state;
    network_config config{"dc1"};
    caf::actor_system system{config};
    auto env = std::make_shared<environment>();
    env->site = dc1;
    gates doors{system, env};
    auto root = system.spawn(root_actor, "dc1", &state);
    doors.retarget(dc1, "node", caf::actor_cast<caf::strong_actor_ptr>(root));
    auto opened = gateway::open(system, settings("dc1", {co}), doors.handle(dc1, "node"),
                                caf::actor_cast<caf::strong_actor_ptr>(root));
    REQUIRE(opened);
    caller->net->dial(dc1, "127.0.0.1:" + std::to_string((*opened)->port()));
    REQUIRE(caller->state.events.await("reached dc1") != "");
    CHECK(caller->ask(caller->peer()) == "dc1 to co");
    started = std::chrono::steady_clock::now();
    caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
    (*opened)->stop();
    doors.retarget(dc1, "node", nullptr);
  }
  CHECK(std::chrono::steady_clock::now() - started < 1s);
}
