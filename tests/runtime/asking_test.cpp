#include "runtime/messages/admin.hpp"
#include "tests/support/real_world.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace qnfv::test;
using namespace std::chrono_literals;

TEST_CASE("an actor asks on while its answers arrive on other threads") {
  static constexpr int answers_wanted = 60000;
  real_world world;
  std::vector<caf::actor> others;
  for (int i = 0; i < 4; ++i)
    others.push_back(world.spawn("dc1", [](instrumented<caf::event_based_actor>*) -> caf::behavior {
      return {[](const accepted&) { return accepted{}; }};
    }));
  waiter<int> done;
  auto asker = [&others, report = done.callback()](
                   instrumented<caf::event_based_actor>* self) -> caf::behavior {
    auto open = std::make_shared<int>(int{answers_wanted});
    auto ask = std::make_shared<std::function<void(int)>>();
    // Weakly: a function that owns itself is never freed.
    *ask = [&others, self, open, weak = std::weak_ptr{ask}, report](int i) {
      self->request(others[static_cast<size_t>(i) % others.size()], 30s, accepted{})
          .then([open, ask = weak.lock(), report, i](const accepted&) {
            if (--*open == 0)
              report(int{answers_wanted});
            else if (*open >= 100)
              (*ask)(i + 1);
          });
    };
    for (int i = 0; i < 100; ++i)
      self->send(self, continuation{[ask, i] { (*ask)(i); }});
    return {[](const continuation& x) { x.run(); }};
  };
  world.spawn("co", asker);
  CHECK(done.get(60s) == answers_wanted);
}
