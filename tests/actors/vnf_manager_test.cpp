#include "actors/vim/vim.hpp"
#include "actors/vnf_manager/vnf_manager.hpp"
#include "tests/support/world.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace qnfv::test;

namespace {

/// A VIM that does what the test says, and remembers what it was asked.
struct faults {
  bool refuse_create = false;
  bool refuse_start = false;
  bool dies_at_once = false;
  bool silent = false;
  std::map<vnf_id, bool> instances;
  std::vector<std::string> unloaded;
};

struct fake_vim_state {
  static inline const char* name = "vim";
};

vim_actor::behavior_type fake_vim(stateful<vim_actor, fake_vim_state>* self,
                                  std::shared_ptr<faults> f) {
  auto describe_it = [f](const vnf_id& vnf) {
    instance x;
    x.vnf = vnf;
    x.vim = "fake";
    x.exists = f->instances.count(vnf) > 0;
    x.running = x.exists && f->instances[vnf];
    return x;
  };
  return {
    [](const load_image&) -> caf::result<image_sink> { return fail(ec::vim_failed, "no"); },
    [f](const unload_image& x) {
      f->unloaded.push_back(x.vim_image);
      return accepted{};
    },
    [=](const create_instance& x) -> caf::result<instance> {
      if (f->silent)
        return self->make_response_promise<instance>();
      if (f->refuse_create)
        return fail(ec::vim_failed, "no memory");
      f->instances.emplace(x.vnf, false);
      return describe_it(x.vnf);
    },
    [=](const start_instance& x) -> caf::result<instance> {
      if (f->refuse_start)
        return fail(ec::vim_failed, "bad command");
      f->instances[x.vnf] = !f->dies_at_once;
      return describe_it(x.vnf);
    },
    [=](const stop_instance& x) {
      f->instances.erase(x.vnf);
      return describe_it(x.vnf);
    },
    [=](const inspect_instance& x) { return describe_it(x.vnf); },
    [](const continuation&) {},
  };
}

struct data_centre_fixture {
  world w;
  std::shared_ptr<faults> f = std::make_shared<faults>();
  vim_actor vim_handle;
  vnf_manager_actor manager;

  data_centre_fixture() {
    vim_handle = w.spawn("dc1", fake_vim, f);
    start();
  }
  ~data_centre_fixture() { w.end_actors(); }

  void start() {
    vnf_manager_config c;
    c.vim = vim_handle;
    c.site = site_id{"dc1"};
    c.vim_timeout_ms = 5000;
    manager = w.spawn("dc1", vnf_manager, c);
    w.run();
  }

  caf::expected<vnf_info> create(const std::string& vnf, const std::string& image = "img") {
    return w.ask<vnf_info>(manager, create_vnf{vnf_id{vnf}, image_id{"fw"}, image_kind::container, image});
  }
  size_t listed() { return w.ask<vnf_list>(manager, list_vnfs{})->vnfs.size(); }
};

} // namespace

TEST_CASE("the life cycle of a VNF, every cell of it") {
  // Rows: states; columns: started stop stopped failed.
  const char* table[vnf_state_count][vnf_event_count] = {
    {"running", "stopping", "", "failed"},
    {"", "stopping", "", "failed"},
    {"", "", "stopped", "failed"},
    {"", "", "", ""},
    {"", "stopping", "stopped", ""},
  };
  for (size_t s = 0; s < vnf_state_count; ++s)
    for (size_t e = 0; e < vnf_event_count; ++e) {
      auto to = next(static_cast<vnf_state>(s), static_cast<vnf_event>(e));
      INFO(to_string(static_cast<vnf_state>(s)) << " + " << to_string(static_cast<vnf_event>(e)));
      CHECK((to ? to_string(*to) : "") == table[s][e]);
    }
}

TEST_CASE("a function is created, listed and stopped, and repeating changes nothing") {
  data_centre_fixture x;
  for (int i = 0; i < 2; ++i) {
    auto made = x.create("fw-1");
    REQUIRE(made);
    CHECK(made->state == vnf_state::running);
    CHECK(made->vim == "fake");
    CHECK(x.listed() == 1);
  }
  auto stopped = x.w.ask<vnf_info>(x.manager, stop_vnf{vnf_id{"fw-1"}});
  REQUIRE(stopped);
  CHECK(stopped->state == vnf_state::stopped);
  CHECK(x.listed() == 0);
  CHECK(x.f->instances.empty());
  CHECK(x.f->unloaded == std::vector<std::string>{"img"});
  CHECK(x.w.ask<vnf_info>(x.manager, stop_vnf{vnf_id{"fw-1"}}).error() == ec::not_found);
}

TEST_CASE("an image that another function uses stays loaded") {
  data_centre_fixture x;
  REQUIRE(x.create("fw-1"));
  REQUIRE(x.create("fw-2"));
  REQUIRE(x.w.ask<vnf_info>(x.manager, stop_vnf{vnf_id{"fw-1"}}));
  CHECK(x.f->unloaded.empty());
  REQUIRE(x.w.ask<vnf_info>(x.manager, stop_vnf{vnf_id{"fw-2"}}));
  CHECK(x.f->unloaded.size() == 1);
}

TEST_CASE("whatever fails leaves no function and no instance") {
  for (auto fault : {&faults::refuse_create, &faults::refuse_start, &faults::dies_at_once,
                     &faults::silent}) {
    data_centre_fixture x;
    (*x.f).*fault = true;
    auto made = x.create("fw-1");
    REQUIRE_FALSE(made);
    auto code = to_failure(made.error()).code;
    CHECK((code == ec::vim_failed || code == ec::maybe_executed));
    x.w.advance(30s);
    CHECK(x.listed() == 0);
    CHECK(x.f->instances.empty());
    (*x.f).*fault = false;
    CHECK(x.create("fw-1")); // The name is free again.
  }
}

TEST_CASE("after a restart only what still runs is known") {
  data_centre_fixture x;
  REQUIRE(x.create("fw-1", "one"));
  REQUIRE(x.create("fw-2", "two"));
  caf::anon_send_exit(x.manager, caf::exit_reason::kill);
  x.w.run();
  x.f->instances.erase(vnf_id{"fw-1"}); // Died meanwhile.
  x.start();
  auto all = x.w.ask<vnf_list>(x.manager, list_vnfs{});
  REQUIRE(all);
  REQUIRE(all->vnfs.size() == 1);
  CHECK(all->vnfs[0].vnf.value == "fw-2");
  CHECK(all->vnfs[0].state == vnf_state::running);
  CHECK(x.f->unloaded == std::vector<std::string>{"one"});
}

TEST_CASE("a kind of image without a VIM is refused by name") {
  world w;
  auto f = std::make_shared<faults>();
  vim_actor_config c;
  c.drivers[image_kind::container] = w.spawn("dc1", fake_vim, f);
  auto all = w.spawn("dc1", vim, c);
  load_image disk;
  disk.kind = image_kind::disk;
  auto refused = w.ask<image_sink>(all, disk);
  REQUIRE_FALSE(refused);
  CHECK(describe(refused.error()) == "not_found: dc1 has no VIM for disk images");
  CHECK(w.ask<instance>(all, inspect_instance{vnf_id{"x"}, image_kind::container}));
}
