#include "drivers/http/basic_auth.hpp"
#include "drivers/http/client.hpp"
#include "drivers/northbound/northbound.hpp"
#include "tests/support/real_world.hpp"

#include <catch2/catch.hpp>

#include <cstdio>

using namespace qnfv;
using namespace qnfv::test;
using namespace std::chrono_literals;

namespace {

const switch_id polatis{"polatis1"};
const std::string prefix = northbound_prefix;
const std::string node = prefix + "/default/node/OF/00:00:00:00:00:00:05:1e";

secret words(const std::string& x) {
  return secret{byte_view{x}};
}

struct book {
  std::mutex mutex;
  std::map<std::string, put_flow> flows;
  std::vector<std::string> asked;
  ec refuse_with = ec::none; ///< Every put from now on.
};

struct fake_state {
  static inline const char* name = "sdn_controller";
};

/// Stores flows as a controller with one switch of 64 x 64 would.
sdn_controller_actor::behavior_type fake_controller(stateful<sdn_controller_actor, fake_state>*,
                                                    std::shared_ptr<book> b) {
  auto no = [] { return fail(ec::invalid_argument, "not here"); };
  return {
    [no](const connect_path&) -> caf::result<path_ready> { return no(); },
    [no](const release_path&) -> caf::result<accepted> { return no(); },
    [b](const put_flow& x) -> caf::result<flow_stored> {
      std::lock_guard<std::mutex> guard{b->mutex};
      b->asked.push_back("put " + x.name + " " + std::to_string(x.ports.in) + "->"
                         + std::to_string(x.ports.out));
      if (b->refuse_with != ec::none)
        return fail(b->refuse_with, "as the test wants");
      for (auto& [name, y] : b->flows)
        if (name != x.name && (y.ports.in == x.ports.in || y.ports.out == x.ports.out))
          return fail(ec::busy, "taken by flow " + name);
      auto replaced = b->flows.count(x.name) > 0;
      b->flows[x.name] = x;
      return flow_stored{replaced};
    },
    [b](const remove_flow& x) -> caf::result<accepted> {
      std::lock_guard<std::mutex> guard{b->mutex};
      b->asked.push_back("remove " + x.name);
      if (b->flows.erase(x.name) == 0)
        return fail(ec::not_found, "no flow " + x.name);
      return accepted{};
    },
    [b](const paths_query&) {
      std::lock_guard<std::mutex> guard{b->mutex};
      path_list out;
      path_status other;
      other.path.path = "bob1/alice1";
      other.path.hops = {{polatis, {60, 124}}};
      out.paths.push_back(other);
      for (auto& [name, x] : b->flows) {
        path_status p;
        p.path.path = "flow " + name;
        p.path.hops = {{x.at, x.ports}};
        out.paths.push_back(p);
      }
      return out;
    },
    [](const switch_event&) {},
    [](const tick&) {},
    [](const continuation&) {},
    [](const peer_up&) {},
    [](const peer_down&) {},
  };
}

struct office {
  office() {
    auto opened = http_door::open(w.io()->context(), northbound_http("127.0.0.1:0"));
    REQUIRE(opened);
    config.door = *opened;
    config.controller = w.spawn("co", fake_controller, b);
    config.nodes = {{0x51e, polatis}, {0x51f, switch_id{"polatis2"}}};
    config.authorization = basic_authorization("admin", words("admin"));
    start();
  }
  ~office() { config.door->stop(); }

  void start() {
    service = w.spawn("co", northbound, config);
    waiter<bool> begun; // An actor begins on a thread of its own.
    continue_at(service, [say = begun.callback()] { say(true); });
    begun.get();
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(config.door->port()); }

  static std::string flow(const std::string& name, int in, int out,
                          const std::string& id = "00:00:00:00:00:00:05:1e",
                          const std::string& install = "true") {
    return R"({"installInHw":")" + install + R"(","name":")" + name
           + R"(","node":{"type":"OF","id":")" + id + R"("},"ingressPort":")" + std::to_string(in)
           + R"(","priority":"500","actions":["OUTPUT=)" + std::to_string(out) + R"("]})";
  }

  /// "201 Success"
  std::string say(const std::string& method, const std::string& target,
                  const std::string& body = {}, const std::string& password = "admin",
                  const std::string& type = "application/json") {
    http_client_settings s;
    s.server = address();
    s.security = http_security::plain;
    s.content_type = type;
    if (!password.empty())
      s.authorization = basic_authorization("admin", words(password));
    auto client = *http_client::make(w.io()->context(), s);
    waiter<result<client_response>> answer;
    client->send(method, target, byte_view{body}, answer.callback());
    auto x = answer.get();
    if (!x)
      return describe(x.error());
    return std::to_string(x->status) + " "
           + std::string{x->body.view().begin(), x->body.view().end()};
  }
  int status(const std::string& method, const std::string& target, const std::string& body = {},
             const std::string& password = "admin", const std::string& type = "application/json") {
    return std::stoi(say(method, target, body, password, type));
  }
  int put(const std::string& name, int in, int out) {
    return status("PUT", node + "/staticFlow/" + name, flow(name, in, out));
  }
  std::vector<std::string> asked() {
    std::lock_guard<std::mutex> guard{b->mutex};
    return b->asked;
  }
  void refuse_with(ec code) {
    std::lock_guard<std::mutex> guard{b->mutex};
    b->refuse_with = code;
  }

  std::shared_ptr<book> b = std::make_shared<book>();
  real_world w;
  northbound_config config;
  northbound_actor service;
};

std::string run(const std::string& command) {
  auto* pipe = ::popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe);
  std::string out;
  for (char part[1024]; auto n = ::fread(part, 1, sizeof part, pipe);)
    out.append(part, n);
  ::pclose(pipe);
  return out;
}

} // namespace

TEST_CASE("the two PUTs of the paper's Fig. 12, by curl: 201 Created (text/plain)") {
  office x;
  auto put = [&](const std::string& name, int in, int out) {
    return run("curl -sS --noproxy '*' --max-time 20 -u admin:admin -X PUT"
               " -H 'Content-Type: application/json' -d '"
               + office::flow(name, in, out) + "' -w ' %{http_code} %{content_type}' http://"
               + x.address() + node + "/staticFlow/" + name);
  };
  CHECK(put("s1", 1, 25) == "Success 201 text/plain");
  CHECK(put("s2", 2, 26) == "Success 201 text/plain");
  CHECK(x.asked() == std::vector<std::string>{"put s1 1->25", "put s2 2->26"});
  CHECK(put("s2", 2, 26) == "Success 200 text/plain");
}

TEST_CASE("a flow is put, read, replaced, toggled and deleted") {
  office x;
  auto at = node + "/staticFlow/xc-1-25";
  CHECK(x.say("PUT", at, office::flow("xc-1-25", 1, 25)) == "201 Success");
  CHECK(x.say("GET", at) == "200 " + office::flow("xc-1-25", 1, 25));
  CHECK(x.say("PUT", at, office::flow("xc-1-25", 1, 26)) == "200 Success");
  auto list = R"(200 {"flowConfig":[)" + office::flow("xc-1-25", 1, 26) + "]}";
  CHECK(x.say("GET", node) == list);
  CHECK(x.say("GET", prefix + "/default") == list);
  CHECK(x.say("GET", prefix + "/default/node/OF/00:00:00:00:00:00:05:1f")
        == R"(200 {"flowConfig":[]})");
  CHECK(x.say("POST", at) == "200 Success");
  CHECK(x.asked().back() == "remove xc-1-25");
  CHECK(x.say("GET", at)
        == "200 " + office::flow("xc-1-25", 1, 26, "00:00:00:00:00:00:05:1e", "false"));
  CHECK(x.say("POST", at) == "200 Success");
  CHECK(x.asked().back() == "put xc-1-25 1->26");
  CHECK(x.say("DELETE", at) == "204 ");
  CHECK(x.status("GET", at) == 404);
  CHECK(x.status("DELETE", at) == 404);
  CHECK(x.status("POST", at) == 404);
  CHECK(x.say("GET", node) == R"(200 {"flowConfig":[]})");
}

TEST_CASE("a flow that shall not be installed is remembered only") {
  office x;
  auto at = node + "/staticFlow/a";
  auto body = office::flow("a", 1, 25, "00:00:00:00:00:00:05:1e", "false");
  CHECK(x.say("PUT", at, body) == "201 Success");
  CHECK(x.say("GET", at) == "200 " + body);
  CHECK(x.asked() == std::vector<std::string>{"remove a"});
  CHECK(x.say("PUT", at, office::flow("a", 1, 25)) == "200 Success");
  CHECK(x.asked().back() == "put a 1->25");
  CHECK(x.say("DELETE", at) == "204 ");
}

TEST_CASE("XML is understood; other media are not") {
  office x;
  auto xml =
    "<flowConfig><name>a</name><node><id>00:00:00:00:00:00:05:1E</id><type>OF</type></node>"
    "<ingressPort>1</ingressPort><actions>OUTPUT=25</actions></flowConfig>";
  auto at = node + "/staticFlow/a";
  CHECK(x.say("PUT", at, xml, "admin", "application/xml") == "201 Success");
  CHECK(x.say("GET", at) == "200 " + office::flow("a", 1, 25));
  CHECK(x.status("PUT", at, office::flow("a", 1, 25), "admin", "text/plain") == 415);
}

TEST_CASE("nobody is served without the password") {
  office x;
  CHECK(x.status("GET", node, {}, "") == 401);
  CHECK(x.status("GET", node, {}, "Admin") == 401);
  CHECK(x.status("GET", node, {}, "admin1") == 401);
  CHECK(x.status("PUT", node + "/staticFlow/a", office::flow("a", 1, 25), "") == 401);
  CHECK(x.asked().empty());
  auto header = run("curl -sS --noproxy '*' -i http://" + x.address() + node);
  CHECK(header.find("WWW-Authenticate: Basic realm=\"opendaylight\"") != std::string::npos);
  auto lower = run("curl -sS --noproxy '*' -H 'authorization: basic YWRtaW46YWRtaW4=' http://"
                   + x.address() + node);
  CHECK(lower == R"({"flowConfig":[]})");
}

TEST_CASE("what is wrong with a request has a status of its own, and no effect") {
  office x;
  auto at = node + "/staticFlow/a";
  auto good = office::flow("a", 1, 25);
  CHECK(x.status("PUT", at, "{") == 400);
  CHECK(x.status("PUT", at, "{}") == 400);
  CHECK(x.status("PUT", at, office::flow("a", 0, 25)) == 400);
  CHECK(x.status("PUT", at, std::string(100, '[')) == 400);
  CHECK(x.status("PUT", node + "/staticFlow/..", good) == 400);
  CHECK(x.status("PUT", node + "/staticFlow/a%2Fb", good) == 400);
  CHECK(x.status("PUT", node + "/staticFlow/b", good) == 405);
  CHECK(x.status("PUT", at, office::flow("a", 1, 25, "00:00:00:00:00:00:05:1f")) == 405);
  CHECK(x.status("PUT", prefix + "/default/node/OF/00:00:00:00:00:00:05:20/staticFlow/a", good)
        == 404);
  CHECK(x.status("PUT", prefix + "/default/node/XX/00:00:00:00:00:00:05:1e/staticFlow/a", good)
        == 404);
  CHECK(x.status("PUT", prefix + "/other/node/OF/00:00:00:00:00:00:05:1e/staticFlow/a", good)
        == 404);
  CHECK(x.status("GET", "/controller/nb/v2/topology/default") == 404);
  CHECK(x.status("PATCH", at, good) == 405);
  CHECK(x.status("DELETE", node) == 405);
  CHECK(x.status("PUT", at, std::string((1u << 20) + 1, ' ')) == 413);
  CHECK(x.asked().empty());
}

TEST_CASE("ports and names that are taken are conflicts") {
  office x;
  CHECK(x.put("a", 1, 25) == 201);
  CHECK(x.put("b", 1, 26) == 409);
  CHECK(x.put("b", 2, 25) == 409);
  auto elsewhere = prefix + "/default/node/OF/00:00:00:00:00:00:05:1f/staticFlow/a";
  CHECK(x.status("PUT", elsewhere, office::flow("a", 3, 27, "00:00:00:00:00:00:05:1f")) == 409);
}

TEST_CASE("what the controller says has a status") {
  office x;
  x.refuse_with(ec::site_unreachable);
  CHECK(x.put("a", 1, 25) == 503);
  x.refuse_with(ec::maybe_executed);
  CHECK(x.put("a", 1, 25) == 503);
  x.refuse_with(ec::device_failed);
  CHECK(x.put("a", 1, 25) == 500);
  x.refuse_with(ec::invalid_argument);
  CHECK(x.put("a", 1, 25) == 400);
}

TEST_CASE("flows are bounded, and a controller that is gone is a 503") {
  office x;
  caf::anon_send_exit(x.service, caf::exit_reason::kill);
  x.config.flows_max = 2;
  x.start();
  CHECK(x.put("a", 1, 25) == 201);
  CHECK(x.put("b", 2, 26) == 201);
  CHECK(x.put("c", 3, 27) == 503);
  CHECK(x.put("a", 1, 27) == 200);
  {
    std::lock_guard<std::mutex> guard{x.b->mutex};
    x.b->flows.erase("b"); // By somebody else.
  }
  CHECK(x.put("c", 3, 25) == 201);
  caf::anon_send_exit(x.config.controller, caf::exit_reason::kill);
  CHECK(x.put("a", 1, 28) == 503);
}

TEST_CASE("while nobody serves, the door says 503; beyond loopback it does not open") {
  office x;
  caf::anon_send_exit(x.service, caf::exit_reason::kill);
  for (auto end = std::chrono::steady_clock::now() + 10s; x.status("GET", node) != 503;)
    REQUIRE(std::chrono::steady_clock::now() < end);
  x.start();
  CHECK(x.status("GET", node) == 200);
  auto open = http_door::open(x.w.io()->context(), northbound_http("0.0.0.0:0"));
  REQUIRE_FALSE(open);
  CHECK(open.error().code == ec::bad_config);
}
