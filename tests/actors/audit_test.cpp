#include "actors/key_pool/audit.hpp"
#include "runtime/storage/memory.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;

namespace {

struct fixture {
  std::shared_ptr<memory_storage> files = std::make_shared<memory_storage>();

  std::shared_ptr<audit_trail> open(uint64_t file_bytes_max = 64u << 20) {
    auto x = audit_trail::open(files, "audit", file_bytes_max);
    INFO((x ? "" : x.error().text));
    REQUIRE(x);
    return *x;
  }
  void write(audit_trail& x, int n) {
    for (int i = 0; i < n; ++i)
      x.append({i, "delivered", "bob1/alice1", "key-" + std::to_string(i), "nfv-co -> mano-gw-1",
                10 + static_cast<uint64_t>(i)});
    REQUIRE(x.flush());
  }
  result<audit_report> verify() { return verify_audit(*files, "audit"); }
  bytes content(const std::string& name = "audit/000001.log") { return files->snapshot().at(name); }
  void change(const std::function<void(std::string&)>& how, const std::string& name = "audit/000001.log") {
    auto all = files->snapshot();
    auto& raw = all.at(name);
    std::string text(raw.begin(), raw.end());
    how(text);
    raw.assign(text.begin(), text.end());
    files->restore(all);
  }
};

} // namespace

TEST_CASE_METHOD(fixture, "the trail goes on over restarts and files, and its chain holds") {
  for (int round = 0; round < 4; ++round)
    write(*open(1500), 5);
  auto report = verify();
  REQUIRE(report);
  CHECK(report->records == 20);
  CHECK(report->last == 20);
  CHECK(report->files > 2);
  CHECK(report->events.at("delivered") == 20);
}

TEST_CASE_METHOD(fixture, "a record is durable after flush and not before") {
  auto x = open();
  write(*x, 3);
  x->append({0, "destroyed", "bob1/alice1", "key", "lost", 20});
  x.reset();
  files->crash();
  CHECK(verify()->records == 3);
}

TEST_CASE_METHOD(fixture, "no record can be changed, dropped, moved or added unnoticed") {
  write(*open(), 6);
  auto line_2 = [](std::string& x) {
    auto at = x.find('\n') + 1;
    return std::make_pair(at, x.find('\n', at) + 1 - at);
  };
  SECTION("changed") {
    change([](std::string& x) { x.replace(x.find("key-1"), 5, "key-9"); });
  }
  SECTION("dropped") {
    change([&](std::string& x) {
      auto [at, n] = line_2(x);
      x.erase(at, n);
    });
  }
  SECTION("doubled") {
    change([&](std::string& x) {
      auto [at, n] = line_2(x);
      x.insert(at, x.substr(at, n));
    });
  }
  SECTION("garbage in between") {
    change([&](std::string& x) { x.insert(line_2(x).first, "{}\n"); });
  }
  auto found = verify();
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ec::stream_corrupt);
  CHECK(found.error().text.find("audit/000001.log:") == 0);
}

TEST_CASE_METHOD(fixture, "a torn end, as a power cut leaves it, is cleaned away at the next start") {
  write(*open(), 3);
  change([](std::string& x) {
    auto end = x.find('\0');
    x.replace(end, 20, "{\"seq\":4,\"time\":\"202");
  });
  auto x = open();
  CHECK(x->last() == 3);
  CHECK(x->found("bob1/alice1") == 12);
  write(*x, 1);
  CHECK(verify()->records == 4);
}

TEST_CASE_METHOD(fixture, "a line of a million levels is no record") {
  write(*open(), 1);
  change([](std::string& x) { x.insert(0, std::string(1'000'000, '[') + "\n"); });
  auto found = verify();
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ec::stream_corrupt);
}

TEST_CASE_METHOD(fixture, "an older file that is broken stops the site by name") {
  write(*open(1500), 8);
  write(*open(1500), 8);
  change([](std::string& x) { x[10] ^= 1; });
  auto x = audit_trail::open(files, "audit");
  REQUIRE_FALSE(x);
  CHECK(x.error().code == ec::bad_config);
  CHECK(x.error().text.find("audit/000001.log:2") == 0);
}

TEST_CASE_METHOD(fixture, "after a failed sync nothing is ever promised again") {
  auto x = open();
  write(*x, 1);
  bool broken = true;
  files->before([&](memory_storage::operation kind, const std::string&) {
    return !(broken && kind == memory_storage::operation::sync);
  });
  x->append({});
  CHECK(x->flush().error().code == ec::storage_failed);
  broken = false; // The disk is well again; what it did with the record nobody knows.
  x->append({});
  CHECK(x->flush().error().code == ec::storage_failed);
}

TEST_CASE_METHOD(fixture, "an empty trail verifies, and only one owner may write it") {
  CHECK(verify()->records == 0);
  auto x = open();
  auto second = audit_trail::open(files, "audit");
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ec::busy);
}
