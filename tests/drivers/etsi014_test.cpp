#include "drivers/etsi014/etsi014.hpp"
#include "drivers/http/client.hpp"
#include "runtime/tls/pki.hpp"
#include "runtime/tracing/recorder.hpp"
#include "tests/support/real_world.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>

using namespace qnfv;
using namespace qnfv::test;
using namespace std::chrono_literals;

namespace {

const key_id some_key{{0xab, 1, 2}};

std::string text(const secret& x) {
  return {x.view().begin(), x.view().end()};
}

/// Grants, refuses or stays silent, by the slave's name.
key_server_actor::behavior_type fake_key_server(instrumented<key_server_actor::base>* self,
                                                std::atomic<int>* asked) {
  auto silence = [self] { return self->make_response_promise<key_grants>(); };
  return {
      [=](const application_status_query& x) -> caf::result<application_status> {
        ++*asked;
        if (x.caller != proven_names{"nfv-co"})
          return fail(ec::not_allowed, "who is this?");
        application_status out;
        out.stored_keys = 5;
        out.slave = x.slave;
        return out;
      },
      [=](const draw_keys& x) -> caf::result<key_grants> {
        ++*asked;
        if (x.caller != proven_names{"nfv-co"})
          return fail(ec::not_allowed, "who is this?");
        if (x.slave == "silence")
          return silence();
        if (x.slave == "empty")
          return fail(ec::key_exhausted, "nothing left");
        if (x.slave == "failure")
          throw std::runtime_error("a bug");
        key_grants out;
        for (uint32_t i = 0; i < x.number; ++i)
          out.keys.push_back({some_key, secret{x.size_bits / 8}, {}});
        return out;
      },
      [=](const fetch_keys&) -> caf::result<key_grants> {
        ++*asked;
        return fail(ec::unknown_key, "gone");
      },
  };
}

struct office {
  office() {
    REQUIRE(pki_init(pki.path()));
    REQUIRE(pki_issue(pki.path(), "co"));
    for (auto* name : {"nfv-co", "mano-gw-1"})
      REQUIRE(pki_issue_application(pki.path(), name, name));
    settings.http.listen = "127.0.0.1:0";
    settings.http.tls = files("co");
    settings.http.tracing.lab = "lab";
    env->recorder = std::make_shared<recorder>("co");
    settings.http.tracing.tap = env->tap();
    settings.http.tracing.shown = etsi014_shown;
  }

  ~office() {
    if (door)
      door->stop();
  }

  void open() {
    auto x = etsi014_door::open(w.io(), settings);
    INFO((x ? "" : x.error().text));
    REQUIRE(x);
    door = *x;
  }

  void open_and_serve() {
    open();
    serve();
  }

  void serve() {
    config.door = door;
    config.key_server = w.spawn_in(env, fake_key_server, &asked);
    service = w.spawn_in(env, etsi014, config);
    waiter<bool> begun; // An actor begins on a thread of its own.
    continue_at(service, [say = begun.callback()] { say(true); });
    begun.get();
  }

  tls_files files(const std::string& name) const {
    return {pki / "ca.pem", pki / (name + ".pem"), pki / (name + ".key")};
  }

  std::shared_ptr<http_client> client(const std::string& name = "nfv-co") {
    http_client_settings x;
    x.server = "127.0.0.1:" + std::to_string(door->port());
    x.tls = files(name);
    x.expected_name = "qnfv:site:co";
    x.tracing = {lab, client_tap, etsi014_shown};
    x.authorization = secret{byte_view{std::string_view{"Basic cXVlc3Q="}}};
    auto made = http_client::make(w.io()->context(), x);
    REQUIRE(made);
    return *made;
  }

  /// "200 body"
  static std::string say(http_client& to, const std::string& method, const std::string& target,
                         const std::string& body = "") {
    waiter<result<client_response>> answer;
    to.send(method, target, byte_view{body}, answer.callback());
    auto x = answer.get();
    return x ? std::to_string(x->status) + " " + text(x->body) : describe(x.error());
  }

  std::string say(const std::string& method, const std::string& target,
                  const std::string& body = "") {
    auto x = client();
    return say(*x, method, target, body);
  }

  std::string lab = "lab"; ///< Of the clients,
  wire_tap client_tap;     ///< and where they show their pieces.
  temporary_folder pki;
  std::atomic<int> asked{0};
  etsi014_settings settings;
  etsi014_config config;
  std::shared_ptr<etsi014_door> door;
  real_world w; // Its actors go before the door does.
  std::shared_ptr<environment> env = std::make_shared<environment>(*w.site("co"));
  key_service_actor service;
};

const std::string enc = "/api/v1/keys/mano-gw-1/enc_keys";

} // namespace

TEST_CASE("applications are served over HTTPS") {
  office x;
  x.open_and_serve();
  CHECK(x.say("GET", "/api/v1/keys/mano-gw-1/status").find("\"stored_key_count\":5")
        != std::string::npos);
  CHECK(x.say("GET", enc + "?size=16")
        == R"(200 {"keys":[{"key_ID":"ab010200-0000-0000-0000-000000000000","key":"AAA="}]})");
  CHECK(x.say("GET", "/api/v1/keys/a/dec_keys?key_ID=ab010200-0000-0000-0000-000000000000")
        == R"(400 {"message":"one or more keys specified are not found on KME"})");
  CHECK(x.say("GET", "/").rfind("404 ", 0) == 0);
  // A client without a certificate never gets so far: tests/drivers/http_test.cpp.
  auto other = x.client("mano-gw-1");
  CHECK(x.say(*other, "GET", enc) == R"(401 {"message":"the certificate does not allow this"})");
}

TEST_CASE("an empty pool says how many keys there are") {
  office x;
  x.open_and_serve();
  CHECK(
      x.say("POST", "/api/v1/keys/empty/enc_keys")
      == R"(503 {"message":"not enough keys; try again later","details":[{"stored_key_count":5}]})");
}

TEST_CASE("the largest answer arrives whole") {
  office x;
  x.open_and_serve();
  auto body = x.say("POST", enc, R"({"number":128,"size":4096})");
  REQUIRE(body.rfind("200 ", 0) == 0);
  auto keys = parse_key_container(secret{byte_view{body.substr(4)}});
  REQUIRE(keys);
  CHECK(keys->keys.size() == 128);
  CHECK(keys->keys.back().material.size() == 512);
}

TEST_CASE("a question that is not understood costs the actors nothing") {
  office x;
  x.open_and_serve();
  CHECK(x.say("POST", enc, "{").rfind("400 ", 0) == 0);
  CHECK(x.say("PUT", enc).rfind("405 ", 0) == 0);
  CHECK(x.say("POST", enc, std::string(65537, ' ')).rfind("413 ", 0) == 0);
  CHECK(x.asked == 0);
}

TEST_CASE("a request that nobody answers gets 503 in time, and the next one is served") {
  office x;
  x.config.answer_timeout_ms = 50;
  x.open_and_serve();
  auto client = x.client();
  CHECK(x.say(*client, "GET", "/api/v1/keys/silence/enc_keys")
        == R"(503 {"message":"no keys can be delivered now (maybe_executed); try again later"})");
  CHECK(x.say(*client, "GET", enc).rfind("200 ", 0) == 0);
}

TEST_CASE("a key server that dies is a 503") {
  office x;
  x.open_and_serve();
  CHECK(x.say("GET", "/api/v1/keys/failure/enc_keys").rfind("503 ", 0) == 0);
}

TEST_CASE("while nobody serves, the door says 503 at once") {
  office x;
  x.open();
  auto client = x.client();
  CHECK(x.say(*client, "GET", enc).rfind("503 ", 0) == 0);
  x.serve();
  CHECK(x.say(*client, "GET", enc).rfind("200 ", 0) == 0);
  CHECK(client->connections() == 1);
}

TEST_CASE("when the actor ends, who waits is answered, and its successor serves the same door") {
  office x;
  x.open_and_serve();
  auto client = x.client();
  waiter<result<client_response>> answer;
  client->send("GET", "/api/v1/keys/silence/enc_keys", {}, answer.callback());
  while (x.asked == 0)
    std::this_thread::yield();
  caf::anon_send_exit(x.service, caf::exit_reason::kill);
  auto last = answer.get();
  REQUIRE(last);
  CHECK(last->status == 503);
  x.serve();
  CHECK(x.say(*client, "GET", enc).rfind("200 ", 0) == 0);
  CHECK(client->connections() == 1);
}

TEST_CASE("an old service that leaves late does not close the door on the new one") {
  office x;
  x.open();
  auto old = x.door->serve([] {});
  x.serve();
  x.door->leave(old);
  CHECK(x.say("GET", enc).rfind("200 ", 0) == 0);
}

TEST_CASE("too many who wait are sent away") {
  office x;
  x.settings.waiting_max = 2;
  x.open();
  std::atomic<int> woken{0};
  x.door->serve([&] { ++woken; });
  std::vector<std::shared_ptr<http_client>> clients;
  std::vector<waiter<result<client_response>>> answers(3);
  for (auto& answer : answers) {
    clients.push_back(x.client());
    clients.back()->send("GET", enc, {}, answer.callback());
  }
  // One of them is the third.
  auto refused = [&] {
    return std::count_if(answers.begin(), answers.end(),
                         [](auto& answer) { return answer.comes_within(1ms); });
  };
  for (auto end = std::chrono::steady_clock::now() + 10s;
       refused() == 0 && std::chrono::steady_clock::now() < end;)
    std::this_thread::yield();
  CHECK(refused() == 1);
  CHECK(woken == 1);                 // Once for both.
  CHECK(x.door->take().size() == 2); // Dropped, and so answered.
  for (auto& answer : answers) {
    auto said = answer.get();
    REQUIRE(said);
    CHECK(said->status == 503);
  }
}

TEST_CASE("the rule of the door decides what a certificate says") {
  office x;
  x.settings.identity = identity_rule::uri;
  x.open_and_serve();
  // CN, DNS and URI are there; with the URI come two names, so that this double refuses.
  CHECK(x.say("GET", enc).rfind("401 ", 0) == 0);
}

namespace {

const event_id begun{"dc1", 1, 5}, handled{"dc1", 1, 9};

/// What reached the key server, and for whom.
trace_event last_draw(const office& x) {
  trace_event out;
  for (auto& event : x.env->recorder->since({}, "", SIZE_MAX).events)
    if (event.message == "draw_keys" && event.kind == trace_kind::receive)
      out = event;
  return out;
}

} // namespace

TEST_CASE("a key that another site of the lab fetches is part of that site's trace") {
  office x;
  x.open_and_serve();
  auto client = x.client();
  {
    trace_scope scope{{begun, handled}};
    REQUIRE(x.say(*client, "GET", enc).rfind("200 ", 0) == 0);
  }
  CHECK(last_draw(x).trace == "dc1:1:5");
  CHECK(last_draw(x).cause == "dc1:1:9");
  REQUIRE(x.say(*client, "GET", enc).rfind("200 ", 0) == 0);
  // The next one, on the same connection, says nothing of a trace: it begins one of its own.
  CHECK(last_draw(x).trace == last_draw(x).cause);
  CHECK(last_draw(x).trace.rfind("co:1:", 0) == 0);
}

TEST_CASE("a site of another lab is not taken for the one of ours with its name") {
  office x;
  x.open_and_serve();
  x.lab = "other";
  auto client = x.client();
  trace_scope scope{{begun, handled}};
  REQUIRE(x.say(*client, "GET", enc).rfind("200 ", 0) == 0);
  CHECK(last_draw(x).trace.size() == 32);
  CHECK(last_draw(x).cause.size() == 16);
}

TEST_CASE("both ends show what they send and receive, but for the key and who asks") {
  office x;
  auto seen = std::make_shared<recorder>("dc1");
  x.client_tap = {seen, make_real_clock(), 512};
  x.open_and_serve();
  auto client = x.client();
  std::string answer;
  {
    trace_scope scope{{begun, handled}};
    answer = x.say(*client, "POST", enc, R"({"number":1})");
  }
  REQUIRE(answer.find(R"("key":"AAAA)") != std::string::npos); // Of 256 bits.
  auto contents = [](const recorder& of, const char* how) {
    std::string out;
    for (auto& event : of.since({}, "", SIZE_MAX).events)
      if (event.message == "http" && event.text.rfind(how, 0) == 0) {
        auto piece = from_hex(event.text.substr(event.text.find(" B ") + 3));
        REQUIRE(piece);
        out.append(piece->begin(), piece->end());
      }
    return out;
  };
  for (auto& [asked, answered] : {std::pair{contents(*seen, "sent"), contents(*seen, "received")},
                                  std::pair{contents(*x.env->recorder, "received"), contents(*x.env->recorder, "sent")}}) {
    CHECK(asked.find("POST " + enc + " HTTP/1.1\r\n") == 0);
    CHECK(asked.find("Authorization:xxx") != std::string::npos);
    CHECK(asked.find("cXVlc3Q") == std::string::npos);
    CHECK(asked.find(R"({"number":1})") != std::string::npos);
    CHECK(answered.find("HTTP/1.1 200 OK\r\n") == 0);
    CHECK(answered.find(R"("key_ID":"ab010200-)") != std::string::npos);
    CHECK(answered.find(R"("key":"xxxx)") != std::string::npos);
    CHECK(answered.find("AAAA") == std::string::npos);
  }
  auto pieces = seen->since({}, "", SIZE_MAX).events;
  CHECK(std::all_of(pieces.begin(), pieces.end(), [](auto& piece) { return piece.cause == "dc1:1:9"; }));
  CHECK(pieces.front().to == "127.0.0.1:" + std::to_string(x.door->port()));
}
