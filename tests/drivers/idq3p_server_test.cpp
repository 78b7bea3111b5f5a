// The IDQ3P key server over real sockets, with a pool that does as it is told.

#include "drivers/idq3p/server.hpp"
#include "tests/support/real_world.hpp"
#include "tests/support/udp_client.hpp"

#include <catch2/catch.hpp>

#include <atomic>

using namespace qnfv;
using namespace qnfv::test;
using namespace std::chrono_literals;

namespace {

const link_id the_link{"bob1/alice1"};
const char* key1 = "063c394625fb316d899e849265ca04b25fbd3eaf12cf51a48871f9c7a548ae40";
const std::string zeros20(20, '0');

bytes raw(const std::string& hex) {
  return *from_hex(hex);
}

using pool_stub =
  actor_of<caf::result<key_grants>(reserve_keys), caf::result<key_grants>(claim_keys)>;
struct stub_state {
  static inline const char* name = "key_pool";
};

/// Hands out the keys of session 1 from number 7 on; the bits of the first are the paper's Key1.
struct told_pool {
  std::atomic<int> reserved{0}, claimed{0};
  std::atomic<bool> silent{false};
  std::atomic<ec> refusal{ec::none};
  std::mutex mutex;
  std::vector<key_users> users;
  std::map<key_id, secret> held; ///< For the other end's claims.
};

pool_stub::behavior_type behave(std::shared_ptr<told_pool> pool,
                                stateful<pool_stub, stub_state>* self) {
  auto refused = [pool, self](caf::typed_response_promise<key_grants>& promise) {
    promise = self->make_response_promise<key_grants>();
    if (!pool->silent && pool->refusal != ec::none)
      promise.deliver(fail(pool->refusal, "as told"));
    return pool->silent || pool->refusal != ec::none;
  };
  return {
    [=](const reserve_keys& x) -> caf::result<key_grants> {
      auto n = pool->reserved++;
      caf::typed_response_promise<key_grants> promise;
      if (refused(promise))
        return promise;
      bytes bits = raw(key1);
      bits[0] ^= static_cast<uint8_t>(n);
      bits.resize(x.size_bits / 8);
      std::lock_guard lock{pool->mutex};
      pool->users.push_back(x.users);
      auto id = make_key_id(x.link, 1, link_end::bob, 7 + static_cast<uint64_t>(n));
      pool->held[id] = secret{bits};
      promise.deliver(key_grants{{{id, secret{bits}, {}}}});
      return promise;
    },
    [=](const claim_keys& x) -> caf::result<key_grants> {
      ++pool->claimed;
      caf::typed_response_promise<key_grants> promise;
      if (refused(promise))
        return promise;
      std::lock_guard lock{pool->mutex};
      pool->users.push_back({x.master, {x.slave}});
      auto found = pool->held.find(x.keys.front());
      if (found == pool->held.end()) {
        promise.deliver(fail(ec::unknown_key, "handed out before"));
        return promise;
      }
      auto bits = found->second;
      pool->held.erase(found);
      promise.deliver(key_grants{{{x.keys.front(), bits, {}}}});
      return promise;
    },
  };
}

/// Bob's and Alice's server beside one pool.
struct office {
  real_world w;
  std::shared_ptr<told_pool> pool = std::make_shared<told_pool>();
  std::shared_ptr<idq3p_udp_port> co, dc1;

  explicit office(bool answer_damaged = false, uint32_t questions_max = 64) {
    co = open("co", "dc1", answer_damaged, questions_max);
    dc1 = open("dc1", "co", answer_damaged, questions_max);
  }
  ~office() {
    co->stop();
    dc1->stop();
  }

  std::shared_ptr<idq3p_udp_port> open(const std::string& site, const std::string& peer,
                                       bool answer_damaged, uint32_t questions_max) {
    idq3p_port_settings settings;
    settings.listen = "127.0.0.1:0";
    settings.answer_damaged = answer_damaged;
    settings.questions_max = questions_max;
    auto port = open_idq3p_port(w.io()->context(), settings);
    REQUIRE(port);
    idq3p_server_config config;
    config.link = the_link;
    config.peer = site_id{peer};
    auto stub = w.spawn(
      site, [pool = pool](stateful<pool_stub, stub_state>* self) { return behave(pool, self); });
    config.key_pool = caf::actor_cast<key_pool_actor>(stub);
    config.port = *port;
    w.spawn(site, idq3p_server, config);
    return *port;
  }

  /// The answer to a request; fails the test if none comes.
  static idq3p_response ask(udp_client& client, const idq3p_request& x) {
    auto raw = client.ask(encode(x));
    REQUIRE(raw);
    idq3p_response out;
    REQUIRE(decode(*raw, out) == idq3p_problem::none);
    CHECK(answers(out, x));
    return out;
  }
};

idq3p_request request(uint32_t number, idq3p_id id = {}, uint8_t key_bytes = 32,
                      uint8_t device = 1) {
  return {id, key_bytes, number, device};
}

} // namespace

TEST_CASE("the paper's key travels as in the capture, byte for byte") {
  office x;
  udp_client bob{x.co->address()}, alice{x.dc1->address()};
  auto got = bob.ask(raw("000000000000000000200100000001" + zeros20 + "34e11920"));
  REQUIRE(got);
  CHECK(to_hex(*got)
        == "010100000007000000200100000000" + std::string{key1} + "01" + zeros20 + "47a0a4d8");
  got = alice.ask(raw("000100000007000000200200000001" + zeros20 + "8d921591"));
  REQUIRE(got);
  idq3p_response y;
  REQUIRE(decode(*got, y) == idq3p_problem::none);
  CHECK(y.request == 2);
  CHECK(to_hex(y.key.view()) == key1);
  for (auto& users : x.pool->users) {
    CHECK(users.master == "idq3p@co");
    CHECK(users.slaves == std::vector<std::string>{"idq3p@dc1"});
  }
}

TEST_CASE("a repeated request gets the same datagram, and the pool is asked once") {
  office x;
  udp_client client{x.co->address()};
  auto first = client.ask(encode(request(5)));
  auto second = client.ask(encode(request(5)));
  REQUIRE(first);
  CHECK(first == second);
  CHECK(x.pool->reserved == 1);
  // Another request, another device, another address: other keys.
  CHECK(client.ask(encode(request(6))) != first);
  CHECK(client.ask(encode(request(5, {}, 32, 2))) != first);
  udp_client other{x.co->address()};
  CHECK(other.ask(encode(request(5))) != first);
  CHECK(x.pool->reserved == 4);
}

TEST_CASE("a key is handed out once at each end") {
  office x;
  udp_client bob{x.co->address()}, alice{x.dc1->address()};
  auto key = x.ask(bob, request(1));
  CHECK(x.ask(alice, request(1, key.id)).status == idq3p_status::ok);
  CHECK(x.ask(alice, request(1, key.id)).status == idq3p_status::ok); // The answer was lost, say.
  CHECK(x.ask(alice, request(2, key.id)).status == idq3p_status::unknown_key);
  udp_client thief{x.dc1->address()};
  CHECK(x.ask(thief, request(1, key.id)).status == idq3p_status::unknown_key);
}

TEST_CASE("a key has the length that it was first asked for") {
  office x;
  udp_client bob{x.co->address()}, alice{x.dc1->address()};
  auto key = x.ask(bob, request(1, {}, 16));
  CHECK(key.status == idq3p_status::ok);
  CHECK(to_hex(key.key.view()) == std::string{key1}.substr(0, 32));
  auto same = x.ask(alice, request(1, key.id, 16));
  CHECK(to_hex(same.key.view()) == to_hex(key.key.view()));
  CHECK(x.ask(alice, request(2, key.id, 8)).status == idq3p_status::wrong_key_length);
  auto other = x.ask(bob, request(2, {}, 32));
  CHECK(x.ask(alice, request(3, other.id, 8)).status == idq3p_status::wrong_key_length);
  CHECK(x.ask(alice, request(4, other.id, 32)).status == idq3p_status::unknown_key);
}

TEST_CASE("every refusal has its status") {
  office x;
  udp_client client{x.co->address()};
  CHECK(x.ask(client, request(1, {}, 0)).status == idq3p_status::wrong_key_length);
  CHECK(x.ask(client, request(2, {}, 33)).status == idq3p_status::wrong_key_length);
  CHECK(x.ask(client, request(3, {}, 32, 0)).status == idq3p_status::invalid_request);
  CHECK(x.ask(client, request(4, {}, 32, 13)).status == idq3p_status::invalid_request);
  CHECK(x.ask(client, request(5, {9, 9})).status == idq3p_status::unknown_key);
  CHECK(x.pool->reserved == 0);
  uint32_t number = 10;
  for (auto [code, status] : {std::pair{ec::key_exhausted, idq3p_status::no_more_keys},
                              std::pair{ec::busy, idq3p_status::no_more_keys},
                              std::pair{ec::site_unreachable, idq3p_status::no_more_keys},
                              std::pair{ec::maybe_executed, idq3p_status::no_more_keys},
                              std::pair{ec::not_allowed, idq3p_status::unknown_key},
                              std::pair{ec::invalid_argument, idq3p_status::invalid_request}}) {
    INFO(to_string(code));
    x.pool->refusal = code;
    CHECK(x.ask(client, request(++number)).status == status);
  }
  // A refusal is not remembered: the same request may succeed later.
  x.pool->refusal = ec::none;
  CHECK(x.ask(client, request(number)).status == idq3p_status::ok);
}

TEST_CASE("what is damaged or foreign is dropped and counted") {
  office x;
  udp_client client{x.co->address()};
  auto damaged = encode(request(1));
  damaged[20] ^= 1;
  client.send(damaged);
  client.send(bytes(1));
  client.send(bytes(1500));
  client.send(encode(idq3p_response{}).view());
  // The first answer is the one to the good request.
  CHECK(x.ask(client, request(2)).status == idq3p_status::ok);
  auto seen = x.co->counters();
  CHECK(seen.damaged == 1);
  CHECK(seen.foreign == 3);
  CHECK(seen.questions == 1);
  CHECK(x.pool->reserved == 1);
}

TEST_CASE("a damaged request may be refused aloud, if that is wanted") {
  office x{true};
  udp_client client{x.co->address()};
  auto damaged = encode(request(1));
  damaged[20] ^= 1;
  auto raw = client.ask(damaged);
  REQUIRE(raw);
  idq3p_response out;
  REQUIRE(decode(*raw, out) == idq3p_problem::none);
  CHECK(out.status == idq3p_status::invalid_request);
  CHECK(x.co->counters().damaged == 1);
  CHECK(x.pool->reserved == 0);
}

TEST_CASE(
  "the work in flight is bounded, and a repeated question waits for the first one's answer") {
  office x{false, 4};
  x.pool->silent = true;
  udp_client client{x.co->address()};
  for (uint32_t i = 0; i < 10; ++i)
    client.send(encode(request(i)));
  for (auto end = std::chrono::steady_clock::now() + 10s;
       x.co->counters().too_many < 6 && std::chrono::steady_clock::now() < end;)
    std::this_thread::yield();
  CHECK(x.co->counters().questions == 4);
  CHECK(x.co->counters().too_many == 6);
}

TEST_CASE("a server opens only where nobody else reaches it") {
  real_world w;
  auto problem = [&](const std::string& listen, bool beyond = false) {
    idq3p_port_settings settings;
    settings.listen = listen;
    settings.beyond_loopback = beyond;
    auto port = open_idq3p_port(w.io()->context(), settings);
    if (port)
      (*port)->stop();
    return port ? "" : describe(port.error());
  };
  CHECK(problem("127.0.0.1:0").empty());
  CHECK(problem("[::1]:0").empty());
  CHECK(problem("0.0.0.0:0", true).empty());
  CHECK(problem("0.0.0.0:0").find("no authentication") != std::string::npos);
  for (auto* bad : {"", "here", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:5x",
                    "lab.example:1"}) {
    INFO(bad);
    CHECK(problem(bad).rfind("bad_config", 0) == 0);
  }
  idq3p_port_settings settings;
  settings.listen = "127.0.0.1:0";
  auto first = open_idq3p_port(w.io()->context(), settings);
  REQUIRE(first);
  CHECK(problem((*first)->address()).rfind("site_unreachable: " + (*first)->address(), 0) == 0);
  (*first)->stop();
}

TEST_CASE("recent answers are bounded, exact and forgotten in time") {
  recent_answers x{2, 10s};
  time_point t{1h};
  auto who = [](uint32_t n) { return idq3p_asker{"127.0.0.1:1", n, 1}; };
  x.put(who(1), request(1), {1, 1}, secret{bytes(62, 7)}, t);
  CHECK(x.find(who(1), request(1), t + 9s).size() == 62);
  CHECK(x.find(who(1), request(1, {1, 1}), t).empty()); // Not the same request.
  CHECK(x.find(who(2), request(1), t).empty());
  CHECK(x.length_of({1, 1}, t) == 32);
  CHECK(x.length_of({1, 2}, t) == 0);
  x.put(who(2), request(2), {1, 2}, secret{bytes(62, 8)}, t + 1s);
  x.put(who(3), request(3), {1, 3}, secret{bytes(62, 9)}, t + 2s);
  CHECK(x.size() == 2);
  CHECK(x.find(who(1), request(1), t + 2s).empty());
  CHECK(x.find(who(2), request(2), t + 12s).empty());
  CHECK(x.size() == 0);
}
