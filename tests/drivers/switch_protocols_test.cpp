// What the protocols of a switch carry beside the promises of the SWITCH DRIVER seam
// (tests/conformance/switch_test.cpp): raw clients of the emulated switch, and drivers of switches
// that talk nonsense.

#include "drivers/http/client.hpp"
#include "tests/support/switch_lab.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include <istream>
#include <thread>

using namespace qnfv;
using namespace qnfv::test;

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using fault = switch_fault::kind;

tcp::endpoint endpoint_of(const std::string& address) {
  auto port = std::stoi(address.substr(address.rfind(':') + 1));
  return {asio::ip::address_v4::loopback(), static_cast<uint16_t>(port)};
}

/// A client of SCPI that does exactly what it is told, and waits for it.
class raw_scpi {
public:
  explicit raw_scpi(const std::string& address) { socket_.connect(endpoint_of(address)); }

  void send(const std::string& text) { asio::write(socket_, asio::buffer(text), error); }
  std::string line() {
    asio::read_until(socket_, in_, '\n', error);
    std::string out;
    std::istream{&in_} >> std::ws;
    std::istream stream{&in_};
    std::getline(stream, out);
    return error ? "nothing: " + error.message() : out;
  }
  std::string ask(const std::string& text) {
    send(text + "\n");
    return line();
  }
  void end() { socket_.shutdown(tcp::socket::shutdown_send); }

  boost::system::error_code error;

private:
  asio::io_context io_;
  tcp::socket socket_{io_};
  asio::streambuf in_;
};

struct scpi_office : switch_lab {
  scpi_office() : switch_lab(switch_drivers().at("switch_scpi")) {
    // Only the raw client shall speak.
    caf::anon_send_exit(driver, caf::exit_reason::kill);
  }
};

struct restconf_office : switch_lab {
  restconf_office() : switch_lab(switch_drivers().at("switch_restconf")) {
    caf::anon_send_exit(driver, caf::exit_reason::kill);
  }
  std::string curl(const std::string& arguments, const std::string& path) {
    auto command = "curl -sS --noproxy '*' --max-time 20 -u admin:light " + arguments + " http://"
                   + address + path + " 2>&1";
    auto* pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe);
    std::string out;
    for (char part[1024]; auto n = ::fread(part, 1, sizeof part, pipe);)
      out.append(part, n);
    ::pclose(pipe);
    return out;
  }
  /// "204 "
  std::string status(const std::string& arguments, const std::string& path) {
    return curl("-o /dev/null -w '%{http_code}' " + arguments, path);
  }
  static std::string pairs(const std::string& list) {
    return "-X PATCH -H 'Content-Type: application/yang-data+json' -d '{\"pair\":[" + list + "]}'";
  }
};

const std::string pair_list = "/api/data/cross-connects/pair";

/// A switch that answers each line with what the test wants, on a thread of its own.
class odd_switch {
public:
  explicit odd_switch(std::function<std::string(const std::string&)> answer)
      : answer_(std::move(answer)), thread_([this] { serve(); }) {}
  ~odd_switch() {
    stopped_ = true;
    asio::io_context io;
    tcp::socket last{io};
    boost::system::error_code ignored;
    last.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  std::string address() { return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

private:
  void serve() {
    while (!stopped_) {
      boost::system::error_code error;
      tcp::socket s{io_};
      acceptor_.accept(s, error);
      asio::streambuf in;
      while (!error && !stopped_) {
        asio::read_until(s, in, '\n', error);
        std::string line;
        std::istream stream{&in};
        std::getline(stream, line);
        auto out = error ? std::string{} : answer_(line);
        if (out == "hang up")
          break;
        if (!error && !out.empty())
          asio::write(s, asio::buffer(out), error);
      }
    }
  }

  std::function<std::string(const std::string&)> answer_;
  asio::io_context io_;
  tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

/// A driver of a switch that is odd.
struct odd_lab {
  explicit odd_lab(const std::string& server, uint32_t answer_timeout_ms = 500) {
    switch_polled_config c;
    c.name = switch_id{"polatis1"};
    c.owner = w.spawn("co", switch_owner, ear);
    c.poll_ms = 20;
    c.retry_first_ms = 10;
    c.retry_max_ms = 50;
    scpi_client_settings s;
    s.server = server;
    s.answer_timeout = std::chrono::milliseconds{answer_timeout_ms};
    REQUIRE(use_scpi(c, w.site("co"), s));
    driver = w.spawn("co", switch_polled, c);
  }
  ~odd_lab() { caf::anon_send_exit(driver, caf::exit_reason::kill); }
  switch_status status() { return *w.ask<switch_status>(driver, switch_status_query{}); }
  ec connect(port_number in, port_number out) {
    auto x = w.ask<accepted>(driver, cross_connect{{in, out}});
    return x ? ec::none : x.error().code;
  }

  std::shared_ptr<switch_ear> ear = std::make_shared<switch_ear>();
  real_world w;
  switch_driver_actor driver;
};

/// What a 4x4 switch says when all is well and nothing is joined.
std::string plain_answer(const std::string& line) {
  if (line == "*idn?")
    return "Polatis,I-OST-4x4,1,6\n";
  if (line == ":oxc:swit:size?")
    return "4,4\r\n";
  if (line == ":oxc:swit:conn:stat?")
    return "(@),(@)\n";
  if (line.rfind(":oxc:swit:port:stat?", 0) == 0)
    return "(E,E,E,E,E,E,E,E)\n";
  if (line.rfind("*cls", 0) == 0)
    return "1\n";
  return "0,\"No error\"\n";
}

} // namespace

// -- SCPI -----------------------------------------------------------------------------------------

TEST_CASE("a raw client turns the emulated switch in SCPI") {
  scpi_office x;
  raw_scpi me{x.address};
  CHECK(me.ask("*IDN?") == "Polatis,I-OST-4x4-LU1-DMHNS,000001,6.5.2.18");
  CHECK(me.ask(":OXC:SWITch:SIZE?\r") == "4,4");
  CHECK(me.ask(":oxc:swit:conn:stat?") == "(@),(@)");
  CHECK(me.ask("*cls;:oxc:swit:conn:add (@1,2),(@6,5);*opc?") == "1");
  CHECK(me.ask(":oxc:swit:conn:stat?") == "(@1,2),(@6,5)");
  CHECK(me.ask(":oxc:swit:conn:port? 2;port? 6;port? 3") == "\"5\";\"1\";\"\"");
  CHECK(me.ask(":oxc:swit:conn:only (@2,3),(@6,5);stat?") == "(@2,3),(@6,5)");
  CHECK(me.ask(":oxc:swit:conn:sub (@2),(@);stat?") == "(@3),(@5)");
  CHECK(me.ask(":oxc:swit:conn:sub (@3),(@6);stat?") == "(@3),(@5)");
  CHECK(me.ask(":syst:err:all?") == "0,\"No error\"");
  CHECK(me.ask(":oxc:swit:disc:all;*rst;:oxc:swit:conn:stat?") == "(@),(@)");
  CHECK(me.ask(":syst:comm:netw:addr?").rfind("IP=\"", 0) == 0);
}

TEST_CASE("an emulated switch keeps what went wrong in each client's own queue") {
  scpi_office x;
  raw_scpi me{x.address}, other{x.address};
  CHECK(me.ask(":oxc:swit:conn:add (@1),(@5);add (@1),(@6);add (@9),(@5);nonsense;*opc?") == "1");
  auto errors = parse_scpi_errors(me.ask(":syst:err:all?"));
  REQUIRE(errors);
  REQUIRE(errors->size() == 3);
  CHECK((*errors)[0].code == -221);
  CHECK((*errors)[1].code == -222);
  CHECK((*errors)[2].code == -113);
  CHECK(other.ask(":syst:err:all?") == "0,\"No error\"");
  CHECK(me.ask(":syst:err:all?") == "0,\"No error\"");
  x.fault({fault::stuck, 2});
  CHECK(me.ask(":oxc:swit:conn:add (@2),(@6);:syst:err:all?").rfind("-240,", 0) == 0);
}

TEST_CASE("ports of an emulated switch are disabled and enabled in SCPI") {
  scpi_office x;
  raw_scpi me{x.address};
  x.fault({fault::stuck, 2});
  CHECK(me.ask(":oxc:swit:port:dis (@2,4);stat? (@1,2,3,4)") == "(E,D,E,D)");
  CHECK(me.ask(":oxc:swit:port:enab (@4,1);stat? (@1,2,3,4)") == "(E,D,E,E)");
  CHECK(me.ask(":oxc:swit:port:stat? (@9);:syst:err:all?").rfind("-222,", 0) == 0);
}

TEST_CASE("lines may come in pieces, together, too long, and before the client ends its side") {
  scpi_office x;
  raw_scpi me{x.address};
  me.send(":oxc:swit");
  me.send(":size?\n*opc?\n\n;\n");
  CHECK(me.line() == "4,4");
  CHECK(me.line() == "1");
  me.send(std::string(3 * scpi_line_max, 'x') + "\n*opc?\n");
  CHECK(me.line() == "1");
  CHECK(me.ask(":syst:err:all?") == "-223,\"Too much data\"");
  me.send(":oxc:swit:conn:add (@1),(@5);*opc?\n:oxc:swit:conn:stat?");
  me.end();
  CHECK(me.line() == "1");
  CHECK(me.line() == "(@1),(@5)");
  CHECK(me.line().rfind("nothing", 0) == 0);
}

TEST_CASE("too many SCPI clients are sent away, and a lost command is not answered") {
  scpi_office x;
  std::vector<std::unique_ptr<raw_scpi>> many;
  for (size_t i = 0; i < scpi_port_settings{}.connections_max; ++i) {
    many.push_back(std::make_unique<raw_scpi>(x.address));
    // The killed driver's own connection may hold a place until it is noticed.
    if (many.back()->ask("*opc?") != "1")
      many.pop_back();
  }
  raw_scpi late{x.address};
  CHECK(late.ask("*opc?").rfind("nothing", 0) == 0);
  x.fault({fault::lost, 1});
  many[0]->send(":oxc:swit:conn:add (@1),(@5);*opc?\n*opc?;:oxc:swit:size?\n");
  CHECK(many[0]->line() == "1;4,4");
}

TEST_CASE("a port of SCPI does not open beyond loopback unless it is asked to") {
  real_world w;
  scpi_port_settings s;
  for (auto* bad : {"", "host:1", "1.2.3.4", "0.0.0.0:0", "127.0.0.1:x"}) {
    s.listen = bad;
    auto x = scpi_port::open(w.io()->context(), s);
    REQUIRE_FALSE(x);
    CHECK(x.error().code == ec::bad_config);
  }
  s.listen = "127.0.0.1:0";
  auto x = scpi_port::open(w.io()->context(), s);
  REQUIRE(x);
  s.listen = (*x)->address();
  CHECK(scpi_port::open(w.io()->context(), s).error().code == ec::site_unreachable);
}

TEST_CASE("nonsense of a switch is counted and ignored, and the answer behind it is taken") {
  odd_switch s{[](const std::string& line) {
    return "\x01\xff hello\n(@1),(@\nWARNING fan 3\n" + plain_answer(line);
  }};
  odd_lab x{s.address()};
  x.ear->next(switch_event::kind::connected);
  CHECK(x.status().model == "Polatis I-OST-4x4");
  CHECK(x.status().ignored >= 3);
}

TEST_CASE("a switch that says yes and does nothing is found out by reading it back") {
  odd_switch s{plain_answer};
  odd_lab x{s.address()};
  CHECK(x.connect(1, 5) == ec::device_failed);
  CHECK(x.status().mismatches == 1);
  CHECK(x.status().reachable);
}

TEST_CASE("a switch that refuses is believed") {
  int code = 0;
  ec meaning = ec::none;
  SECTION("the ports are taken") {
    code = -221;
    meaning = ec::busy;
  }
  SECTION("no such port") {
    code = -222;
    meaning = ec::invalid_argument;
  }
  SECTION("a command that it does not know") {
    code = -113;
    meaning = ec::device_failed;
  }
  odd_switch s{[code](const std::string& line) {
    return line == ":syst:err:all?" ? std::to_string(code) + ",\"no\"\n" : plain_answer(line);
  }};
  odd_lab x{s.address()};
  CHECK(x.connect(1, 5) == meaning);
}

TEST_CASE("a switch that is silent or hangs up before a command is unreachable, after it maybe") {
  std::atomic<bool> deaf{false};
  std::string how = GENERATE("", "hang up");
  odd_switch s{[&deaf, how](const std::string& line) {
    if (line.rfind("*cls", 0) == 0)
      return how;
    return deaf ? std::string{"hang up"} : plain_answer(line);
  }};
  odd_lab x{s.address(), 200};
  CHECK(x.connect(1, 5) == ec::maybe_executed);
  x.ear->next(switch_event::kind::gone);
  deaf = true;
  CHECK(x.connect(1, 5) == ec::site_unreachable);
  CHECK_FALSE(x.status().reachable);
  deaf = false;
  x.ear->next(switch_event::kind::connected);
}

TEST_CASE("a switch that never ends its line, or has no ports, is not taken for one") {
  SECTION("endless") {
    odd_switch s{[](const std::string&) { return std::string(2 * scpi_line_max, 'x'); }};
    odd_lab x{s.address()};
    CHECK(x.connect(1, 5) == ec::site_unreachable);
  }
  SECTION("not N x N") {
    odd_switch s{[](const std::string& line) {
      return line == ":oxc:swit:size?" ? "4,8\n" : plain_answer(line);
    }};
    odd_lab x{s.address()};
    CHECK(x.connect(1, 5) == ec::site_unreachable);
    CHECK(x.status().trouble.find("N x N") != std::string::npos);
  }
}

TEST_CASE("a failed port is told once") {
  std::atomic<bool> failed{false};
  odd_switch s{[&failed](const std::string& line) {
    return failed && line.rfind(":oxc:swit:port:stat?", 0) == 0 ? "(E,F,E,E,E,E,E,E)\n"
                                                                : plain_answer(line);
  }};
  odd_lab x{s.address()};
  x.ear->next(switch_event::kind::connected);
  failed = true;
  CHECK(x.ear->next(switch_event::kind::port_failed).port == 2);
  CHECK(x.status().failed == std::vector<port_number>{2});
  failed = false;
  CHECK(x.ear->next(switch_event::kind::light_back).port == 2);
}

TEST_CASE("wrong addresses of a switch are refused with a reason") {
  real_world w;
  switch_polled_config c;
  for (auto* bad : {"", "host", "host:", "host:0", "a b:1"}) {
    scpi_client_settings s;
    s.server = bad;
    CHECK(use_scpi(c, w.site("co"), s).error().code == ec::bad_config);
    restconf_settings r;
    r.security = http_security::plain;
    r.server = bad;
    CHECK(use_restconf(c, w.site("co"), r).error().code == ec::bad_config);
  }
  restconf_settings r;
  r.server = "127.0.0.1:443";
  r.ca = "nothing.pem";
  CHECK(use_restconf(c, w.site("co"), r).error().code == ec::bad_config);
}

// -- RESTCONF -------------------------------------------------------------------------------------

TEST_CASE("curl turns the emulated switch in RESTCONF") {
  restconf_office x;
  auto one = [](int in, int out) {
    return "{\"ingress\":" + std::to_string(in) + ",\"egress\":" + std::to_string(out) + "}";
  };
  CHECK(x.curl("", pair_list) == R"({"optical-switch:pair":[]})");
  CHECK(x.status(restconf_office::pairs(one(1, 5) + "," + one(2, 6)), pair_list) == "204");
  CHECK(x.curl("", pair_list)
        == R"({"optical-switch:pair":[{"ingress":1,"egress":5},{"ingress":2,"egress":6}]})");
  CHECK(x.curl("", pair_list + "=2") == R"({"optical-switch:pair":[{"ingress":2,"egress":6}]})");
  CHECK(x.curl("", "/api/data/optical-switch:cross-connects")
          .rfind(R"({"optical-switch:cross-connects":{"pair":[)", 0)
        == 0);
  CHECK(x.status("-X DELETE", pair_list + "=2") == "204");
  CHECK(x.status("-X DELETE", pair_list + "=2") == "404");
  CHECK(x.status("", pair_list + "=2") == "404");
  CHECK(x.w.ask<cross_connections>(x.glass, read_cross_connections{})->joined
        == std::vector<cross_connection>{{1, 5}});
  CHECK(x.curl("", "/api/data/product-information").find("\"model-name\":\"I-OST-4x4-LU1-DMHNS\"")
        != std::string::npos);
  CHECK(x.curl("", "/api/data/port-config/port=5")
        == R"({"optical-switch:port":[{"port-id":5,"status":"ENABLED"}]})");
}

TEST_CASE("what cannot be done as a whole changes nothing, and says why") {
  restconf_office x;
  REQUIRE(x.status(restconf_office::pairs(R"({"ingress":1,"egress":5})"), pair_list) == "204");
  auto refused = x.curl(
    restconf_office::pairs(R"({"ingress":2,"egress":6},{"ingress":3,"egress":5})"), pair_list);
  CHECK(parse_restconf_error(refused).tag == "in-use");
  CHECK(x.status(restconf_office::pairs(R"({"ingress":3,"egress":6},{"ingress":3,"egress":7})"),
                 pair_list)
        == "409");
  CHECK(x.status(restconf_office::pairs(R"({"ingress":3,"egress":9})"), pair_list) == "400");
  CHECK(x.status("-X PATCH -d '{'", pair_list) == "415"); // curl says it is a form.
  CHECK(x.status("-X PATCH -H 'Content-Type: application/json' -d '{'", pair_list) == "400");
  CHECK(x.curl("", pair_list) == R"({"optical-switch:pair":[{"ingress":1,"egress":5}]})");
  x.fault({fault::stuck, 2});
  CHECK(x.status(restconf_office::pairs(R"({"ingress":2,"egress":6})"), pair_list) == "500");
}

TEST_CASE("RESTCONF wants a password, known resources, and the methods that they have") {
  restconf_office x;
  CHECK(x.status("-u admin:dark", pair_list) == "401");
  CHECK(x.status("-H 'Authorization:'", pair_list) == "401");
  CHECK(x.status("", "/api/data/nothing") == "404");
  CHECK(x.status("", "/api/data/cross-connects/pairs") == "404");
  CHECK(x.status("-X PUT -H 'Content-Type: application/json' -d '{}'", pair_list) == "405");
  CHECK(x.status("-X DELETE", "/api/data/product-information") == "405");
}

TEST_CASE("an entity tag saves an answer that is known") {
  restconf_office x;
  auto header = x.curl("-i", pair_list);
  auto at = header.find("ETag: ");
  REQUIRE(at != std::string::npos);
  auto tag = header.substr(at + 6, 18);
  auto known = "-H 'If-None-Match: " + tag + "'";
  CHECK(x.status(known, pair_list) == "304");
  REQUIRE(x.status(restconf_office::pairs(R"({"ingress":1,"egress":5})"), pair_list) == "204");
  CHECK(x.status(known, pair_list) == "200");
}

TEST_CASE("ports of an emulated switch are disabled and enabled in RESTCONF") {
  restconf_office x;
  auto set = [&](const std::string& input) {
    return x.status("-H 'Content-Type: application/json' -d '{\"input\":" + input + "}'",
                    "/api/operations/optical-switch:port-set-state");
  };
  CHECK(set(R"({"port-disab":[5]})") == "204");
  CHECK(x.curl("", "/api/data/port-config/port=5").find("DISABLED") != std::string::npos);
  CHECK(set(R"({"port-enab":[5]})") == "204");
  CHECK(x.curl("", "/api/data/port-config/port=5").find("ENABLED") != std::string::npos);
  CHECK(set(R"({"port-enab":5})") == "400");
}

TEST_CASE("a switch that does not take our password, or answers nonsense, is not reached") {
  real_world w;
  auto ear = std::make_shared<switch_ear>();
  std::atomic<int> status{401};
  http_server_settings s;
  s.listen = "127.0.0.1:0";
  s.security = http_security::plain;
  auto server =
    http_server::start(w.io()->context(), s, [&](const http_request&, const http_reply& reply) {
      http_response x;
      x.status = static_cast<uint16_t>(status.load());
      x.body = secret{byte_view{std::string_view{"<html>nonsense</html>"}}};
      reply(std::move(x));
    });
  REQUIRE(server);
  switch_polled_config c;
  c.name = switch_id{"polatis1"};
  c.retry_first_ms = 60000;
  restconf_settings r;
  r.server = "127.0.0.1:" + std::to_string((*server)->port());
  r.security = http_security::plain;
  r.user = "admin";
  r.password = switch_password();
  REQUIRE(use_restconf(c, w.site("co"), r));
  auto driver = w.spawn("co", switch_polled, c);
  for (int code : {401, 200, 500}) {
    status = code;
    auto x = w.ask<accepted>(driver, cross_connect{{1, 5}});
    REQUIRE_FALSE(x);
    CHECK(x.error().code == ec::site_unreachable);
    CHECK(x.error().text.find("light") == std::string::npos);
  }
  CHECK(w.ask<switch_status>(driver, switch_status_query{})->ignored >= 1);
  caf::anon_send_exit(driver, caf::exit_reason::kill);
  (*server)->stop();
}
