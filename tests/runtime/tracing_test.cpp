#include "runtime/messages/admin.hpp"
#include "runtime/tracing/event.hpp"
#include "runtime/tracing/recorder.hpp"
#include "tests/support/world.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace std::chrono_literals;

TEST_CASE("an event reads back from its line") {
  trace_event x;
  x.unix_ns = 1767225600000000001;
  x.site = "dc1";
  x.epoch = 3;
  x.sequence = 17;
  x.kind = trace_kind::reply;
  x.trace = "co:1:3";
  x.cause = "co:1:16";
  x.from = "co/orchestrator";
  x.to = "dc1/mano_gateway";
  x.message = "transfer_verdict";
  x.text = "quotes \" and\nlines";
  auto y = parse_trace_event(to_json(x));
  REQUIRE(y);
  CHECK(to_json(*y) == to_json(x));
  CHECK(y->id() == "dc1:3:17");
}

TEST_CASE("the name of an event reads back, and what is no name is refused") {
  for (auto* text : {"", "co:1:1", "a-site.of-20-letters:4294967295:18446744073709551615"}) {
    auto id = parse_event_id(text);
    REQUIRE(id);
    CHECK(to_string(*id) == text);
  }
  for (auto* bad : {"co", "co:1", ":1:1", "co::1", "co:1:", "co:1:0", "co:-1:1", "co:1:1x", "co:4294967296:1",
                    "co:1:18446744073709551616", "a-site.of-21-letters.:1:1", ":", "::", "co:1:+1"})
    CHECK_FALSE(parse_event_id(bad));
}

TEST_CASE("a line that is no event is refused") {
  auto line = [](const std::string& t, const std::string& site, const std::string& epoch, const std::string& seq,
                 const std::string& kind) {
    return "{\"t\":" + t + ",\"site\":" + site + ",\"epoch\":" + epoch + ",\"seq\":" + seq + ",\"kind\":" + kind + "}";
  };
  auto s = [](const std::string& x) { return "\"" + x + "\""; };
  CHECK(parse_trace_event(line("1", s("a-site.of-20-letters"), "1", "1", s("send"))));
  for (auto& bad : {line(s("x"), s("co"), "1", "1", s("send")), line("9223372036854775807", s("co"), "1", "1", s("send")),
                    line("-9223372036854775808", s("co"), "1", "1", s("send")), line("1", "1", "1", "1", s("send")),
                    line("1", s(""), "1", "1", s("send")), line("1", s("a:b"), "1", "1", s("send")),
                    line("1", s("a-site.of-21-letters."), "1", "1", s("send")),
                    line("1", s("co"), "4294967296", "1", s("send")), line("1", s("co"), "1", "-1", s("send")),
                    line("1", s("co"), "1", "1", s("nonsense")), line("1", s("co"), "1", "1", "1")})
    CHECK_FALSE(parse_trace_event(bad));
  for (auto* bad : {"", "{", "[]", "{}", R"({"t":1})", R"({"t":1,"site":"co","seq":1,"kind":"send"})",
                    R"({"t":1,"site":"co","epoch":1,"kind":"send"})", R"({"t":1,"site":"co","epoch":1,"seq":1})"})
    CHECK_FALSE(parse_trace_event(bad));
  std::string deep(100000, '[');
  CHECK_FALSE(parse_trace_event(deep));
}

TEST_CASE("half a character, escaped or not, is replaced when a line is read") {
  auto line = [](const std::string& text) {
    return R"({"t":1,"site":"co","epoch":1,"seq":1,"kind":"note","text":")" + text + "\"}";
  };
  CHECK(parse_trace_event(line("a\\udc00b"))->text == "a\uFFFD\uFFFD\uFFFDb");
  CHECK(parse_trace_event(line("a\xC3"))->text == "a\uFFFD");
  CHECK_FALSE(parse_trace_event(line("a\\ud800b")));
}

TEST_CASE("a line is JSON whatever bytes its texts have") {
  trace_event x;
  x.site = "co";
  x.sequence = 1;
  for (int c = 0; c < 128; ++c)
    x.text += static_cast<char>(c);
  x.text += "größer";
  for (size_t n = 1; n < 10; ++n) // Wherever it stands among eight bytes.
    x.text += std::string(n, 'x') + "\n";
  auto line = to_json(x);
  CHECK(line.find('\n') == std::string::npos);
  auto y = parse_trace_event(line);
  REQUIRE(y);
  CHECK(y->text == x.text);
}

namespace {

using echo_actor = actor_of<caf::result<site_status>(site_status_query),
                            caf::result<accepted>(shutdown_site)>;
struct echo_state {
  static inline const char* name = "echo";
  echo_actor next;
};

echo_actor::behavior_type echo(stateful<echo_actor, echo_state>* self, echo_actor next) {
  self->state.next = next;
  return {
    [](const site_status_query&) { return site_status{}; },
    [self](const shutdown_site& x) -> caf::result<accepted> {
      if (!self->state.next) {
        self->note("end", "of the chain");
        return accepted{};
      }
      auto promise = self->make_response_promise<accepted>();
      self->request(self->state.next, 5s, x)
        .then([self, promise](const accepted& y) mutable {
          self->note("back", "here");
          promise.deliver(y);
        },
              [promise](const caf::error& why) mutable { promise.deliver(why); });
      return promise;
    },
  };
}

} // namespace

TEST_CASE("every event of one request belongs to its trace, across sites and through replies") {
  test::world w;
  auto last = w.spawn("dc1", echo, echo_actor{});
  gates g{w.system(), w.site("co")};
  g.retarget(site_id{"dc1"}, "echo", caf::actor_cast<caf::strong_actor_ptr>(last));
  auto first = w.spawn("co", echo, g.to<echo_actor>(site_id{"dc1"}, "echo"));
  REQUIRE(w.ask<accepted>(first, shutdown_site{}));
  auto co = w.site("co")->recorder->since({}, "", 100).events;
  auto dc1 = w.site("dc1")->recorder->since({}, "", 100).events;
  // co: asked by the operator, sent on, answered, noted. dc1: received, noted.
  REQUIRE(co.size() == 4);
  REQUIRE(dc1.size() == 2);
  auto trace = co[0].id();
  for (auto& x : co)
    CHECK(x.trace == trace);
  for (auto& x : dc1)
    CHECK(x.trace == trace);
  CHECK(co[0].kind == trace_kind::receive);
  CHECK(co[1].kind == trace_kind::send);
  CHECK(co[1].cause == co[0].id());
  CHECK(dc1[0].kind == trace_kind::receive);
  CHECK(dc1[0].cause == co[1].id());
  CHECK(dc1[0].from == "co/echo");
  CHECK(dc1[1].message == "end");
  CHECK(dc1[1].cause == dc1[0].id());
  CHECK(co[2].kind == trace_kind::reply);
  CHECK(co[2].cause == co[1].id()); // The request it answers.
  CHECK(co[3].message == "back");
  CHECK(co[3].cause == co[2].id());
}
