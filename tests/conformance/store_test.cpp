// The promises of the STORE interface, on every driver.

#include "drivers/store_memory/store_memory.hpp"
#include "drivers/store_sql/store_sql.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/world.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

using namespace qnfv;
using namespace qnfv::test;

namespace {

/// A driver and what it leaves behind.
struct store_under_test {
  std::string driver;
  temporary_folder files;
  std::shared_ptr<memory_records> records = std::make_shared<memory_records>();

  std::string file() const { return files.path() + "/records.sqlite"; }

  store_actor start(world& w) {
    if (driver == "store_memory")
      return w.spawn("co", store_memory, store_memory_config{records});
    auto session = open_store(file());
    if (!session)
      throw std::runtime_error(session.error().text);
    return w.spawn("co", store_sql, store_sql_config{*session});
  }
};

image_record an_image(const std::string& name) {
  image_record x;
  x.image = image_id{name};
  x.kind = image_kind::disk;
  x.size_bytes = 15'925'000'000;
  x.digest = std::string(64, 'a');
  x.file = "images/" + x.digest;
  return x;
}

order an_order(const std::string& name) {
  order x;
  x.id = order_id{name};
  x.image = image_id{"fw"};
  x.site = site_id{"dc1"};
  x.state = order_state::failed;
  x.code = ec::vim_failed;
  x.reason = "it's \"broken\"; drop table orders; -- ünïcode " + std::string(3000, 'x');
  x.transfer.value.fill(7);
  x.key = make_key_id(link_id{"bob1/alice1"}, 3, link_end::alice, 99);
  x.size_bytes = 1ull << 40;
  x.sent_bytes = 123;
  x.digest = std::string(64, 'b');
  x.site_digest = std::string(64, 'c');
  x.vnf = vnf_id{"fw-1"};
  x.stream_s = 1.25;
  x.total_s = 2.5;
  x.trace = "co:17";
  return x;
}

} // namespace

TEST_CASE("what was saved is loaded, every field of it, in the order of first saving") {
  store_under_test x;
  x.driver = GENERATE(as<std::string>{}, "store_memory", "store_sql");
  INFO(x.driver);
  {
    world w;
    auto store = x.start(w);
    for (auto* name : {"zebra", "ant", "bee"})
      REQUIRE(w.ask<accepted>(store, save_image{an_image(name)}));
    auto changed = an_image("zebra");
    changed.size_bytes = 5;
    REQUIRE(w.ask<accepted>(store, save_image{changed})); // Replaces, keeps its place.
    REQUIRE(w.ask<accepted>(store, forget_image{image_id{"ant"}}));
    REQUIRE(w.ask<accepted>(store, forget_image{image_id{"never was"}}));
    REQUIRE(w.ask<accepted>(store, save_order{an_order("order-2")}));
    REQUIRE(w.ask<accepted>(store, save_order{an_order("order-1")}));
    auto moved = an_order("order-2");
    moved.state = order_state::running;
    REQUIRE(w.ask<accepted>(store, save_order{moved}));
  }
  world w;
  auto store = x.start(w); // After a restart.
  auto images = w.ask<image_list>(store, load_images{});
  REQUIRE(images);
  REQUIRE(images->images.size() == 2);
  CHECK(images->images[0].image.value == "zebra");
  CHECK(images->images[0].size_bytes == 5);
  CHECK(caf::deep_to_string(images->images[1]) == caf::deep_to_string(an_image("bee")));
  auto orders = w.ask<order_list>(store, load_orders{});
  REQUIRE(orders);
  REQUIRE(orders->orders.size() == 2);
  CHECK(orders->orders[0].state == order_state::running);
  CHECK(caf::deep_to_string(orders->orders[1]) == caf::deep_to_string(an_order("order-1")));
}

TEST_CASE("a database that cannot be used is refused with its name") {
  temporary_folder files;
  auto nowhere = open_store(files.path() + "/no/such/folder/x");
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().code == ec::storage_failed);
  auto path = files.path() + "/garbage";
  REQUIRE((*make_disk_storage(files.path()))->replace("garbage", bytes(5000, 'x')));
  auto garbage = open_store(path);
  REQUIRE_FALSE(garbage);
  CHECK(garbage.error().text.find(path) != std::string::npos);
}

TEST_CASE("a second opener of a database is refused") {
  temporary_folder files;
  auto first = open_store(files.path() + "/x");
  REQUIRE(first);
  auto second = open_store(files.path() + "/x");
  REQUIRE_FALSE(second);
  CHECK(second.error().text.find("locked") != std::string::npos);
  struct ::stat info;
  REQUIRE(::stat((files.path() + "/x").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}
