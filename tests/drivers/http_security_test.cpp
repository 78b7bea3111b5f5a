// HTTP between ends that prove less than a lab's sites do: without TLS, or with a password instead
// of a certificate.

#include "drivers/http/basic_auth.hpp"
#include "drivers/http/client.hpp"
#include "drivers/http/door.hpp"
#include "runtime/system/io.hpp"
#include "runtime/tls/pki.hpp"
#include "tests/support/real_world.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace qnfv::test;

namespace {

std::string text(const secret& x) {
  return {x.view().begin(), x.view().end()};
}

secret words(const std::string& x) {
  return secret{byte_view{x}};
}

/// "GET /x [Basic ...] [common name] body"
void echo(const http_request& x, const http_reply& reply) {
  http_response out;
  out.body = words(x.method + " " + x.target + " [" + text(x.authorization) + "] ["
                   + x.caller.common_name + "] " + x.body);
  reply(std::move(out));
}

struct office {
  office() {
    server.listen = "127.0.0.1:0";
    server.security = http_security::plain;
  }
  ~office() {
    if (door)
      door->stop();
  }
  void open() {
    auto x = http_door::open(io.context(), server);
    INFO((x ? "" : x.error().text));
    REQUIRE(x);
    door = *x;
  }
  std::string say(const std::string& method, const std::string& body = {}) {
    client.server = "127.0.0.1:" + std::to_string(door->port());
    auto me = http_client::make(io.context(), client);
    INFO((me ? "" : me.error().text));
    REQUIRE(me);
    waiter<result<client_response>> answer;
    (*me)->send(method, "/x", byte_view{body}, answer.callback());
    auto x = answer.get();
    return x ? std::to_string(x->status) + " " + text(x->body) : to_string(x.error().code);
  }

  io_pool io{2};
  http_server_settings server;
  http_client_settings client;
  std::shared_ptr<http_door> door;
};

} // namespace

TEST_CASE("without TLS a request goes out and its answer comes back, large ones too") {
  office x;
  x.open();
  x.door->serve(echo);
  x.client.security = http_security::plain;
  CHECK(x.say("GET") == "200 GET /x [] [] ");
  std::string large(200000, 'x');
  CHECK(x.say("PUT", large) == "200 PUT /x [] [] " + large);
  x.client.authorization = basic_authorization("admin", words("admin"));
  CHECK(x.say("PUT", large) == "200 PUT /x [Basic YWRtaW46YWRtaW4=] [] " + large);
}

TEST_CASE("a client with a password instead of a certificate is served under TLS") {
  temporary_folder pki;
  REQUIRE(pki_init(pki.path()));
  for (auto* name : {"dc1", "dc2"})
    REQUIRE(pki_issue(pki.path(), name));
  office x;
  x.server.security = http_security::server_tls;
  x.server.tls = {pki / "ca.pem", pki / "dc1.pem", pki / "dc1.key"};
  x.open();
  x.door->serve(echo);
  x.client.security = http_security::server_tls;
  x.client.tls.ca = pki / "ca.pem";
  x.client.expected_name = "qnfv:site:dc1";
  x.client.authorization = basic_authorization("admin", words("light"));
  CHECK(x.say("GET") == "200 GET /x [Basic YWRtaW46bGlnaHQ=] [] ");
  SECTION("not by another server") {
    x.client.expected_name = "qnfv:site:dc2";
    CHECK(x.say("GET") == "site_unreachable");
  }
  SECTION("not by a server of another authority") {
    temporary_folder other;
    REQUIRE(pki_init(other.path()));
    x.client.tls.ca = other / "ca.pem";
    CHECK(x.say("GET") == "site_unreachable");
  }
  SECTION("not without TLS") {
    x.client.security = http_security::plain;
    CHECK(x.say("GET") == "maybe_executed");
  }
  SECTION("not where certificates are asked for") {
    x.door->stop();
    x.server.security = http_security::mutual_tls;
    x.open();
    x.door->serve(echo);
    CHECK(x.say("GET") == "site_unreachable");
  }
  SECTION("an authority must be named") {
    x.client.tls.ca = pki / "dc1.key";
    CHECK(http_client::make(x.io.context(), x.client).error().code == ec::bad_config);
  }
}

TEST_CASE("without TLS nobody listens beyond loopback unless it is asked for") {
  office x;
  x.server.listen = "0.0.0.0:0";
  auto refused = http_door::open(x.io.context(), x.server);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ec::bad_config);
  x.server.plain_beyond_loopback = true;
  x.open();
}

TEST_CASE("a password is compared as a whole") {
  auto expected = basic_authorization("admin", words("admin"));
  CHECK(text(expected) == "Basic YWRtaW46YWRtaW4=");
  CHECK(same_authorization(expected, expected));
  CHECK(same_authorization(words("bASIC YWRtaW46YWRtaW4="), expected));
  for (auto* x : {"", "Basic", "Basic ", "Basic YWRtaW46YWRtaW4", "Basic YWRtaW46YWRtaW5=",
                  "Bearer YWRtaW46YWRtaW4=", "YWRtaW46YWRtaW4=", "Basic  YWRtaW46YWRtaW4="})
    CHECK_FALSE(same_authorization(words(x), expected));
  CHECK_FALSE(same_authorization(expected, {}));
  CHECK_FALSE(same_authorization({}, {}));
}

TEST_CASE("a door outlives who serves it") {
  office x;
  x.open();
  x.client.security = http_security::plain;
  CHECK(x.say("GET").rfind("503 ", 0) == 0);
  auto first = x.door->serve(echo);
  CHECK(x.say("GET").rfind("200 ", 0) == 0);
  auto second = x.door->serve(echo);
  x.door->leave(first); // Late: its successor stays.
  CHECK(x.say("GET").rfind("200 ", 0) == 0);
  x.door->leave(second);
  CHECK(x.say("GET").rfind("503 ", 0) == 0);
}

TEST_CASE("a request whose server dies is answered at once") {
  office x;
  x.open();
  x.client.security = http_security::plain;
  x.door->serve([](const http_request&, const http_reply&) {}); // The reply dies with who had it.
  CHECK(x.say("GET").rfind("503 ", 0) == 0);
  x.door->serve([](const http_request& request, const http_reply& reply) {
    echo(request, reply);
    reply({}); // Only the first answer counts.
  });
  CHECK(x.say("GET").rfind("200 ", 0) == 0);
}
