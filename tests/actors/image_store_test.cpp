#include "actors/image_store/image_store.hpp"
#include "drivers/store_memory/store_memory.hpp"
#include "runtime/crypto/sha256.hpp"
#include "tests/support/world.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace qnfv::test;

namespace {

struct catalogue {
  world w;
  std::shared_ptr<memory_records> records = std::make_shared<memory_records>();
  image_store_actor images;

  catalogue() { start(); }
  ~catalogue() { w.end_actors(); }

  void start(uint32_t images_max = 10) {
    image_store_config c;
    c.store = w.spawn("co", store_memory, store_memory_config{records});
    c.images_max = images_max;
    c.image_bytes_max = 1000;
    images = w.spawn("co", image_store, c);
    w.run();
  }
  storage& files() { return *w.site("co")->storage; }
  caf::expected<image_record> add(const std::string& name, const std::string& path) {
    return w.ask<image_record>(images, add_image{image_id{name}, image_kind::disk, path});
  }
  size_t stored() { return files().list("images").size(); }
};

} // namespace

TEST_CASE("an image is copied, hashed and found again after a restart") {
  catalogue x;
  bytes content(500, 7);
  REQUIRE(x.files().replace("/home/fw", content));
  auto added = x.add("fw", "/home/fw");
  REQUIRE(added);
  CHECK(added->digest == to_hex(sha256::of(content)));
  CHECK(added->size_bytes == 500);
  REQUIRE(x.files().replace("/home/fw", bytes(500, 8))); // What happens to the source is nobody's business.
  x.w.end_actors();
  x.start();
  auto found = x.w.ask<image_record>(x.images, find_image{image_id{"fw"}});
  REQUIRE(found);
  CHECK(*x.files().load(found->file) == content);
}

TEST_CASE("two names for the same bytes share a file, and the last one takes it along") {
  catalogue x;
  REQUIRE(x.files().replace("/home/fw", bytes(500, 7)));
  REQUIRE(x.add("one", "/home/fw"));
  REQUIRE(x.add("two", "/home/fw"));
  CHECK(x.stored() == 1);
  REQUIRE(x.w.ask<accepted>(x.images, remove_image{image_id{"one"}}));
  CHECK(x.stored() == 1);
  REQUIRE(x.w.ask<accepted>(x.images, remove_image{image_id{"two"}}));
  CHECK(x.stored() == 0);
  CHECK(x.w.ask<image_record>(x.images, find_image{image_id{"two"}}).error() == ec::unknown_image);
}

TEST_CASE("what cannot be an image is refused, and nothing is left of it") {
  catalogue x;
  REQUIRE(x.files().replace("/home/fw", bytes(500, 7)));
  REQUIRE(x.files().replace("/home/empty", {}));
  REQUIRE(x.files().replace("/home/large", bytes(1001)));
  CHECK(x.add("fw", "/home/none").error() == ec::storage_failed);
  CHECK(x.add("fw", "/home/empty").error() == ec::invalid_argument);
  CHECK(x.add("fw", "/home/large").error() == ec::invalid_argument);
  CHECK(x.add("../fw", "/home/fw").error() == ec::invalid_argument);
  CHECK(x.stored() == 0);
  REQUIRE(x.add("fw", "/home/fw"));
  CHECK(x.add("fw", "/home/fw").error() == ec::already_exists);
  CHECK(x.w.ask<accepted>(x.images, remove_image{image_id{"other"}}).error() == ec::unknown_image);
}

TEST_CASE("another site may not change the catalogue") {
  catalogue x;
  REQUIRE(x.files().replace("/home/fw", bytes(500, 7)));
  auto added = x.w.ask_as<image_record>("dc1", x.images,
                                        add_image{image_id{"fw"}, image_kind::disk, "/home/fw"});
  REQUIRE_FALSE(added);
  CHECK(added.error() == ec::not_allowed);
  REQUIRE(x.add("fw", "/home/fw"));
  CHECK(x.w.ask_as<accepted>("dc1", x.images, remove_image{image_id{"fw"}}).error()
        == ec::not_allowed);
}

TEST_CASE("the catalogue is bounded") {
  catalogue x;
  x.w.end_actors();
  x.start(1);
  REQUIRE(x.files().replace("/home/fw", bytes(500, 7)));
  REQUIRE(x.add("one", "/home/fw"));
  CHECK(x.add("two", "/home/fw").error() == ec::busy);
}

TEST_CASE("a restart tidies what a crash left") {
  catalogue x;
  REQUIRE(x.files().replace("/home/fw", bytes(500, 7)));
  REQUIRE(x.add("fw", "/home/fw"));
  REQUIRE(x.files().replace("images/half.part", bytes(10)));
  REQUIRE(x.files().replace("images/" + std::string(64, '0'), bytes(10))); // Copied, never recorded.
  x.w.end_actors();
  x.start();
  CHECK(x.stored() == 1);
}
