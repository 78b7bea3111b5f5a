#include "drivers/http/client.hpp"
#include "drivers/http/server.hpp"
#include "drivers/http/tls.hpp"
#include "runtime/system/io.hpp"
#include "runtime/tls/pki.hpp"
#include "tests/support/folder.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>

#include <openssl/ssl.h>

#include <atomic>
#include <cstdio>
#include <future>
#include <mutex>
#include <thread>

using namespace qnfv;
using namespace std::chrono_literals;

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using outcome = result<client_response>;

std::string text(const secret& x) {
  return {x.view().begin(), x.view().end()};
}

http_response answer_of(const std::string& body) {
  http_response out;
  out.body = secret{byte_view{body}};
  return out;
}

/// "GET /x [operator] body": what the handler was given.
void echo(const http_request& x, const http_reply& reply) {
  reply(answer_of(x.method + " " + x.target + " [" + x.caller.common_name + "] " + x.body));
}

template <class Condition>
bool until(Condition met) {
  for (auto end = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < end;) {
    if (met())
      return true;
    std::this_thread::yield();
  }
  return false;
}

struct authority {
  authority() {
    REQUIRE(pki_init(folder.path()));
    for (auto* name : {"dc1", "operator"})
      REQUIRE(pki_issue(folder.path(), name));
  }
  tls_files files(const std::string& name) const {
    return {folder / "ca.pem", folder / (name + ".pem"), folder / (name + ".key")};
  }
  test::temporary_folder folder;
};

/// A client that does exactly what it is told, and waits for it.
class raw_client {
public:
  raw_client(std::shared_ptr<asio::ssl::context> tls, uint16_t port)
    : tls_(std::move(tls)), stream_(io_, *tls_) {
    stream_.next_layer().connect({asio::ip::address_v4::loopback(), port}, error);
    if (!error)
      stream_.handshake(asio::ssl::stream_base::client, error);
  }
  void write(const std::string& x) { asio::write(stream_, asio::buffer(x), error); }
  /// What comes until `end` has come, or until nothing more comes.
  std::string read(const std::string& end = "no such thing") {
    std::string out;
    char part[4096];
    while (!error && out.find(end) == std::string::npos)
      out.append(part, stream_.read_some(asio::buffer(part), error));
    return out;
  }
  SSL* ssl() { return stream_.native_handle(); }

  boost::system::error_code error;

private:
  asio::io_context io_;
  std::shared_ptr<asio::ssl::context> tls_;
  asio::ssl::stream<tcp::socket> stream_;
};

struct office {
  office() {
    settings.listen = "127.0.0.1:0";
    settings.tls = lab.files("dc1");
  }

  void open(http_handler handler = echo) {
    auto x = http_server::start(io.context(), settings, std::move(handler));
    INFO((x ? "" : x.error().text));
    REQUIRE(x);
    server = *x;
    settings.listen = "127.0.0.1:" + std::to_string(server->port());
  }

  http_client_settings to_server() const {
    http_client_settings x;
    x.server = settings.listen;
    x.tls = lab.files("operator");
    x.expected_name = "qnfv:site:dc1";
    return x;
  }

  std::shared_ptr<http_client> client() { return client(to_server()); }
  std::shared_ptr<http_client> client(const http_client_settings& x) {
    auto made = http_client::make(io.context(), x);
    INFO((made ? "" : made.error().text));
    REQUIRE(made);
    return *made;
  }

  std::unique_ptr<raw_client> raw(int version = TLS1_3_VERSION) {
    auto tls = make_http_client_context(lab.files("operator"));
    REQUIRE(tls);
    SSL_CTX_set_max_proto_version((*tls)->native_handle(), version);
    return std::make_unique<raw_client>(*tls, server->port());
  }

  static std::future<outcome> send(http_client& x, const std::string& method,
                                   const std::string& target, const std::string& body = {}) {
    auto promise = std::make_shared<std::promise<outcome>>();
    x.send(method, target, byte_view{body}, [promise](outcome y) { promise->set_value(std::move(y)); });
    return promise->get_future();
  }

  static outcome ask(http_client& x, const std::string& method, const std::string& target,
                     const std::string& body = {}) {
    auto answer = send(x, method, target, body);
    REQUIRE(answer.wait_for(20s) == std::future_status::ready);
    return answer.get();
  }

  static std::string said(const outcome& x) {
    return x ? std::to_string(x->status) + " " + text(x->body)
             : to_string(x.error().code) + ": " + x.error().text;
  }

  authority lab;
  http_server_settings settings;
  io_pool io{2};
  std::shared_ptr<http_server> server;
};

/// Keeps what it is asked until somebody answers.
struct keeper {
  http_handler handler() {
    return [this](http_request, http_reply reply) {
      std::lock_guard<std::mutex> guard{mutex};
      replies.push_back(std::move(reply));
      ++count;
    };
  }
  bool has(int n) {
    return until([&] { return count >= n; });
  }
  std::mutex mutex;
  std::vector<http_reply> replies;
  std::atomic<int> count{0};
};

} // namespace

TEST_CASE_METHOD(office, "a request reaches the handler and its answer the client") {
  open();
  auto me = client();
  CHECK(said(ask(*me, "GET", "/api/v1/keys?number=2")) == "200 GET /api/v1/keys?number=2 [operator] ");
  CHECK(said(ask(*me, "POST", "/keys", "{\"number\": 1}"))
        == "200 POST /keys [operator] {\"number\": 1}");
  CHECK(me->connections() == 1);
}

TEST_CASE_METHOD(office, "the handler learns the names in the caller's certificate") {
  caller_names seen;
  open([&](http_request x, const http_reply& reply) {
    seen = x.caller;
    reply({});
  });
  REQUIRE(ask(*client(), "GET", "/"));
  CHECK(seen.common_name == "operator");
  CHECK(seen.dns == std::vector<std::string>{"operator"});
  CHECK(seen.uris == std::vector<std::string>{"qnfv:site:operator"});
}

TEST_CASE_METHOD(office, "without a certificate there is no connection") {
  std::atomic<int> calls{0};
  open([&](http_request, const http_reply&) { ++calls; });
  auto version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  auto tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls);
  SSL_CTX_set_max_proto_version(tls->native_handle(), version);
  raw_client nobody{tls, server->port()};
  // In TLS 1.3 the client learns of it after its own side of the handshake.
  if (version == TLS1_2_VERSION)
    CHECK(nobody.error);
  nobody.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(nobody.read().empty());
  CHECK(nobody.error);
  CHECK(calls == 0);
}

TEST_CASE_METHOD(office, "a certificate of another authority is refused") {
  std::atomic<int> calls{0};
  open([&](http_request, const http_reply&) { ++calls; });
  authority other;
  auto tls = make_http_client_context(other.files("operator"));
  REQUIRE(tls);
  SSL_CTX_set_verify((*tls)->native_handle(), SSL_VERIFY_NONE, nullptr);
  raw_client stranger{*tls, server->port()};
  stranger.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(stranger.read().empty());
  CHECK(calls == 0);
}

TEST_CASE_METHOD(office, "a client refuses a server of another authority, or of another name") {
  open();
  authority other;
  auto x = to_server();
  SECTION("authority") {
    x.tls = other.files("operator");
  }
  SECTION("name") {
    x.expected_name = "dc2";
  }
  SECTION("the address is no name of the server's") {
    x.expected_name.clear();
  }
  auto me = client(x);
  auto answer = ask(*me, "GET", "/");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ec::site_unreachable);
  CHECK(me->connections() == 0);
}

TEST_CASE_METHOD(office, "a common name will do where the certificate has no host name") {
  open();
  auto x = to_server();
  x.expected_name = "dc1";
  CHECK(ask(*client(x), "GET", "/"));
}

TEST_CASE_METHOD(office, "a body beyond the limit is answered with 413") {
  settings.body_limit_bytes = 100'000;
  open();
  SECTION("announced") {
    auto me = client();
    CHECK(said(ask(*me, "POST", "/", std::string(100'000, 'x'))).size() > 100'000);
    auto answer = ask(*me, "POST", "/", std::string(100'001, 'x'));
    CHECK(said(answer) == "413 {\"message\": \"the body is too large\"}");
    CHECK(ask(*me, "GET", "/"));
  }
  SECTION("in chunks") {
    auto me = raw();
    me->write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n");
    CHECK(me->read().find("HTTP/1.1 413 ") == 0);
  }
}

TEST_CASE_METHOD(office, "what is not HTTP is answered with 400 and the connection ends") {
  open();
  auto me = raw();
  me->write(GENERATE("hello\r\n\r\n", "GET / HTTP/3.0\r\n\r\n", "GET / HTTP/1.1\r\nno field\r\n\r\n",
                     "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"));
  auto answer = me->read();
  CHECK(answer.find("HTTP/1.1 400 ") == 0);
  CHECK(answer.find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(answer.find("\r\n\r\n{\"message\": \"this is not HTTP\"}") != std::string::npos);
}

TEST_CASE_METHOD(office, "an endless header is answered with 431") {
  open();
  auto me = raw();
  me->write("GET / HTTP/1.1\r\nX: " + std::string(9000, 'x'));
  CHECK(me->read().find("HTTP/1.1 431 ") == 0);
}

TEST_CASE_METHOD(office, "a slow client is cut and holds nobody up") {
  settings.header_timeout = 200ms;
  settings.body_timeout = 200ms;
  open();
  auto slow = raw();
  slow->write(GENERATE("GET / HTTP/1.1\r\nHos", "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"));
  auto me = client();
  for (int i = 0; i < 20; ++i)
    CHECK(ask(*me, "GET", "/"));
  CHECK(slow->read().empty());
  CHECK(slow->error);
  CHECK(ask(*me, "GET", "/"));
  CHECK(me->connections() == 1);
}

TEST_CASE_METHOD(office, "who connects and says nothing is cut") {
  settings.handshake_timeout = 100ms;
  open();
  asio::io_context own;
  tcp::socket silent{own};
  silent.connect({asio::ip::address_v4::loopback(), server->port()});
  char byte;
  boost::system::error_code error;
  asio::read(silent, asio::buffer(&byte, 1), error);
  CHECK(error);
}

TEST_CASE_METHOD(office, "200 requests share a connection") {
  open();
  auto me = client();
  std::vector<std::future<outcome>> answers;
  for (int i = 0; i < 200; ++i)
    answers.push_back(send(*me, "GET", "/" + std::to_string(i)));
  for (int i = 0; i < 200; ++i)
    CHECK(said(answers[static_cast<size_t>(i)].get())
          == "200 GET /" + std::to_string(i) + " [operator] ");
  CHECK(me->connections() == 1);
}

TEST_CASE_METHOD(office, "several connections are served at a time") {
  open();
  std::vector<std::shared_ptr<http_client>> clients;
  std::vector<std::future<outcome>> answers;
  for (int i = 0; i < 8; ++i)
    clients.push_back(client());
  for (int i = 0; i < 400; ++i)
    answers.push_back(send(*clients[static_cast<size_t>(i % 8)], "POST", "/", std::to_string(i)));
  for (int i = 0; i < 400; ++i)
    CHECK(said(answers[static_cast<size_t>(i)].get())
          == "200 POST / [operator] " + std::to_string(i));
  CHECK(server->connections() == 8);
}

TEST_CASE_METHOD(office, "connections beyond the limit are closed at once") {
  settings.connections_max = 1;
  open();
  auto first = raw();
  CHECK_FALSE(first->error);
  CHECK(raw()->error);
  first->write("GET /still HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(first->read("/still").find("HTTP/1.1 200 OK\r\n") == 0);
}

TEST_CASE_METHOD(office, "TLS 1.2 will do, TLS 1.1 will not") {
  open();
  auto me = raw(TLS1_2_VERSION);
  REQUIRE_FALSE(me->error);
  CHECK(SSL_version(me->ssl()) == TLS1_2_VERSION);
  me->write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(me->read("[operator]").find("HTTP/1.1 200 OK\r\n") == 0);
  auto old = std::make_shared<asio::ssl::context>(asio::ssl::context::tls);
  SSL_CTX_set_cipher_list(old->native_handle(), "ALL:@SECLEVEL=0");
  SSL_CTX_set_min_proto_version(old->native_handle(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(old->native_handle(), TLS1_1_VERSION);
  CHECK(raw_client(old, server->port()).error);
}

TEST_CASE_METHOD(office, "HTTP/1.0 ends the connection unless asked to keep it") {
  open();
  auto me = raw();
  me->write("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(me->read("/1").find("Connection: keep-alive\r\n") != std::string::npos);
  me->write("GET /2 HTTP/1.0\r\n\r\n");
  CHECK(me->read().find("Connection: close\r\n") != std::string::npos);
  CHECK(me->error == asio::error::eof); // With TLS's own farewell: nobody cut it short.
}

TEST_CASE_METHOD(office, "requests sent in one go are answered in their order") {
  open();
  auto me = raw();
  me->write("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\n"
            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  auto answers = me->read("abc");
  CHECK(answers.find("GET /1") < answers.find("POST /2 [operator] abc"));
}

TEST_CASE_METHOD(office, "long, empty and headless answers arrive whole") {
  std::string large(300'000, 'k');
  open([&](http_request x, const http_reply& reply) {
    auto out = answer_of(x.target == "/large" ? large : "small");
    out.status = x.target == "/nothing" ? 204 : 200;
    out.headers = {{"Cache-Control", "no-store"}};
    reply(std::move(out));
  });
  auto me = client();
  auto whole = ask(*me, "GET", "/large");
  REQUIRE(whole);
  CHECK(text(whole->body) == large);
  CHECK(said(ask(*me, "GET", "/nothing")) == "204 ");
  CHECK(said(ask(*me, "HEAD", "/small")) == "200 ");
  CHECK(said(ask(*me, "GET", "/small")) == "200 small");
  CHECK(me->connections() == 1);
  auto plain = raw();
  plain->write("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  auto head = plain->read("\r\n\r\n");
  CHECK(head.find("Cache-Control: no-store\r\n") != std::string::npos);
  CHECK(head.find("Content-Length: 5\r\n") != std::string::npos);
}

TEST_CASE_METHOD(office, "an answer with a line break in a header is not sent") {
  open([](http_request, const http_reply& reply) {
    http_response x;
    x.headers = {{"X", "a\r\nSet-Cookie: b"}};
    reply(std::move(x));
  });
  CHECK(said(ask(*client(), "GET", "/")) == "500 {\"message\": \"the answer cannot be sent\"}");
}

TEST_CASE_METHOD(office, "an answer beyond the client's limit is refused") {
  open([](http_request, const http_reply& reply) { reply(answer_of(std::string(1001, 'x'))); });
  auto x = to_server();
  x.body_limit_bytes = 1000;
  auto answer = ask(*client(x), "GET", "/");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ec::maybe_executed);
}

TEST_CASE_METHOD(office, "curl is served") {
  open();
  // The certificates of a lab have no host name; curl then looks at the common name.
  auto port = std::to_string(server->port());
  auto curl = [&](const std::string& more) {
    auto files = lab.files("operator");
    auto command = "curl -sS --noproxy '*' --max-time 10 --resolve dc1:" + port
                   + ":127.0.0.1 --cacert " + files.ca + " --cert " + files.certificate + " --key "
                   + files.key + " -w ' %{http_code} %{num_connects}' " + more + " 2>&1";
    auto* pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe);
    std::string out;
    for (char part[1024]; auto n = ::fread(part, 1, sizeof part, pipe);)
      out.append(part, n);
    ::pclose(pipe);
    return out;
  };
  auto url = "https://dc1:" + port;
  CHECK(curl(url + "/status") == "GET /status [operator]  200 1");
  CHECK(curl("--tls-max 1.2 " + url + "/old") == "GET /old [operator]  200 1");
  CHECK(curl("-d abc " + url + "/a " + url + "/b")
        == "POST /a [operator] abc 200 1POST /b [operator] abc 200 0");
  CHECK(curl("-H 'Expect: 100-continue' -d abc " + url + "/") == "POST / [operator] abc 200 1");
}

TEST_CASE_METHOD(office, "a client comes back after the server did") {
  open();
  auto me = client();
  CHECK(ask(*me, "GET", "/"));
  server.reset();
  open();
  CHECK(ask(*me, "GET", "/"));
  CHECK(me->connections() == 2);
}

TEST_CASE_METHOD(office, "a client that comes back resumes its session, with the same names") {
  settings.idle_timeout = 250ms;
  open();
  auto me = client();
  CHECK(ask(*me, "GET", "/"));
  REQUIRE(until([&] { return server->connections() == 0; }));
  CHECK(said(ask(*me, "GET", "/")) == "200 GET / [operator] ");
  CHECK(me->connections() == 2);
  CHECK(me->resumed() == 1);
}

TEST_CASE_METHOD(office, "a reply may come from another thread, and counts once") {
  std::thread worker;
  open([&](http_request, http_reply reply) {
    worker = std::thread{[reply = std::move(reply)] {
      reply(answer_of("first"));
      reply(answer_of("second"));
    }};
  });
  auto me = client();
  CHECK(said(ask(*me, "GET", "/")) == "200 first");
  worker.join();
  CHECK(said(ask(*me, "GET", "/")) == "200 first");
  worker.join();
}

TEST_CASE_METHOD(office, "without a reply the connection ends; a GET is repeated once, a POST never") {
  settings.answer_timeout = 100ms;
  std::atomic<int> unanswered{0};
  open([&](http_request x, const http_reply& reply) {
    if (x.target == "/")
      return reply({});
    ++unanswered;
  });
  auto me = client();
  REQUIRE(ask(*me, "GET", "/")); // From now on the connection is a kept one.
  SECTION("GET") {
    CHECK(said(ask(*me, "GET", "/never")).find("maybe_executed: ") == 0);
    CHECK(unanswered == 2);
  }
  SECTION("POST") {
    CHECK(said(ask(*me, "POST", "/never")).find("maybe_executed: ") == 0);
    CHECK(unanswered == 1);
  }
  CHECK(ask(*me, "GET", "/"));
}

TEST_CASE("a server may go while requests are in flight") {
  keeper kept;
  office x;
  x.open(kept.handler());
  auto me = x.client();
  auto answer = office::send(*me, "POST", "/");
  REQUIRE(kept.has(1));
  x.server.reset();
  kept.replies[0](answer_of("too late"));
  CHECK(office::said(answer.get()).find("maybe_executed: ") == 0);
}

TEST_CASE("a client that goes answers everybody first") {
  keeper kept;
  office x;
  x.open(kept.handler());
  auto me = x.client();
  auto sent = office::send(*me, "GET", "/1");
  auto waiting = office::send(*me, "GET", "/2");
  REQUIRE(kept.has(1));
  me.reset();
  CHECK(office::said(sent.get()).find("maybe_executed: ") == 0);
  CHECK(office::said(waiting.get()).find("cancelled: ") == 0);
}

TEST_CASE("a client does not wait for ever") {
  keeper kept;
  office x;
  x.open(kept.handler());
  auto settings = x.to_server();
  settings.answer_timeout = 500ms;
  auto me = x.client(settings);
  CHECK(office::said(office::ask(*me, "GET", "/")).find("maybe_executed: ") == 0);
}

TEST_CASE("a full queue refuses") {
  keeper kept;
  office x;
  x.open(kept.handler());
  auto settings = x.to_server();
  settings.queue_max = 2;
  auto me = x.client(settings);
  auto first = office::send(*me, "GET", "/1");
  auto second = office::send(*me, "GET", "/2");
  CHECK(office::said(office::ask(*me, "GET", "/3")).find("busy: ") == 0);
}

TEST_CASE_METHOD(office, "nobody there, or nobody who speaks TLS: nothing was sent") {
  open();
  asio::io_context own;
  tcp::acceptor mute{own, {asio::ip::address_v4::loopback(), 0}};
  auto x = to_server();
  x.connect_timeout = 100ms;
  SECTION("nobody") {
    server.reset();
  }
  SECTION("mute") {
    x.server = "localhost:" + std::to_string(mute.local_endpoint().port());
  }
  auto me = client(x);
  auto first = send(*me, "POST", "/"), second = send(*me, "POST", "/");
  CHECK(said(first.get()).find("site_unreachable: ") == 0);
  CHECK(said(second.get()).find("site_unreachable: ") == 0);
}

TEST_CASE_METHOD(office, "what is no request is not sent") {
  open();
  auto me = client();
  CHECK(said(ask(*me, "GET /", "/")).find("invalid_argument: ") == 0);
  CHECK(said(ask(*me, "GET", "/a b")).find("invalid_argument: ") == 0);
  CHECK(said(ask(*me, "GET", "/\r\nX: y")).find("invalid_argument: ") == 0);
  CHECK(me->connections() == 0);
}

TEST_CASE_METHOD(office, "wrong settings are refused with a reason") {
  auto refused = [&] {
    auto x = http_server::start(io.context(), settings, echo);
    REQUIRE_FALSE(x);
    return x.error();
  };
  SECTION("no address") {
    settings.listen = GENERATE("", "dc1", "127.0.0.1:", "127.0.0.1:99999", "somewhere:1");
    CHECK(refused().code == ec::bad_config);
  }
  SECTION("no certificate") {
    settings.tls.certificate = lab.folder / "nothing.pem";
    CHECK(refused().text.find(settings.tls.certificate) == 0);
  }
  SECTION("no time") {
    settings.idle_timeout = 0s;
    CHECK(refused().code == ec::bad_config);
  }
  SECTION("the port is taken") {
    open();
    CHECK(refused().code == ec::site_unreachable);
  }
}

TEST_CASE_METHOD(office, "a client with a wrong address is refused") {
  auto x = to_server();
  x.server = GENERATE("", "dc1", ":1", "::1:1", "dc1:0", "dc1:http", "dc 1:1");
  auto made = http_client::make(io.context(), x);
  REQUIRE_FALSE(made);
  CHECK(made.error().code == ec::bad_config);
}
