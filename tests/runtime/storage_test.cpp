#include "runtime/storage/memory.hpp"
#include "runtime/storage/storage.hpp"
#include "runtime/system/random.hpp"
#include "tests/support/folder.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>

using namespace qnfv;
using qnfv::test::temporary_folder;

namespace {

bytes text(const char* x) {
  return bytes(x, x + std::char_traits<char>::length(x));
}

/// What every storage promises.
void keeps_its_promises(storage& files) {
  REQUIRE(files.replace("a/b/one", text("first")));
  REQUIRE(files.replace("a/b/one", text("second")));
  auto content = files.load("a/b/one");
  REQUIRE(content);
  CHECK(*content == text("second"));
  CHECK(files.list("a/b") == std::vector<std::string>{"one"});
  CHECK(files.list("nowhere").empty());

  auto missing = files.load("a/b/two");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ec::storage_failed);
  CHECK(missing.error().text.find("a/b/two") != std::string::npos);
  CHECK_FALSE(files.load("a/b/one", 3)); // Larger than the limit.

  auto file = files.open("a/b/one");
  REQUIRE(file);
  uint8_t buffer[10];
  CHECK(*(*file)->read(3, buffer, 10) == 3);
  CHECK(buffer[0] == 'o');
  CHECK(*(*file)->read(6, buffer, 10) == 0);

  {
    auto owned = files.own("a/b/journal");
    REQUIRE(owned);
    REQUIRE((*owned)->write(0, text("old old old")));
    REQUIRE((*owned)->write(4, text("new")));
    REQUIRE((*owned)->sync());
    CHECK((*owned)->size() == 11);
    CHECK(*(*owned)->read(4, buffer, 3) == 3);
    CHECK(buffer[0] == 'n');
    auto second = files.own("a/b/journal");
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ec::busy);
  }
  CHECK(files.own("a/b/journal"));
  CHECK(*files.load("a/b/journal") == text("old new old"));

  REQUIRE(files.remove("a/b/one"));
  REQUIRE(files.remove("a/b/one"));
  CHECK_FALSE(files.open("a/b/one"));
  CHECK_FALSE(files.rename("a/b/one", "x"));
}

} // namespace

TEST_CASE("files on disk keep the storage's promises") {
  temporary_folder folder;
  auto files = make_disk_storage(folder.path() + "/state");
  REQUIRE(files);
  keeps_its_promises(**files);
}

TEST_CASE("files in memory keep the storage's promises") {
  memory_storage files;
  keeps_its_promises(files);
}

TEST_CASE("files on disk are readable by their owner only") {
  temporary_folder folder;
  auto files = make_disk_storage(folder.path() + "/state");
  REQUIRE((*files)->replace("one", text("x")));
  struct ::stat info;
  REQUIRE(::stat((folder.path() + "/state/one").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("what is no regular file is refused") {
  temporary_folder folder;
  auto files = make_disk_storage(folder.path());
  auto pipe = folder.path() + "/pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_FALSE((*files)->open("pipe"));
  CHECK_FALSE((*files)->open(folder.path()));
}

TEST_CASE("a sparse content holds what a plain one holds, whatever is written where") {
  auto random = make_seeded_random(11);
  auto below = [&](size_t n) { return static_cast<size_t>(random->uniform() * static_cast<double>(n)); };
  bytes plain, plain_copy;
  sparse_bytes sparse, copy;
  for (int round = 0; round < 2000; ++round) {
    auto at = below(20000);
    bytes x(below(9000) + 1);
    if (round % 3 != 0)
      random->fill(x.data(), x.size());
    plain.resize(std::max(plain.size(), at + x.size()));
    std::copy(x.begin(), x.end(), plain.begin() + static_cast<long>(at));
    sparse.write(at, x);
    auto from = below(plain.size()), n = below(plain.size() - from);
    plain_copy.resize(std::max(plain_copy.size(), from + n));
    std::copy_n(plain.begin() + static_cast<long>(from), n, plain_copy.begin() + static_cast<long>(from));
    copy.copy(sparse, from, n);
    REQUIRE(sparse.size() == plain.size());
    REQUIRE(copy.size() == plain_copy.size());
    bytes part(5000);
    part.resize(sparse.read(from, part.data(), part.size()));
    REQUIRE(std::equal(part.begin(), part.end(), plain.begin() + static_cast<long>(from)));
    REQUIRE(part.size() == std::min<size_t>(5000, plain.size() - from));
  }
  CHECK(sparse.all() == plain);
  CHECK(copy.all() == plain_copy);
  CHECK(sparse_bytes{plain}.all() == plain);
  uint8_t none = 0;
  CHECK(sparse.read(sparse.size(), &none, 1) == 0);
}

TEST_CASE("a crash loses what was not synced and keeps what was") {
  memory_storage files;
  {
    auto file = files.create("journal");
    REQUIRE((*file)->append(text("kept")));
    REQUIRE((*file)->sync());
    REQUIRE((*file)->append(text(" lost")));
    auto other = files.create("never-synced");
    REQUIRE((*other)->append(text("lost")));
  }
  files.crash();
  CHECK(*files.load("journal") == text("kept"));
  CHECK_FALSE(files.open("never-synced"));
}

TEST_CASE("a crash keeps or loses each sector of an un-synced write on its own") {
  memory_storage files;
  auto file = files.own("journal");
  REQUIRE((*file)->write(0, bytes(1536, 'a')));
  REQUIRE((*file)->sync());
  REQUIRE((*file)->write(256, bytes(1024, 'b')));
  int sector = 0;
  files.crash([&] { return sector++ == 1; });
  CHECK_FALSE((*file)->write(0, text("x"))); // The process is gone, too.
  auto content = *files.load("journal");
  CHECK(sector == 3);
  CHECK(content[511] == 'a');
  CHECK(content[512] == 'b');
  CHECK(content[1023] == 'b');
  CHECK(content[1024] == 'a');
}

TEST_CASE("a failed disk fails the operation it was told to, and a backup comes back") {
  memory_storage files;
  REQUIRE(files.replace("one", text("old")));
  auto backup = files.snapshot();
  files.before([](auto operation, auto&) { return operation != memory_storage::operation::sync; });
  CHECK_FALSE(files.replace("one", text("new")));
  CHECK(*files.load("one") == text("old"));
  files.before(nullptr);
  REQUIRE(files.replace("one", text("new")));
  files.restore(backup);
  CHECK(*files.load("one") == text("old"));
}
