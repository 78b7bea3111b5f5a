#include "runtime/messages/admin.hpp"
#include "runtime/tracing/event.hpp"
#include "runtime/tracing/recorder.hpp"
#include "tests/support/world.hpp"

#include <catch2/catch.hpp>

#include <cstdio>
#include <fstream>
#include <unistd.h>

using namespace qnfv;
using namespace std::chrono_literals;

TEST_CASE("an event reads back from its line") {
  trace_event x;
  x.unix_ns = 1767225600000000001;
  x.site = "dc1";
  x.sequence = 17;
  x.kind = trace_kind::reply;
  x.trace = "co:3";
  x.cause = "co:16";
  x.from = "co/orchestrator";
  x.to = "dc1/mano_gateway";
  x.message = "transfer_verdict";
  x.text = "quotes \" and\nlines";
  auto y = parse_trace_event(to_json(x));
  REQUIRE(y);
  CHECK(to_json(*y) == to_json(x));
  CHECK(y->sequence == 17);
}

TEST_CASE("a line that is no event is refused") {
  for (auto* bad : {"", "{", "[]", "{}", R"({"t":1})", R"({"t":"x","seq":1,"kind":"send"})",
                    R"({"t":1,"seq":1,"kind":"nonsense"})", R"({"t":1,"seq":-1,"kind":"send"})"})
    CHECK_FALSE(parse_trace_event(bad));
  std::string deep(100000, '[');
  CHECK_FALSE(parse_trace_event(deep));
}

TEST_CASE("the ring keeps the newest events and counts the rest") {
  recorder r{"co", {3, 10}, {}};
  for (int i = 0; i < 5; ++i) {
    trace_event x;
    x.text = "a very long text";
    r.record(x);
  }
  auto page = r.since(0, "", 100);
  CHECK(page.events.size() == 3);
  CHECK(page.lost == 2);
  CHECK(page.seen == 5);
  CHECK(page.events[0].sequence == 3);
  CHECK(page.events[0].text == "a very lon...");
  CHECK(r.since(5, "", 100).events.empty());
  CHECK(r.since(3, "", 1).seen == 4);
}

TEST_CASE("a full disk costs events, and the file says how many") {
  auto path = "/tmp/qnfv-trace-" + std::to_string(::getpid());
  auto sink = make_file_sink("/nonexistent/trace");
  trace_event x;
  sink(x); // Nowhere to write: counted, not fatal.
  auto good = make_file_sink(path, 1);
  good(x);
  good(x);
  std::ifstream rotated{path + ".1"};
  CHECK(rotated.good());
  std::remove(path.c_str());
  std::remove((path + ".1").c_str());
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
  auto co = w.site("co")->recorder->since(0, "", 100).events;
  auto dc1 = w.site("dc1")->recorder->since(0, "", 100).events;
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
